package io.fairlead.core.image;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;
import org.pcollections.TreePVector;

/**
 * Takes the {@linkplain DigestMarks digests} of each partition while a log is read. Written by the
 * thread that reads; what it has may be looked at from any. Bounded.
 *
 * <p>Compaction removes an entry only where a later one of its key is older than the window. Where
 * the last entry before an offset is younger, every later one that removed something lies before
 * that offset, too, and the digest there is exact: whoever reads the log when gets the same.
 */
public final class DigestTrail {
  /** So many are kept of each partition: of the last million offsets. */
  public static final int KEPT = 1_000;

  private static final class Reading {
    private long due;
    private @Nullable Instant last;
  }

  private final int kept;
  private final Supplier<Instant> completeSince;
  private final Map<LogPartition, Reading> readings = new HashMap<>();
  private volatile TreePMap<LogPartition, DigestMarks> marks = TreePMap.empty();

  /**
   * @param kept how many of each partition
   * @param completeSince every entry that the log took since then is retained, as of the moment
   */
  public DigestTrail(int kept, Supplier<Instant> completeSince) {
    this.kept = kept;
    this.completeSince = completeSince;
  }

  /** Where the reading begins, unless that is the log's start. Before any entry. */
  public void begin(Position position) {
    position
        .next()
        .forEach((partition, next) -> {
          var reading = reading(partition);
          reading.due = Math.max(1, Math.ceilDiv(next, DigestMarks.EVERY));
        });
  }

  private Reading reading(LogPartition partition) {
    var reading = readings.get(partition);
    if (reading == null) {
      reading = new Reading();
      reading.due = 1;
      readings.put(partition, reading);
    }
    return reading;
  }

  /** Brings the next entry into the delta, and takes what digests are due before it. */
  public void replay(LogEntry entry, ClusterDelta delta) {
    var reading = reading(entry.partition());
    if (entry.offset() >= reading.due * DigestMarks.EVERY) {
      take(
          entry.partition(),
          reading,
          entry.offset() / DigestMarks.EVERY,
          delta.apply().digest(entry.partition()));
    }
    delta.replay(entry);
    reading.last = entry.timestamp();
  }

  /** Everything before that position was brought in. */
  public void reached(Position position, ClusterImage image) {
    for (var component : position.next().entrySet()) {
      long number = component.getValue() / DigestMarks.EVERY;
      if (number == 0) {
        continue;
      }
      var reading = reading(component.getKey());
      if (number >= reading.due) {
        take(component.getKey(), reading, number, image.digest(component.getKey()));
      }
    }
  }

  /** All that are due up to that number are the same: between them there was nothing. */
  private void take(LogPartition partition, Reading reading, long number, Digest digest) {
    var known = Optional.ofNullable(marks.get(partition)).orElse(DigestMarks.NONE);
    long from = Math.max(reading.due, number - kept + 1);
    var digests = known.end() == from ? known.digests() : TreePVector.<Digest>empty();
    long first = known.end() == from ? known.first() : from;
    for (long k = from; k <= number; k++) {
      digests = digests.plus(digest);
    }
    while (digests.size() > kept) {
      digests = digests.minus(0);
      first++;
    }
    var last = reading.last;
    boolean exact = last != null && !last.isBefore(completeSince.get());
    marks =
        marks.plus(
            partition,
            new DigestMarks(
                first, digests, exact ? Math.max(first, known.exactFrom()) : number + 1));
    reading.due = number + 1;
  }

  /** Of those partitions that have any. */
  public SortedMap<LogPartition, DigestMarks> marks() {
    return marks;
  }
}
