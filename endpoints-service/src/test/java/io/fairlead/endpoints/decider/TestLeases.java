package io.fairlead.endpoints.decider;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodLease;
import java.util.TreeMap;

/** Pods with a lease. */
final class TestLeases {
  private TestLeases() {}

  static Pod leased(String name, String seconds) {
    var pod = TestObjects.pod(name, "dns", "node-a", "10.244.1.10");
    var annotations = new TreeMap<>(pod.meta().annotations());
    annotations.put(PodLease.ANNOTATION, seconds);
    var meta = pod.meta();
    return new Pod(
        new ObjectMeta(
            meta.namespace(), meta.name(), meta.uid(), meta.labels(), annotations, meta.created()),
        pod.spec(),
        pod.status(),
        pod.source());
  }
}
