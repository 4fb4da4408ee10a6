package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEvent;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/**
 * Whether events stand where the partitioning puts them: asked before writing and after reading.
 */
final class Layout {
  private Layout() {}

  /**
   * @throws IllegalArgumentException nothing to append, or an event that belongs into another
   *     partition
   */
  static void requireHere(
      Partitioning partitioning, LogPartition partition, List<LogEvent> events) {
    if (events.isEmpty()) {
      throw new IllegalArgumentException("no events to append");
    }
    for (var event : events) {
      var home = partitioning.of(event.key());
      if (!home.equals(partition)) {
        throw new IllegalArgumentException(
            "%s belongs into partition %s, not %s".formatted(event.key(), home, partition));
      }
    }
  }

  /**
   * The components of a position that a reader of these partitions starts from.
   *
   * @throws ForeignLogException the position is of another log
   */
  static Position start(LogIdentity log, Position from, Collection<LogPartition> partitions) {
    if (!from.log().equals(log)) {
      throw new ForeignLogException("position %s is not of the log %s".formatted(from, log));
    }
    var next = new TreeMap<LogPartition, Long>();
    partitions.forEach(partition -> next.put(partition, from.of(partition)));
    return new Position(log, next);
  }

  /**
   * @throws ForeignLogException the event cannot come from a log with this partitioning
   */
  static void verify(
      Partitioning partitioning, LogPartition partition, long offset, LogEvent event) {
    if (event instanceof LogEvent.Stored(PartitionHeader header, _)) {
      int partitions = partitioning.partitions(partition.topic());
      if (header.partitions() != partitions || !header.hash().equals(Partitioning.HASH)) {
        throw new ForeignLogException(
            "partition %s was laid out for %d partitions by %s, but is read as one of %d by %s"
                .formatted(
                    partition, header.partitions(), header.hash(), partitions, Partitioning.HASH));
      }
    }
    var home = home(partitioning, partition, offset, event);
    if (!home.equals(partition)) {
      throw new ForeignLogException(
          "%s at %s:%d belongs into partition %s".formatted(event.key(), partition, offset, home));
    }
  }

  private static LogPartition home(
      Partitioning partitioning, LogPartition partition, long offset, LogEvent event) {
    try {
      return partitioning.of(event.key());
    } catch (IllegalArgumentException e) {
      throw new ForeignLogException(
          "%s at %s:%d: %s".formatted(event.key(), partition, offset, e.getMessage()));
    }
  }
}
