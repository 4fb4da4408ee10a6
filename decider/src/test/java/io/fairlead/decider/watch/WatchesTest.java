package io.fairlead.decider.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.load.Manifest;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WatchesTest {
  private static final LogIdentity LOG =
      new LogIdentity("AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB");

  private final History history = new History(LOG, TestObjects.NOON);
  private final Watches watches =
      new Watches(LOG, history, Time.system(), 3, Duration.ofMinutes(10));
  private final RandomSource random = RandomSource.seeded(5);
  private ClusterImage image = ClusterImage.EMPTY;
  private long next;

  /** Services as texts such as {@code +web}, {@code *web}, {@code -web}. */
  private record Services() implements Subject<Versioned<Service>, String> {
    @Override
    public WatchedKind kind() {
      return WatchedKind.SERVICES;
    }

    @Override
    public Collection<ObjectName> all(ClusterImage image) {
      return image.services().byName().keySet();
    }

    @Override
    public Map<String, Versioned<Service>> at(ClusterImage image, ObjectName key) {
      return image.services().get(key).map(s -> Map.of("", s)).orElse(Map.of());
    }

    @Override
    public Object identity(Versioned<Service> service) {
      return service.object().uid();
    }

    @Override
    public String message(Told<Versioned<Service>> told, Optional<Position> resume) {
      return switch (told) {
        case Told.Added(var service) -> "+" + service.object().meta().name();
        case Told.Modified(var service) ->
            "*" + service.object().meta().name() + "@" + service.offset();
        case Told.Deleted(var service) -> "-" + service.object().meta().name();
        case Told.Synced(var position) -> "synced " + position.offsets();
        case Told.Bookmark(var position) -> "bookmark " + position.offsets();
      };
    }
  }

  @AfterEach
  void close() {
    watches.close();
  }

  private void happen(LogEvent... events) {
    var delta = new ClusterDelta(image);
    var entries = new ArrayList<LogEntry>();
    for (var event : events) {
      entries.add(new LogEntry(LogPartition.SERVICES, next++, TestObjects.NOON, event));
    }
    entries.forEach(delta::replay);
    image = delta.apply();
    var manifest = new Manifest(at(next), entries);
    history.onUpdate(delta, image, manifest);
    watches.onUpdate(delta, image, manifest);
  }

  private static Position at(long next) {
    return Position.start(LOG).with(LogPartition.SERVICES, next);
  }

  private LogEvent stored(String name) {
    return new LogEvent.Stored(TestObjects.service(name, "10.96.0.7"), envelope());
  }

  private LogEvent deleted(String name) {
    var service = TestObjects.service(name, "10.96.0.7");
    return new LogEvent.Deleted(service.key(), service.uid(), envelope());
  }

  private Envelope envelope() {
    return new Envelope(
        random.uuid(),
        TestObjects.NOON,
        "test",
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private TestCaller<String> watch() {
    return open(watches, Optional.empty());
  }

  private static TestCaller<String> open(Watches watches, Optional<Position> from) {
    var caller = new TestCaller<String>();
    watches.open(new Services(), from, caller);
    return caller;
  }

  private static void await(TestCaller<String> caller, String... read) {
    Awaitility.await(List.of(read).toString())
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .untilAsserted(() -> assertThat(caller.read).containsExactly(read));
  }

  @Test
  void tellsWhatIsThereThenThatThisIsAllThenWhatChanges() {
    happen(stored("a"), stored("b"));
    var caller = watch().reading();
    await(caller, "+a", "+b", "synced s:2");
    happen(stored("b"));
    await(caller, "+a", "+b", "synced s:2", "*b@2");
    happen(deleted("a"));
    await(caller, "+a", "+b", "synced s:2", "*b@2", "-a");
  }

  @Test
  void whoReadsSlowlyMissesWhatIsInBetweenAndHoldsNobodyUp() {
    happen(stored("a"));
    var slow = watch().reading();
    var fast = watch().reading();
    await(slow, "+a", "synced s:1");
    slow.pause();
    happen(stored("a"));
    await(fast, "+a", "synced s:1", "*a@1");
    for (int i = 0; i < 100; i++) {
      happen(stored("a"), stored("short-lived"));
      happen(deleted("short-lived"));
    }
    happen(stored("b"));
    long newest = image.services().get(TestObjects.name("a")).orElseThrow().offset();
    slow.reading();
    Awaitility.await("the slow one is told the newest")
        .atMost(Duration.ofSeconds(20))
        .until(() -> slow.read.contains("+b") && slow.read.contains("*a@" + newest));
    assertThat(slow.read).as("what was in between").hasSizeLessThanOrEqualTo(6);
    assertThat(slow.read).doesNotContain("+short-lived");
    assertThat(watches.conflated()).isPositive();
  }

  @Test
  void anotherObjectOfTheSameNameIsAnotherObject() {
    happen(stored("a"));
    var caller = watch().reading();
    await(caller, "+a", "synced s:1");
    caller.pause();
    var first = TestObjects.service("a", "10.96.0.7");
    var meta = first.meta();
    var second =
        new Service(
            new io.fairlead.core.model.ObjectMeta(
                meta.namespace(),
                meta.name(),
                new UUID(1, 2),
                meta.labels(),
                meta.annotations(),
                meta.created()),
            first.spec());
    happen(deleted("a"), new LogEvent.Stored(second, envelope()));
    caller.reading();
    await(caller, "+a", "synced s:1", "-a", "+a");
  }

  @Test
  void namesThatComeAndGoWhileNobodyReadsCostNoMemory() {
    happen(stored("a"));
    var caller = watch().reading();
    await(caller, "+a", "synced s:1");
    caller.pause();
    for (int i = 0; i <= Watcher.MOST_NOTED; i++) {
      happen(stored("x" + i));
      happen(deleted("x" + i));
    }
    happen(stored("b"), deleted("a"));
    caller.reading();
    await(caller, "+a", "synced s:1", "-a", "+b");
  }

  @Test
  void aResumedWatchIsToldWhatDiffersFromThenDeletionsToo() {
    happen(stored("a"), stored("b"), stored("c"));
    long then = next;
    happen(stored("short-lived"));
    happen(deleted("a"), deleted("short-lived"));
    happen(stored("d"));
    happen(stored("b"));
    var caller = open(watches, Optional.of(at(then))).reading();
    // its coming may have been told before the stream broke off
    var told = List.of("-a", "-short-lived", "+d", "*b@" + (next - 1), "synced s:" + next);
    await(caller, told.toArray(String[]::new));
    happen(deleted("d"));
    await(caller, Stream.concat(told.stream(), Stream.of("-d")).toArray(String[]::new));
  }

  @Test
  void aWatchThatIsResumedWhereItStandsIsToldNothingTwice() {
    happen(stored("a"));
    var caller = open(watches, Optional.of(at(next))).reading();
    await(caller, "synced s:1");
    happen(stored("a"));
    await(caller, "synced s:1", "*a@1");
  }

  @Test
  void aWatchFromAPositionOfWhichTooLittleIsKnownIsToldToListAgain() {
    var small = new History(LOG, TestObjects.NOON, new History.Limits(2, 1 << 20));
    var few = new Watches(LOG, small, Time.system(), 3, Duration.ofMinutes(10));
    var delta = new ClusterDelta(image);
    for (int i = 0; i < 3; i++) {
      var entry = new LogEntry(LogPartition.SERVICES, i, TestObjects.NOON, stored("s" + i));
      delta.replay(entry);
      var manifest = new Manifest(at(i + 1), List.of(entry));
      small.onUpdate(delta, delta.apply(), manifest);
      few.onUpdate(delta, delta.apply(), manifest);
    }
    var tooOld = open(few, Optional.of(at(0))).reading();
    Awaitility.await("refused").atMost(Duration.ofSeconds(20)).until(() -> tooOld.end.isPresent());
    var report = ErrorReport.of(tooOld.end.orElseThrow());
    assertThat(report.reason()).contains(Reason.POSITION_TOO_OLD);
    assertThat(report.code()).isEqualTo(Status.Code.OUT_OF_RANGE);
    assertThat(report.message()).contains("list again");
    var known = open(few, Optional.of(at(1))).reading();
    await(known, "+s1", "+s2", "synced s:3");
    few.close();
  }

  @Test
  void whoIsToldNothingForLongIsToldHowFarThatIsSo() {
    var chatty = new Watches(LOG, history, Time.system(), 3, Duration.ofMillis(20));
    var caller = open(chatty, Optional.empty()).reading();
    await(caller, "synced ");
    chatty.onUpdate(new ClusterDelta(image), image, new Manifest(at(7), List.of()));
    await(caller, "synced ", "bookmark s:7");
    chatty.close();
  }

  @Test
  void refusesMoreThanItsLimitUntilOneGoesAway() {
    var first = watch().reading();
    watch();
    watch();
    assertThatThrownBy(this::watch)
        .satisfies(e -> assertThat(ErrorReport.of(e).reason()).contains(Reason.LIMIT_REACHED));
    first.goAway();
    Awaitility.await("one is gone").atMost(Duration.ofSeconds(20)).until(() -> watches.size() == 2);
    watch();
    assertThat(first.end).as("nobody is there to be told").isEmpty();
  }

  @Test
  void endsAllWhenTheReplicaEnds() {
    var caller = watch();
    watches.close();
    Awaitility.await("ended").atMost(Duration.ofSeconds(20)).until(() -> caller.end.isPresent());
    assertThat(ErrorReport.of(caller.end.orElseThrow()).reason()).contains(Reason.SHUTTING_DOWN);
    var late = watch();
    Awaitility.await("ended").atMost(Duration.ofSeconds(20)).until(() -> late.end.isPresent());
  }
}
