package io.fairlead.testbed.archsamples.allocator.grpc;

import io.fairlead.testbed.archsamples.v1.Message;

/** Keeps all rules: adapters are where generated types end. */
final class AdaptsMessages {
  private AdaptsMessages() {}

  static String name(Message message) {
    return message.name();
  }
}
