package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.LogEvent;
import java.util.List;

/** The only writer of one partition, until fenced. One thread at a time. */
public interface PartitionAppender extends AutoCloseable {
  LogPartition partition();

  /**
   * Appends all events in one transaction, in order. Returns when the commit was acknowledged; the
   * records may become readable a little later. Blocks.
   *
   * @throws FencedException a later appender was opened: nothing of this call is or will be in the
   *     log
   * @throws io.fairlead.core.run.GatewayException KNOWN_FAILED: nothing is in the log and this
   *     appender may be used again; UNKNOWN: it may be; this appender must be closed
   * @throws ForeignLogException the log was made anew; this appender must be closed
   * @throws IllegalArgumentException an event belongs into another partition, is too large or
   *     cannot be encoded, or there is none: nothing was written
   */
  void append(List<LogEvent> events);

  @Override
  void close();
}
