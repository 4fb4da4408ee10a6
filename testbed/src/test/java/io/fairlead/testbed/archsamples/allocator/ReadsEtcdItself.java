package io.fairlead.testbed.archsamples.allocator;

import io.etcd.jetcd.KeyValue;

/** Breaks the rule: etcd is read through the etcd module. */
final class ReadsEtcdItself {
  private ReadsEtcdItself() {}

  static long revision(KeyValue claim) {
    return claim.getModRevision();
  }
}
