package io.fairlead.eventlog.load;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * An entry of the log by which it is known again: a log that was cut off and grew anew has another
 * one, or none, at that offset.
 *
 * @param timestamp when the log accepted it, in milliseconds
 */
public record EntryMark(long offset, Instant timestamp) {
  public EntryMark {
    timestamp = timestamp.truncatedTo(ChronoUnit.MILLIS);
  }
}
