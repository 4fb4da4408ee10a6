package io.fairlead.eventlog.acks;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.run.GatewayException;
import java.util.Collection;

/**
 * Where members leave their last word on how far they have come, and everybody reads those of all.
 * No part of the log, nor of its identity: it may be away, lost, or made anew at any time, and
 * nothing but knowing stops; who writes says everything again from time to time, so that what was
 * lost is known again soon. Thread-safe.
 */
public interface AckTopic {
  /** Its name in Kafka. One partition, so that the words of one member keep their order. */
  String KAFKA_NAME = "fairlead.acks";

  /**
   * Writes them, in this order. Blocks, bounded by the time-outs of the log.
   *
   * @throws GatewayException some may be written and others not
   */
  void publish(Collection<Acknowledgement> words);

  /**
   * Reads the last word of each member, older ones too perhaps, then each new one, on one thread of
   * its own until closed. Goes on by itself whatever happens to the topic, which is made where it
   * is missing; may tell the same word twice.
   */
  AutoCloseable read(Listener listener);

  /** Who reads. */
  interface Listener {
    void onWord(Acknowledgement word);
  }
}
