package io.fairlead.eventlog.load;

import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import java.util.List;

/**
 * What a step of the image is made of.
 *
 * @param position how far the log is applied with it
 * @param entries of the step, with envelopes, in order within each partition; may be empty
 */
public record Manifest(Position position, List<LogEntry> entries) {
  public Manifest {
    entries = List.copyOf(entries);
  }
}
