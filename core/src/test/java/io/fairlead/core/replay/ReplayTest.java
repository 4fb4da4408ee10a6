package io.fairlead.core.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
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
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ReplayTest {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");
  private static final LogPartition SERVICES = LogPartition.SERVICES;
  private static final LogPartition PODS = LogPartition.parse("p1").orElseThrow();
  private static final Instant NOON = Instant.parse("2026-11-01T12:00:00Z");
  private static final Instant EVER = Instant.EPOCH;

  private static Instant minutes(int minutes) {
    return NOON.plus(Duration.ofMinutes(minutes));
  }

  private static LogEntry at(int minutes, LogEntry entry) {
    return new LogEntry(entry.partition(), entry.offset(), minutes(minutes), entry.event());
  }

  /** web at 0, web-1 at 1, web is gone at 2. */
  private static final List<LogEntry> THREE =
      List.of(
          at(0, TestObjects.stored(SERVICES, 0, TestObjects.service("web", "10.96.0.5"))),
          at(1, TestObjects.stored(PODS, 0, TestObjects.pod("web-1", "web", "node-a"))),
          at(2, TestObjects.deleted(SERVICES, 2, TestObjects.service("web", "10.96.0.5"))));

  private static Position end(List<LogEntry> log) {
    var end = Position.start(LOG);
    for (var entry : log) {
      end = end.with(entry.partition(), entry.offset() + 1);
    }
    return end;
  }

  private static Replayed replay(
      Moment moment, List<LogEntry> log, Position end, Instant retainedSince) {
    var replay = new Replay(moment, end);
    log.forEach(replay::take);
    return replay.result(retainedSince);
  }

  private static Replayed replay(Moment moment, Instant retainedSince) {
    return replay(moment, THREE, end(THREE), retainedSince);
  }

  private static Moment before(String offsets) {
    return new Moment.Before(Position.parse(LOG, offsets).orElseThrow().next());
  }

  private static String objects(Replayed replayed) {
    var state = (Replayed.State) replayed;
    return state.image().services().all().size()
        + " "
        + state.image().pods().all().size()
        + " at "
        + state.position().offsets();
  }

  @Test
  void countsWhatTheLogHadTakenByThen() {
    assertThat(objects(replay(new Moment.At(minutes(0)), EVER))).isEqualTo("1 0 at s:1");
    assertThat(objects(replay(new Moment.At(minutes(1)), EVER))).isEqualTo("1 1 at s:1,p1:1");
    assertThat(objects(replay(new Moment.At(minutes(9)), EVER))).isEqualTo("0 1 at s:3,p1:1");
    assertThat(objects(replay(before("s:1"), EVER))).isEqualTo("1 0 at s:1");
    assertThat(objects(replay(before("s:1,p1:1"), EVER))).isEqualTo("1 1 at s:1,p1:1");
    assertThat(objects(replay(before("s:2,p1:1"), EVER))).isEqualTo("1 1 at s:1,p1:1");
    assertThat(objects(replay(before("s:3"), EVER))).isEqualTo("0 1 at s:3,p1:1");
  }

  @Test
  void aLogIsCompleteSinceItsBegin() {
    assertThat(((Replayed.State) replay(new Moment.At(minutes(1)), EVER)).completeSince())
        .isEqualTo(NOON);
    assertThat(replay(new Moment.At(minutes(-1)), EVER)).isEqualTo(new Replayed.NothingYet(NOON));
    assertThat(replay(before("s:0"), EVER)).isEqualTo(new Replayed.NothingYet(NOON));
  }

  @Test
  void refusesWhatIsOlderThanWhatIsRetained() {
    var since = minutes(1).plusSeconds(1);
    assertThat(replay(new Moment.At(minutes(1)), since))
        .isEqualTo(new Replayed.Incomplete(minutes(1), since));
    assertThat(replay(before("s:1,p1:1"), since))
        .isEqualTo(new Replayed.Incomplete(minutes(1), since));
    assertThat(((Replayed.State) replay(new Moment.At(since), since)).completeSince())
        .isEqualTo(since);
  }

  @Test
  void theEndIsAlwaysThere() {
    var later = minutes(600);
    assertThat(objects(replay(before("s:3,p1:1"), later))).isEqualTo("0 1 at s:3,p1:1");
    assertThat(replay(before("s:3"), later))
        .as("of p1, something may have gone since")
        .isEqualTo(new Replayed.Incomplete(minutes(2), later));
    assertThat(replay(new Moment.At(minutes(3)), later))
        .isEqualTo(new Replayed.Incomplete(minutes(3), later));
  }

  @Test
  void refusesWhatIsNotThereYet() {
    assertThat(replay(before("s:4"), EVER)).isEqualTo(new Replayed.BehindTheEnd(SERVICES, 4, 3));
    assertThat(replay(before("p9:1"), EVER))
        .isEqualTo(new Replayed.BehindTheEnd(LogPartition.parse("p9").orElseThrow(), 1, 0));
  }

  @Test
  void anEmptyLogIsEmpty() {
    var state =
        (Replayed.State)
            replay(new Moment.At(NOON), List.of(), Position.start(LOG), NOON.minusSeconds(1));
    assertThat(state.image()).isEqualTo(ClusterImage.EMPTY);
    assertThat(state.time()).isEmpty();
  }

  /** A log of few keys, one entry a minute; where an entry was deleted a tombstone follows. */
  private static List<LogEntry> random(Random random) {
    var log = new ArrayList<LogEntry>();
    var next = new HashMap<LogPartition, Long>();
    for (int minute = 0; minute < 60; minute++) {
      boolean service = random.nextBoolean();
      var partition = service ? SERVICES : PODS;
      long offset = next.getOrDefault(partition, 0L) + random.nextInt(2); // markers of transactions
      int name = random.nextInt(4);
      var object =
          service
              ? TestObjects.service("s" + name, "10.96.0." + (1 + random.nextInt(200)))
              : TestObjects.pod("p" + name, "a" + random.nextInt(9), "node-a");
      if (random.nextInt(3) > 0) {
        log.add(at(minute, TestObjects.stored(partition, offset, object)));
      } else {
        log.add(at(minute, TestObjects.deleted(partition, offset, object)));
        log.add(
            at(
                minute,
                new LogEntry(partition, ++offset, NOON, new LogEvent.Tombstone(object.key()))));
      }
      next.put(partition, offset + 1);
    }
    return log;
  }

  /** What compaction may leave of it: of each old key its last old entry, and no old tombstone. */
  private static List<LogEntry> compacted(List<LogEntry> log, Instant since, Random random) {
    var lastOld = new HashMap<ObjectKey, LogEntry>();
    log.stream()
        .filter(e -> e.timestamp().isBefore(since))
        .forEach(e -> lastOld.put(e.event().key(), e));
    return log.stream()
        .filter(entry -> {
          boolean last = entry.equals(lastOld.get(entry.event().key()));
          boolean removable =
              entry.timestamp().isBefore(since)
                  && (!last || entry.event() instanceof LogEvent.Tombstone);
          // the cleaner need not have come by; a tombstone goes after all that it covers
          return !removable || (!last && random.nextInt(4) == 0 && isStored(lastOld, entry));
        })
        .toList();
  }

  private static boolean isStored(Map<ObjectKey, LogEntry> lastOld, LogEntry entry) {
    var last = lastOld.get(entry.event().key());
    return last != null && last.event() instanceof LogEvent.Stored;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void compactionTakesNothingFromAMomentThatIsNotRefused(long seed) {
    var random = new Random(seed);
    var log = random(random);
    var since = minutes(random.nextInt(60));
    var left = compacted(log, since, random);
    int replayed = 0;
    for (int minute = 0; minute <= 60; minute++) {
      var moment = new Moment.At(minutes(minute));
      if (replay(moment, left, end(log), since) instanceof Replayed.State(var image, _, _, _, _)) {
        replayed++;
        assertThat(image).isEqualTo(image(log, minute));
      }
    }
    assertThat(replayed).isPositive();
    var position = before(end(log).offsets());
    assertThat(((Replayed.State) replay(position, left, end(log), since)).image())
        .isEqualTo(image(log, 60));
  }

  private static ClusterImage image(List<LogEntry> log, int minute) {
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    log.stream().filter(e -> !e.timestamp().isAfter(minutes(minute))).forEach(delta::replay);
    return delta.apply();
  }
}
