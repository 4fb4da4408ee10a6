package io.fairlead.core.model;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far a log was read: for each partition the next offset (a consumer's position, which also
 * passes transaction markers). A partition that is missing counts as 0. Text form of the offsets:
 * {@code s:871,p7:12}.
 */
public record Position(LogIdentity log, SortedMap<LogPartition, Long> next) {
  /** Of an offset in text form. */
  private static final int MAX_DIGITS = 18;

  public Position {
    var kept = new TreeMap<LogPartition, Long>();
    next.forEach((partition, offset) -> {
      if (offset < 0) {
        throw new IllegalArgumentException("offset " + offset + " of " + partition);
      }
      if (offset > 0) { // 0 and absent are the same position and must compare equal
        kept.put(partition, offset);
      }
    });
    next = Collections.unmodifiableSortedMap(kept);
  }

  public static Position start(LogIdentity log) {
    return new Position(log, new TreeMap<>());
  }

  /** Next offset of that partition; 0 where nothing was read. */
  public long of(LogPartition partition) {
    return next.getOrDefault(partition, 0L);
  }

  /** This position with one component set. */
  public Position with(LogPartition partition, long offset) {
    var changed = new TreeMap<>(next);
    changed.put(partition, offset);
    return new Position(log, changed);
  }

  /** Whether everything in {@code other} is also applied here. False where the logs differ. */
  public boolean covers(Position other) {
    return log.equals(other.log) && coversOffsets(other.next);
  }

  /** Whether each of those partitions was read up to that next offset at least. */
  public boolean coversOffsets(Map<LogPartition, Long> offsets) {
    return offsets.entrySet().stream().allMatch(e -> of(e.getKey()) >= e.getValue());
  }

  /** The components that another position of this log has differently; empty where it has all. */
  public Position since(Position before) {
    var components = new TreeMap<LogPartition, Long>();
    next.forEach((partition, offset) -> {
      if (offset != before.of(partition)) {
        components.put(partition, offset);
      }
    });
    return new Position(log, components);
  }

  /** The offsets in text form, without the log's identity; empty text for the start. */
  public String offsets() {
    return next.entrySet().stream()
        .map(e -> e.getKey() + ":" + e.getValue())
        .collect(Collectors.joining(","));
  }

  /**
   * The inverse of {@link #offsets}, or empty. Read by hand: replicas are told thousands a second.
   */
  public static Optional<Position> parse(LogIdentity log, String offsets) {
    var next = new TreeMap<LogPartition, Long>();
    int begin = 0;
    while (begin < offsets.length()) {
      int comma = offsets.indexOf(',', begin);
      int end = comma < 0 ? offsets.length() : comma;
      int colon = offsets.indexOf(':', begin);
      if (colon < 0 || colon > end || comma == offsets.length() - 1) {
        return Optional.empty();
      }
      var partition = LogPartition.parse(offsets.substring(begin, colon));
      long offset = Decimal.parse(offsets, colon + 1, end, MAX_DIGITS);
      if (partition.isEmpty() || offset < 0 || next.put(partition.get(), offset) != null) {
        return Optional.empty();
      }
      begin = end + 1;
    }
    return Optional.of(new Position(log, next));
  }

  @Override
  public String toString() {
    return log + "@" + offsets();
  }
}
