package io.fairlead.eventlog.file;

import io.fairlead.core.model.Position;
import java.time.Instant;

/**
 * What a file holds of which log.
 *
 * @param retained the first offsets that the log had
 * @param since where the entries begin
 * @param until before which offsets they end; names every partition that has entries
 * @param exported when it was begun
 */
public record LogFileHeader(Position retained, Position since, Position until, Instant exported) {
  public LogFileHeader {
    if (!retained.log().equals(since.log()) || !since.log().equals(until.log())) {
      throw new IllegalArgumentException("positions of different logs");
    }
  }

  /** Whether it begins where the log did, so that it adds up to a state. */
  public boolean isFromTheBeginning() {
    return retained.covers(since);
  }
}
