package io.fairlead.eventlog.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.record.UnsupportedFeatureLevelException;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.acks.AckTopic;
import io.fairlead.eventlog.codec.RandomEvents;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FakeKafka;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.eventlog.log.FollowListener.Connection;
import io.fairlead.eventlog.log.Follower;
import io.fairlead.eventlog.log.ForeignLogException;
import io.fairlead.eventlog.log.PartitionAppender;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LoaderTest {
  private static final Partitioning PARTITIONING = new Partitioning(4);
  private static final Duration LONG = Duration.ofSeconds(30);

  private final FakeKafka kafka = new FakeKafka(new FakeTime(), PARTITIONING);
  private final EventLog log = kafka.connect();
  private final RandomEvents random = new RandomEvents(5, PARTITIONING);
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> opened = new ArrayList<>(List.of(log));

  @AfterEach
  void closeAll() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void anySplitOfTheEventsGivesTheSameImage(long seed) {
    System.out.println("seed " + seed);
    var events = new RandomEvents(seed, PARTITIONING);
    var split = new Random(seed);
    var early = start();
    var appenders = PARTITIONING.all().stream().map(log::openAppender).toList();
    for (int i = 0; i < 40; i++) {
      var event = events.event();
      var appender = appenders.get(PARTITIONING.all().indexOf(PARTITIONING.of(event.key())));
      var batch = new ArrayList<>(List.of(event));
      for (int j = split.nextInt(120); j > 0; j--) {
        var more = events.event();
        if (PARTITIONING.of(more.key()).equals(appender.partition())) {
          batch.add(more);
        }
      }
      appender.append(batch);
    }

    var atOnce = new ClusterDelta(ClusterImage.EMPTY);
    for (var partition : PARTITIONING.all()) {
      kafka.committed(partition).forEach(atOnce::replay);
    }
    var expected = atOnce.apply();
    assertSame(early.barrier(LONG).image(), expected);
    assertSame(start().barrier(LONG).image(), expected);
    assertSame(LogReader.readAll(log, LONG).image(), expected);

    PARTITIONING.all().forEach(kafka::compact);
    assertSame(LogReader.readAll(log, LONG).image(), expected);
    assertThat(faults).isEmpty();
  }

  private static void assertSame(ClusterImage image, ClusterImage expected) {
    for (var partition : PARTITIONING.all()) {
      assertThat(image.digest(partition)).isEqualTo(expected.digest(partition));
      assertThat(image.objects(partition)).isEqualTo(expected.objects(partition));
    }
    assertThat(image.services().all()).containsExactlyElementsOf(expected.services().all());
  }

  /** Whoever reads as it is written, at once later, or from an image that was kept. */
  @Test
  void keepsTheSameDigestsOfEveryThousandthOffsetHoweverItReads() {
    var early = start();
    append(services(700));
    append(services(700));
    var kept = early.barrier(LONG);
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    kafka.committed(LogPartition.SERVICES).forEach(delta::replay);
    append(services(1_200));
    append(List.of(service()));
    var last = kafka.committed(LogPartition.SERVICES).stream().filter(e -> e.offset() < 2_000);
    var expected = new ClusterDelta(ClusterImage.EMPTY);
    last.forEach(expected::replay);

    early.barrier(LONG);
    var marks = marks(early);
    assertThat(early.digests()).containsOnlyKeys(LogPartition.SERVICES);
    assertThat(marks.end()).isEqualTo(3);
    assertThat(marks.exact(2)).contains(expected.apply().digest(LogPartition.SERVICES));
    var late = start();
    late.barrier(LONG);
    assertThat(late.digests()).isEqualTo(early.digests());
    var restored =
        Loader.start(
            log,
            PARTITIONING.all(),
            List.of(),
            (what, cause) -> faults.add(what + ": " + cause.getMessage()),
            Time.system(),
            Optional.of(new Restored(delta, kept.position(), new TreeMap<>(), Duration.ZERO)));
    opened.add(restored);
    restored.barrier(LONG);
    assertThat(marks(restored).first()).isEqualTo(2);
    assertThat(marks(restored).exact(2)).isEqualTo(marks.exact(2));
    assertThat(faults).isEmpty();
  }

  private static DigestMarks marks(Loader loader) {
    return loader.digests().getOrDefault(LogPartition.SERVICES, DigestMarks.NONE);
  }

  @Test
  void stopsAtAFeatureLevelThatItDoesNotSupportBeforeAnythingOfThatIsInTheImage() {
    var first = service();
    append(List.of(first));
    var supporting = start(new FeatureLevels(2, _ -> 1));
    var old = start(new FeatureLevels(1, _ -> 1));
    old.barrier(LONG);
    var later = service();
    append(
        List.of(
            new LogEvent.Stored(new FeatureLevel(2, new UUID(1, 2)), random.envelope()), later));

    assertThat(supporting.barrier(LONG).image().featureLevel()).isEqualTo(2);
    await().until(() -> !faults.isEmpty());
    assertThat(faults)
        .singleElement()
        .asString()
        .startsWith(
            "applying the log from 's:2' to 's:5': the log has feature level 2, and this version of fairlead supports up to 1: ");
    assertThat(old.current().image().get(first.key())).isPresent();
    assertThat(old.current().image().get(later.key())).isEmpty();
    assertThat(old.current().image().featureLevel()).isEqualTo(1);
    // and one that starts there sees nothing at all
    faults.clear();
    var fresh = start(new FeatureLevels(1, _ -> 1));
    await().until(() -> fresh.fault().isPresent());
    assertThat(fresh.current().image().get(later.key())).isEmpty();
    assertThat(supporting.current().image().get(later.key())).isPresent();
    var kept = new ClusterDelta(ClusterImage.EMPTY);
    kafka.committed(LogPartition.SERVICES).forEach(kept::replay);
    var restored =
        Optional.of(
            new Restored(kept, supporting.current().position(), new TreeMap<>(), Duration.ZERO));
    assertThatThrownBy(() ->
            Loader.start(
                log,
                PARTITIONING.all(),
                List.of(),
                (_, _) -> {},
                Time.system(),
                restored,
                new FeatureLevels(1, _ -> 1)))
        .isInstanceOf(UnsupportedFeatureLevelException.class);
  }

  private Loader start(FeatureLevels levels) {
    var loader =
        Loader.start(
            log,
            PARTITIONING.all(),
            List.of(),
            (what, cause) -> faults.add(what + ": " + cause.getMessage()),
            Time.system(),
            Optional.empty(),
            levels);
    opened.add(loader);
    return loader;
  }

  private List<LogEvent> services(int count) {
    return Stream.generate(this::service).limit(count).toList();
  }

  @Test
  void tellsPublishersEveryStepWithItsEntriesBeforeAnybodySeesTheImage() {
    var entries = new CopyOnWriteArrayList<LogEntry>();
    var order = new CopyOnWriteArrayList<String>();
    var loaders = new CompletableFuture<Loader>();
    var loader =
        start(
            (delta, image, manifest) -> {
              entries.addAll(manifest.entries());
              for (var key : delta.keys()) {
                assertThat(image.get(key)).isPresent();
                assertThat(loaders.join().current().image().get(key)).isEmpty();
              }
              order.add("first " + manifest.position().offsets());
            },
            (_, _, manifest) -> order.add("second " + manifest.position().offsets()));
    loaders.complete(loader);
    var events = List.of(service(), service());
    append(events);

    var snapshot = loader.barrier(LONG);
    assertThat(entries.stream().map(LogEntry::event)).isEqualTo(events);
    assertThat(order)
        .contains("first " + snapshot.position().offsets())
        .allMatch(step -> step.startsWith("first") == (order.indexOf(step) % 2 == 0));
    assertThat(loader.entries()).isEqualTo(2);
    assertThat(faults).isEmpty();
  }

  @Test
  void waitsAtTheBarrierForWhatIsInTheLog() throws Exception {
    var hold = new CountDownLatch(1);
    var loader = start((_, _, _) -> awaitQuietly(hold));
    var event = service();
    append(List.of(event));

    var answered = CompletableFuture.supplyAsync(() -> loader.barrier(LONG));
    await().until(() -> loader.waiting() > 0);
    assertThat(answered).isNotDone();
    assertThat(loader.current().image().get(event.key())).isEmpty();
    hold.countDown();

    var snapshot = answered.get(30, TimeUnit.SECONDS);
    assertThat(snapshot.image().get(event.key())).isPresent();
    assertThat(snapshot).isEqualTo(loader.current());
    await().until(() -> loader.waiting() == 0);
  }

  @Test
  void saysAtTheBarrierThatKafkaIsAway() {
    var loader = start();
    loader.barrier(LONG);
    kafka.stop();
    await().until(() -> loader.connection() == Connection.LOST);

    assertThatThrownBy(() -> loader.barrier(LONG))
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining("the log is away")
        .extracting(e -> ((GatewayException) e).outcome())
        .isEqualTo(Outcome.KNOWN_FAILED);

    kafka.start();
    assertThat(loader.barrier(LONG)).isNotNull();
    await().until(() -> loader.connection() == Connection.CONNECTED);
    assertThat(faults).isEmpty();
  }

  @Test
  void saysAtTheBarrierHowFarItIsBehind() {
    var hold = new CountDownLatch(1);
    var loader = start((_, _, _) -> awaitQuietly(hold));
    append(List.of(service()));

    assertThatThrownBy(() -> loader.barrier(Duration.ofMillis(1)))
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining("the image is behind the log after 1 ms")
        .hasMessageContaining("s=2");
    hold.countDown();
    await().until(() -> loader.waiting() == 0);
  }

  @Test
  void completesWhoWaitsForAnOffsetOnceItIsApplied() {
    var loader = start();
    var event = service();
    var first = loader.applied(Map.of(LogPartition.SERVICES, 1L));
    var later = loader.applied(Map.of(LogPartition.SERVICES, 1000L));
    append(List.of(event));

    var snapshot = first.orTimeout(30, TimeUnit.SECONDS).join();
    assertThat(snapshot.position().of(LogPartition.SERVICES)).isGreaterThanOrEqualTo(1);
    assertThat(snapshot.image().get(event.key())).isPresent();
    assertThat(loader.applied(Map.of(LogPartition.SERVICES, 1L))).isCompleted();
    assertThat(later).isNotDone();
    assertThat(later.cancel(false)).isTrue();
    await().until(() -> loader.waiting() == 0);
  }

  @Test
  void isSyncedOnceWhatWasThereAtTheStartIsApplied() {
    append(List.of(service()));
    var hold = new CountDownLatch(1);
    var loader = start((_, _, _) -> awaitQuietly(hold));
    await().until(() -> loader.waiting() > 0);
    assertThat(loader.synced()).isFalse();
    hold.countDown();
    await().until(loader::synced);
    kafka.stop();
    await().until(() -> loader.connection() == Connection.LOST);
    assertThat(loader.synced()).isTrue();
  }

  @Test
  void isSyncedAlsoWhereTheFirstQuestionForTheEndFailedUnexpectedly() {
    var asked = new AtomicInteger();
    var odd =
        new EventLog() {
          @Override
          public Map<LogPartition, Long> endOffsets(Collection<LogPartition> partitions) {
            if (asked.incrementAndGet() == 1) {
              throw new IllegalStateException("on purpose");
            }
            return log.endOffsets(partitions);
          }

          @Override
          public LogIdentity identity() {
            return log.identity();
          }

          @Override
          public Partitioning partitioning() {
            return log.partitioning();
          }

          @Override
          public PartitionAppender openAppender(LogPartition partition) {
            return log.openAppender(partition);
          }

          @Override
          public Instant completeSince() {
            return log.completeSince();
          }

          @Override
          public Map<LogPartition, Long> startOffsets(Collection<LogPartition> partitions) {
            return log.startOffsets(partitions);
          }

          @Override
          public Map<LogPartition, Long> unstable(Collection<LogPartition> partitions) {
            return log.unstable(partitions);
          }

          @Override
          public Follower follow(
              Collection<LogPartition> partitions, Position from, FollowListener listener) {
            return log.follow(partitions, from, listener);
          }

          @Override
          public AckTopic acks() {
            return log.acks();
          }

          @Override
          public void close() {}
        };
    try (var loader =
        Loader.start(odd, PARTITIONING.all(), List.of(), (_, _) -> {}, Time.system())) {
      await().until(loader::synced);
      assertThat(asked).hasValue(2);
    }
  }

  @Test
  void isSyncedAtOnceWithAnEmptyLog() {
    var loader = start();
    await().until(loader::synced);
    await().until(() -> loader.connection() == Connection.CONNECTED);
  }

  @Test
  void movesThePositionWhereTransactionsHoldNothingForIt() {
    var deltas = new CopyOnWriteArrayList<Boolean>();
    var loader = start((delta, _, _) -> deltas.add(delta.isEmpty()));
    kafka.leaveOpen(LogPartition.SERVICES, List.of(service()));
    var appender = log.openAppender(LogPartition.SERVICES); // aborts it
    appender.close();

    var snapshot = loader.barrier(LONG);
    assertThat(snapshot.position().offsets()).isEqualTo("s:2");
    assertThat(deltas).isNotEmpty().containsOnly(true);
    assertThat(snapshot.image().services().all()).isEmpty();
  }

  @Test
  void freezesOnTheLastImageWhereAPublisherFails() {
    var loader =
        start((delta, _, _) -> {
          if (delta.services().stream().anyMatch(s -> s.name().equals("bad"))) {
            throw new IllegalStateException("on purpose");
          }
        });
    var good = service();
    append(List.of(good));
    var last = loader.barrier(LONG);
    var waiting = loader.applied(Map.of(LogPartition.SERVICES, 100L));
    append(List.of(named("bad")));

    await().until(() -> !faults.isEmpty());
    assertThat(faults).containsExactly("applying the log from 's:2' to 's:4': on purpose");
    assertThat(loader.current()).isEqualTo(last);
    assertThat(waiting).isCompletedExceptionally();
    assertThat(loader.fault()).isPresent();
    append(List.of(service()));
    assertThatThrownBy(() -> loader.barrier(LONG))
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining("the image is frozen at 's:2'")
        .hasMessageContaining("on purpose");
    assertThat(loader.current()).isEqualTo(last);
  }

  @Test
  void freezesWhereTheLogIsAnother() {
    var loader = start();
    append(List.of(service()));
    var last = loader.barrier(LONG);
    kafka.recreate(Topic.PODS);

    await().until(() -> !faults.isEmpty());
    assertThat(faults.getFirst()).startsWith("reading the log from 's:2': ");
    assertThat(loader.fault()).get().isInstanceOf(ForeignLogException.class);
    assertThat(loader.current()).isEqualTo(last);
  }

  @Test
  void letsNobodyWaitForAClosedLoader() {
    var loader = start();
    var waiting = loader.applied(Map.of(LogPartition.SERVICES, 5L));
    loader.close();
    assertThat(waiting).isCompletedExceptionally();
    assertThat(loader.applied(Map.of(LogPartition.SERVICES, 5L))).isCompletedExceptionally();
    assertThat(loader.waiting()).isZero();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private Loader start(Publisher... publishers) {
    var loader =
        Loader.start(
            log,
            PARTITIONING.all(),
            List.of(publishers),
            (what, cause) -> faults.add(what + ": " + cause.getMessage()),
            Time.system());
    opened.add(loader);
    return loader;
  }

  private void append(List<LogEvent> events) {
    try (var appender = log.openAppender(LogPartition.SERVICES)) {
      appender.append(events);
    }
  }

  private int number;

  private LogEvent service() {
    return named("service-" + number++);
  }

  private LogEvent named(String name) {
    var service = (Service) random.object(Kind.SERVICE);
    var meta = service.meta();
    var renamed =
        new io.fairlead.core.model.ObjectMeta(
            meta.namespace(), name, meta.uid(), meta.labels(), meta.annotations(), meta.created());
    return new LogEvent.Stored(new Service(renamed, service.spec()), random.envelope());
  }
}
