package io.fairlead.core.replay;

import io.fairlead.core.model.LogPartition;
import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/** A moment of the log. */
public sealed interface Moment {
  /** Everything that the log had taken by then. */
  record At(Instant time) implements Moment {}

  /**
   * Everything before those offsets; of partitions that are not named, what the log had taken by
   * the time of the last of these entries.
   */
  record Before(SortedMap<LogPartition, Long> next) implements Moment {
    public Before {
      next = Collections.unmodifiableSortedMap(new TreeMap<>(next));
    }
  }
}
