package io.fairlead.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class DigestTrailTest {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");
  private static final LogPartition SERVICES = LogPartition.SERVICES;
  private static final LogPartition PODS = LogPartition.parse("p1").orElseThrow();
  private static final Duration WINDOW = Duration.ofDays(7);

  /** What a reader got: its digests, and where it is. */
  private record Read(DigestTrail trail, ClusterImage image, Position position) {
    DigestMarks of(LogPartition partition) {
      return trail.marks().getOrDefault(partition, DigestMarks.NONE);
    }
  }

  private static LogEntry at(Instant time, LogEntry entry) {
    return new LogEntry(entry.partition(), entry.offset(), time, entry.event());
  }

  private static DomainObject object(LogPartition partition, Random random) {
    var name = "n" + random.nextInt(6);
    return partition.equals(SERVICES)
        ? TestObjects.service(name, "10.96.0." + random.nextInt(1, 250))
        : TestObjects.pod(name, "app" + random.nextInt(3), "node-a");
  }

  /**
   * Some thousand offsets of two partitions in turn, over some weeks; with the holes that
   * transactions leave, a large one now and then, and times without any entry.
   */
  private static List<LogEntry> log(Random random) {
    var entries = new ArrayList<LogEntry>();
    var next = new HashMap<LogPartition, Long>();
    var time = TestObjects.NOON;
    for (int i = 0; i < 700; i++) {
      var partition = random.nextInt(3) == 0 ? PODS : SERVICES;
      long hole = random.nextInt(40) == 0 ? random.nextInt(4_000) : random.nextInt(12);
      long offset = next.getOrDefault(partition, 0L) + hole;
      time = time.plus(Duration.ofMinutes(random.nextInt(90)));
      time = random.nextInt(200) == 0 ? time.plus(Duration.ofDays(5)) : time;
      var object = object(partition, random);
      if (random.nextInt(4) == 0) {
        entries.add(at(time, TestObjects.deleted(partition, offset, object)));
        offset++;
        entries.add(new LogEntry(partition, offset, time, new LogEvent.Tombstone(object.key())));
      } else {
        entries.add(at(time, TestObjects.stored(partition, offset, object)));
      }
      next.put(partition, offset + 1);
    }
    return entries;
  }

  /** Kafka's cleaning at a moment: of each key what was replaced by something old enough. */
  private static List<LogEntry> compacted(List<LogEntry> entries, Instant now) {
    var cleanable = now.minus(WINDOW);
    var replaced = new HashSet<ObjectKey>();
    var left = new ArrayList<LogEntry>();
    for (var entry : entries.reversed()) {
      boolean old = entry.timestamp().isBefore(cleanable);
      var key = entry.event().key();
      boolean tombstone = entry.event() instanceof LogEvent.Tombstone;
      if (!old || !(replaced.contains(key) || tombstone)) {
        left.addFirst(entry);
      }
      if (old) {
        replaced.add(key);
      }
    }
    return left;
  }

  /** Reads in steps of any size, each with the position behind its last entries. */
  private static Read read(List<LogEntry> entries, Instant now, int kept, Random random) {
    var trail = new DigestTrail(kept, () -> now.minus(WINDOW));
    var image = ClusterImage.EMPTY;
    var position = Position.start(LOG);
    for (int i = 0; i < entries.size(); ) {
      int step = Math.min(entries.size() - i, 1 + random.nextInt(60));
      var delta = new ClusterDelta(image);
      for (var entry : entries.subList(i, i + step)) {
        trail.replay(entry, delta);
        position = position.with(entry.partition(), entry.offset() + 1);
      }
      image = delta.apply();
      trail.reached(position, image);
      i += step;
    }
    return new Read(trail, image, position);
  }

  private static Digest expected(List<LogEntry> entries, LogPartition partition, long number) {
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    entries.stream()
        .filter(e -> e.partition().equals(partition) && e.offset() < number * DigestMarks.EVERY)
        .forEach(delta::replay);
    return delta.apply().digest(partition);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void eachDigestIsThatOfTheStateBeforeItsOffsetHoweverTheLogIsReadInSteps(long seed) {
    var random = new Random(seed);
    var entries = log(random);
    var read = read(entries, entries.getFirst().timestamp(), Integer.MAX_VALUE, random);
    for (var partition : List.of(SERVICES, PODS)) {
      var marks = read.of(partition);
      long end = read.position().of(partition) / DigestMarks.EVERY + 1;
      assertThat(end).as("offsets, in thousands").isGreaterThan(5);
      assertThat(marks.first()).isEqualTo(1);
      assertThat(marks.end()).isEqualTo(end);
      for (long number = 1; number < end; number++) {
        assertThat(marks.digests().get((int) number - 1))
            .as("%s %s, seed %s", partition, number, seed)
            .isEqualTo(expected(entries, partition, number));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void exactOnesAreTheSameForWhoReadsALogThatWasCompacted(long seed) {
    var random = new Random(seed);
    var entries = log(random);
    var now = entries.getLast().timestamp().plus(Duration.ofDays(random.nextInt(3)));
    var first = read(entries, entries.getFirst().timestamp(), Integer.MAX_VALUE, random);
    var left = compacted(entries, now);
    assertThat(left).hasSizeLessThan(entries.size());
    var later = read(left, now, Integer.MAX_VALUE, random);
    assertThat(later.image()).isEqualTo(first.image());
    int inexact = 0;
    for (var partition : List.of(SERVICES, PODS)) {
      var readers = new TreeMap<String, DigestMarks>();
      readers.put("first", first.of(partition));
      readers.put("later", later.of(partition));
      var comparison = DigestMarks.compare(readers);
      assertThat(comparison.differs()).as("seed %s", seed).isEmpty();
      inexact += (int) Math.max(0, later.of(partition).exactFrom() - 1);
    }
    assertThat(inexact).as("digests from before the window, seed %s", seed).isPositive();
  }

  @Test
  void aDigestOfBeforeTheWindowIsNotExact() {
    var service = TestObjects.service("web", "10.96.0.5");
    var old = TestObjects.NOON;
    var entries =
        List.of(
            at(old, TestObjects.stored(SERVICES, 5, service)),
            at(old, TestObjects.stored(SERVICES, 1_500, service)),
            at(old.plus(WINDOW), TestObjects.stored(SERVICES, 1_999, service)),
            at(old.plus(WINDOW), TestObjects.stored(SERVICES, 3_000, service)));
    var marks = read(entries, old.plus(WINDOW).plusSeconds(1), 10, new Random(1)).of(SERVICES);
    assertThat(marks.end()).isEqualTo(4);
    assertThat(marks.exact(1)).isEmpty(); // what replaced the first one may have been removed, too
    assertThat(marks.exact(2)).contains(Digest.of(service));
    assertThat(marks.exact(3)).contains(Digest.of(service));
  }

  @Test
  void keepsTheLastOnesOnly() {
    var random = new Random(5);
    var entries = log(random);
    var all = read(entries, entries.getFirst().timestamp(), Integer.MAX_VALUE, random).of(SERVICES);
    var few = read(entries, entries.getFirst().timestamp(), 3, random).of(SERVICES);
    assertThat(few.end()).isEqualTo(all.end());
    assertThat(few.digests()).isEqualTo(all.after(all.end() - 4).digests()).hasSize(3);
  }

  @Test
  void beginsWhereTheReadingDoes() {
    var service = TestObjects.service("web", "10.96.0.5");
    var base = TestObjects.image(service);
    for (long next : new long[] {2_001, 3_000}) {
      var trail = new DigestTrail(10, () -> Instant.EPOCH);
      trail.begin(Position.start(LOG).with(SERVICES, next));
      var delta = new ClusterDelta(base);
      trail.replay(
          TestObjects.stored(SERVICES, 4_100, TestObjects.service("db", "10.96.0.6")), delta);
      var marks = trail.marks().getOrDefault(SERVICES, DigestMarks.NONE);
      assertThat(marks.first()).as("from %s", next).isEqualTo(3);
      assertThat(marks.digests())
          .containsExactly(base.digest(SERVICES), base.digest(SERVICES))
          .doesNotContain(Digest.ZERO);
      assertThat(marks.exact(3)).as("nothing is known of the entry before").isEmpty();
    }
  }
}
