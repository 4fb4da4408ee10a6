package io.fairlead.testbed.archsamples.dns;

import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Breaks the rule: the log is read through eventlog. */
final class ReadsKafkaItself {
  private ReadsKafkaItself() {}

  static long offset(ConsumerRecord<String, String> event) {
    return event.offset();
  }
}
