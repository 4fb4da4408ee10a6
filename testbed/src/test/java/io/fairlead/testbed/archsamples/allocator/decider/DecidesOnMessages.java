package io.fairlead.testbed.archsamples.allocator.decider;

import io.fairlead.testbed.archsamples.v1.Message;

/** Breaks the rule: deciders see the model, not the wire. */
final class DecidesOnMessages {
  private DecidesOnMessages() {}

  static boolean accepts(Message message) {
    return !message.name().isEmpty();
  }
}
