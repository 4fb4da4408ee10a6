package io.fairlead.decider.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.eventlog.load.Manifest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HistoryTest {
  private static final LogIdentity LOG =
      new LogIdentity("AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB");
  private static final Instant NOW = TestObjects.NOON;
  private static final Instant OLD = NOW.minus(Duration.ofDays(8));
  private static final Instant WINDOW = NOW.minus(Duration.ofDays(7));
  private static final LogPartition S = LogPartition.SERVICES;
  private static final LogPartition P1 = new LogPartition(Topic.PODS, 1);

  private final RandomSource random = RandomSource.seeded(System.nanoTime());
  private final Envelope envelope =
      new Envelope(
          random.uuid(), NOW, "test", Optional.empty(), Optional.empty(), Optional.empty());
  private ClusterImage image = ClusterImage.EMPTY;
  private Position position = Position.start(LOG);

  private void read(History history, LogEntry... entries) {
    var delta = new ClusterDelta(image);
    for (var entry : entries) {
      delta.replay(entry);
      position = position.with(entry.partition(), entry.offset() + 1);
    }
    image = delta.apply();
    history.onUpdate(delta, image, new Manifest(position, List.of(entries)));
  }

  private LogEntry stored(long offset, Instant time, String name) {
    var service = TestObjects.service(name, "10.96.0." + (1 + offset % 200));
    return new LogEntry(S, offset, time, new LogEvent.Stored(service, envelope));
  }

  private LogEntry deleted(long offset, Instant time, String name) {
    var service = TestObjects.service(name, "10.96.0.9");
    return new LogEntry(
        S, offset, time, new LogEvent.Deleted(service.key(), service.uid(), envelope));
  }

  private static Position at(long next) {
    return Position.start(LOG).with(S, next);
  }

  private static void assertTooOld(History history, Position position) {
    assertThatThrownBy(() -> history.at(position))
        .satisfies(e -> assertThat(ErrorReport.of(e).reason()).contains(Reason.POSITION_TOO_OLD));
  }

  @Test
  void makesEveryImageThatTheLogEverHadWhereverItIsCut() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    var choices = RandomSource.seeded(seed).generator();
    var history = new History(LOG, WINDOW);
    var images = new ArrayList<ClusterImage>(); // after each entry
    var batch = new ArrayList<LogEntry>();
    var one = ClusterImage.EMPTY;
    images.add(one);
    for (int offset = 0; offset < 300; offset++) {
      var name = "s" + choices.nextInt(12);
      var entry = choices.nextInt(3) == 0 ? deleted(offset, NOW, name) : stored(offset, NOW, name);
      var delta = new ClusterDelta(one);
      delta.replay(entry);
      one = delta.apply();
      images.add(one);
      batch.add(entry);
      if (choices.nextInt(4) == 0) {
        read(history, batch.toArray(LogEntry[]::new));
        batch.clear();
      }
    }
    read(history, batch.toArray(LogEntry[]::new));
    for (int next = 0; next < images.size(); next++) {
      assertThat(history.at(at(next)).image())
          .as("seed %d at %d", seed, next)
          .isEqualTo(images.get(next));
    }
  }

  @Test
  void knowsWhatAReplicaReadAtItsStartAsFarAsNothingOfItWasCompacted() {
    var history = new History(LOG, WINDOW);
    // a was stored at 2 and again at 5, which compaction removed or may remove
    read(history, stored(5, OLD, "a"), stored(9, NOW, "a"), deleted(12, NOW, "a"));
    assertTooOld(history, at(8));
    assertThat(history.at(at(9)).image().services().byName()).hasSize(1);
    assertThat(history.at(at(13)).image()).isEqualTo(image);
  }

  /** What the log stamped so may have replaced something that compaction removed. */
  @Test
  void knowsNothingBeforeAnEntryOfAClockThatWasSetBack() {
    var history = new History(LOG, WINDOW);
    read(history, stored(0, NOW, "a"), stored(1, OLD, "b"), deleted(2, NOW, "a"));
    assertTooOld(history, at(1));
    assertThat(history.at(at(2)).image().services().byName()).hasSize(2);
    read(history, deleted(3, OLD, "b"));
    assertTooOld(history, at(3));
    assertThat(history.at(at(4)).image()).isEqualTo(image);
  }

  @Test
  void knowsNothingBeforeALogInWhichNothingHappenedForLong() {
    var history = new History(LOG, WINDOW);
    read(history, stored(5, OLD, "a"));
    var delta = new ClusterDelta(image);
    position = position.with(S, 20); // removed entries and markers behind it
    history.onUpdate(delta, image, new Manifest(position, List.of()));
    assertTooOld(history, at(19));
    assertThat(history.at(at(20)).image()).isEqualTo(image);
  }

  @Test
  void isBoundedByTheMemoryOfWhatWasReplaced() {
    var history = new History(LOG, WINDOW, new History.Limits(1_000, 4_000));
    for (int offset = 0; offset < 100; offset++) {
      read(history, stored(offset, NOW, "a"));
    }
    assertThat(history.bytes()).isLessThanOrEqualTo(4_000).isPositive();
    assertThat(history.size()).isBetween(1, 99);
    assertTooOld(history, at(50));
    assertThat(history.at(at(99)).image().services().byName()).hasSize(1);
  }

  @Test
  void partitionsAreStepsOfTheirOwn() {
    var history = new History(LOG, WINDOW);
    var pod = TestObjects.pod("web-1", "web", "node-a", "10.244.0.7");
    read(history, stored(0, NOW, "a"));
    read(history, new LogEntry(P1, 0, NOW, new LogEvent.Stored(pod, envelope)));
    read(history, deleted(1, NOW, "a"));
    var then = history.at(at(1).with(P1, 0)).image();
    assertThat(then.services().byName()).hasSize(1);
    assertThat(then.pods().all()).isEmpty();
    assertThat(history.at(at(2).with(P1, 0)).image().pods().all()).isEmpty();
    assertThat(history.at(at(0).with(P1, 1)).image().pods().all()).hasSize(1);
  }
}
