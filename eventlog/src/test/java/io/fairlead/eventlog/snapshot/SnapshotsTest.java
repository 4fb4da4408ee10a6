package io.fairlead.eventlog.snapshot;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Digest;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.RandomEvents;
import io.fairlead.eventlog.file.RawEntry;
import io.fairlead.eventlog.load.EntryMark;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.LogReader;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FakeKafka;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SnapshotsTest {
  private static final Partitioning PARTITIONING = new Partitioning(4);
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final String NAME = "test.snapshot";

  private final FakeTime time = new FakeTime();
  private final FakeKafka kafka = new FakeKafka(time, PARTITIONING);
  private final EventLog log = kafka.connect();
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> opened = new ArrayList<>(List.of(log));
  private RandomEvents random = new RandomEvents(1, PARTITIONING);

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void place() {
    file = directory.resolve(NAME);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
    assertThat(faults).isEmpty();
  }

  private Snapshots snapshots() {
    return snapshots(() -> {});
  }

  private Snapshots snapshots(Runnable beforeRename) {
    var settings = new Snapshots.Settings(directory, NAME, Duration.ofHours(1));
    return new Snapshots(
        Optional.of(settings),
        log,
        PARTITIONING.all(),
        time,
        point -> {
          if (point == FaultPoint.SNAPSHOT_WRITTEN) {
            beforeRename.run();
          }
        });
  }

  private Loader start(Optional<Snapshots.Kept> kept, Publisher... publishers) {
    var loader =
        Loader.start(
            log,
            PARTITIONING.all(),
            List.of(publishers),
            (what, cause) -> faults.add(what + ": " + cause.getMessage()),
            time,
            kept.map(Snapshots.Kept::restored));
    opened.add(loader);
    return loader;
  }

  /** As a replica that ends in order does. */
  private Snapshot keep(Runnable beforeRename, List<RawEntry> entries) {
    var loader = start(Optional.empty());
    var snapshot = loader.barrier(LONG);
    var snapshots = snapshots(beforeRename);
    snapshots.keep(loader, () -> entries);
    snapshots.close();
    loader.close();
    return snapshot;
  }

  private Snapshot keep() {
    return keep(() -> {}, List.of());
  }

  private void append(int count) {
    for (int i = 0; i < count; i++) {
      var event = random.event();
      try (var appender = log.openAppender(PARTITIONING.of(event.key()))) {
        appender.append(List.of(event));
      }
    }
  }

  private static void assertSame(ClusterImage image, ClusterImage expected) {
    assertThat(image.summaries()).isEqualTo(expected.summaries());
    assertThat(image).isEqualTo(expected);
  }

  /** Whoever goes on from a snapshot has in the end what whoever read everything has. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void goesOnToTheSameImage(long seed) {
    random = new RandomEvents(seed, PARTITIONING);
    append(300);
    PARTITIONING.all().forEach(kafka::compact);
    var kept = keep();
    append(40);

    var read = snapshots().read();
    assertThat(read).isPresent();
    assertThat(read.get().restored().position()).isEqualTo(kept.position());
    assertSame(read.get().restored().delta().apply(), kept.image());
    var told = new CopyOnWriteArrayList<Position>();
    var begun = new CopyOnWriteArrayList<Position>();
    var loader =
        start(
            read,
            new Publisher() {
              @Override
              public void onStart(ClusterDelta delta, ClusterImage image, Position position) {
                assertThat(told).isEmpty();
                assertSame(image, kept.image());
                assertSame(delta.apply(), image);
                begun.add(position);
              }

              @Override
              public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
                told.add(manifest.position());
              }
            });
    assertSame(loader.barrier(LONG).image(), LogReader.readAll(log, LONG).image());
    assertThat(begun).containsExactly(kept.position());
    assertThat(loader.begun()).isEqualTo(Loader.Begun.SNAPSHOT);
    await().untilAsserted(() -> assertThat(loader.ready()).isPresent());
    assertThat(loader.ready().get().entries()).isBetween(1L, 40L * 2);
  }

  @Test
  void theEntriesThatWereKeptBesideComeBackButForThoseToBeReadAnyway() {
    append(30);
    var position = LogReader.readAll(log, LONG).position();
    var partition = position.next().firstKey();
    long next = position.of(partition);
    var event = (LogEvent) new LogEvent.Stored(random.object(Kind.SERVICE), random.envelope());
    var entry =
        new RawEntry(
            partition,
            next - 1,
            FakeTime.START,
            event.key().toString(),
            EventCodec.value(event).map(ByteString::copyFrom));
    var later = new RawEntry(partition, next, FakeTime.START, entry.key(), entry.record());
    keep(() -> {}, List.of(entry, later));
    assertThat(snapshots().read().orElseThrow().entries()).containsExactly(entry);
  }

  @Test
  void withoutADirectoryNothingIsKeptOrRead() {
    append(3);
    var none = new Snapshots(Optional.empty(), log, PARTITIONING.all(), time);
    var loader = start(Optional.empty());
    none.keep(loader, List::of);
    none.close();
    assertThat(none.read()).isEmpty();
    assertThat(directory).isEmptyDirectory();
    assertThat(snapshots().read()).as("no file yet").isEmpty();
  }

  @Test
  void isWrittenNowAndThenAndOnlyWhereSomethingIsNew() throws Exception {
    append(10);
    var loader = start(Optional.empty());
    var settings = new Snapshots.Settings(directory, NAME, Duration.ofMillis(5));
    var snapshots = new Snapshots(Optional.of(settings), log, PARTITIONING.all(), time);
    opened.add(snapshots);
    snapshots.keep(loader, List::of);
    await().untilAsserted(() -> assertThat(file).exists());
    append(10);
    var end = loader.barrier(LONG).position();
    await()
        .untilAsserted(
            () -> assertThat(snapshots().read(file).restored().position()).isEqualTo(end));
    assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
  }

  /** A process that dies while it writes leaves the one before, and what it left is replaced. */
  @Test
  void theOneBeforeStaysUntilTheNewOneIsWhole() throws Exception {
    append(20);
    var first = keep();
    append(20);
    keep(
        () -> {
          throw new IllegalStateException("the process dies here");
        },
        List.of());
    assertThat(snapshots().read(file).restored().position()).isEqualTo(first.position());

    Files.writeString(directory.resolve(NAME + ".new"), "half of one");
    assertThat(snapshots().read(file).restored().position()).isEqualTo(first.position());
    var second = keep();
    assertThat(snapshots().read(file).restored().position()).isEqualTo(second.position());
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  // --- what is refused

  record Damage(String name, UnaryOperator<byte[]> change, String words) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static byte[] prefix(byte[] content, int length) {
    return Arrays.copyOf(content, length);
  }

  private static byte[] flipped(byte[] content, int at) {
    var other = content.clone();
    other[at] ^= 1;
    return other;
  }

  static List<Damage> damages() {
    return List.of(
        new Damage("torn in the middle", c -> prefix(c, c.length / 2), "damaged or cut off"),
        new Damage("without its last octet", c -> prefix(c, c.length - 1), "damaged or cut off"),
        new Damage("with one more octet", c -> prefix(c, c.length + 1), "damaged or cut off"),
        new Damage("only begun", c -> prefix(c, 5), "cut off"),
        new Damage("empty", _ -> new byte[0], "cut off"),
        new Damage("a bit turned in an object", c -> flipped(c, c.length - 40), "damaged"),
        new Damage("a bit turned in the header", c -> flipped(c, 20), "damaged"),
        new Damage("another kind of file", c -> flipped(c, 0), "not a snapshot"),
        new Damage("of another format", c -> flipped(c, 11), "of version 0 of the format"));
  }

  @ParameterizedTest
  @MethodSource("damages")
  void aFileThatIsNotAsItWasWrittenIsRefused(Damage damage) throws IOException {
    append(50);
    keep();
    Files.write(file, damage.change().apply(Files.readAllBytes(file)));
    assertThatThrownBy(() -> snapshots().read(file))
        .isInstanceOf(SnapshotException.class)
        .hasMessageContaining(damage.words());
    assertThat(snapshots().read()).isEmpty();
  }

  record Foreign(String name, UnaryOperator<SnapshotHeader> change, String words) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static SnapshotHeader with(SnapshotHeader header, Position position) {
    return new SnapshotHeader(
        header.codec(),
        position,
        header.confirmed(),
        header.podsPartitions(),
        header.summaries(),
        header.lastEntries());
  }

  private static SnapshotHeader with(SnapshotHeader header, Instant confirmed) {
    return new SnapshotHeader(
        header.codec(),
        header.position(),
        confirmed,
        header.podsPartitions(),
        header.summaries(),
        header.lastEntries());
  }

  private static SnapshotHeader withSummary(SnapshotHeader header, ClusterImage.Summary summary) {
    var summaries = new TreeMap<>(header.summaries());
    summaries.put(LogPartition.SERVICES, summary);
    return new SnapshotHeader(
        header.codec(),
        header.position(),
        header.confirmed(),
        header.podsPartitions(),
        summaries,
        header.lastEntries());
  }

  private static ClusterImage.Summary services(SnapshotHeader header) {
    return header.summaries().getOrDefault(LogPartition.SERVICES, ClusterImage.Summary.NONE);
  }

  static List<Foreign> foreigners() {
    return List.of(
        new Foreign(
            "of another codec",
            h ->
                new SnapshotHeader(
                    "0-abc",
                    h.position(),
                    h.confirmed(),
                    h.podsPartitions(),
                    h.summaries(),
                    h.lastEntries()),
            "written by another version"),
        new Foreign(
            "of another log",
            h -> with(h, new Position(new LogIdentity("other", "log"), h.position().next())),
            "of the log other.log"),
        new Foreign(
            "of another partitioning",
            h ->
                new SnapshotHeader(
                    h.codec(), h.position(), h.confirmed(), 9, h.summaries(), h.lastEntries()),
            "out of 9 for Pods"),
        new Foreign(
            "ahead of the log",
            h -> with(h, h.position().with(LogPartition.SERVICES, 1_000_000)),
            "the log was cut off or restored"),
        new Foreign(
            "older than the window",
            h -> with(h, h.confirmed().minus(Duration.ofDays(7)).plus(Duration.ofHours(1))),
            "too old"),
        new Foreign(
            "from the future",
            h -> with(h, h.confirmed().plus(Duration.ofMinutes(2))),
            "which is to come"),
        new Foreign(
            "with another digest",
            h -> withSummary(h, new ClusterImage.Summary(new Digest(1, 2), services(h).objects())),
            "add up to digest"),
        new Foreign(
            "with another number of objects",
            h -> withSummary(h, new ClusterImage.Summary(services(h).digest(), 1_000)),
            "add up to digest"));
  }

  @ParameterizedTest
  @MethodSource("foreigners")
  void aWholeFileThatDoesNotBelongHereIsRefused(Foreign foreign) throws IOException {
    append(50);
    var snapshot = keep();
    assertThat(snapshots().read(file).restored().position()).isEqualTo(snapshot.position());
    var summaries = new TreeMap<LogPartition, ClusterImage.Summary>();
    PARTITIONING
        .all()
        .forEach(p ->
            summaries.put(
                p, snapshot.image().summaries().getOrDefault(p, ClusterImage.Summary.NONE)));
    var header =
        new SnapshotHeader(
            EventCodec.version(), snapshot.position(), FakeTime.START, 4, summaries, lastEntries());
    var out = new ByteArrayOutputStream();
    assertThat(
            SnapshotFile.write(
                out, foreign.change().apply(header), snapshot.image(), List.of(), () -> true))
        .isTrue();
    Files.write(file, out.toByteArray());
    assertThatThrownBy(() -> snapshots().read(file))
        .isInstanceOf(SnapshotException.class)
        .hasMessageContaining(foreign.words());
    assertThat(snapshots().read()).isEmpty();
  }

  @Test
  void isRefusedOnceTheLogIsAnotherOrBeginsLater() throws IOException {
    append(50);
    var kept = keep();
    var next = new TreeMap<>(kept.position().next()).firstEntry(); // of which many more come
    append(50);
    kafka.deleteRecordsBefore(next.getKey(), next.getValue() + 1);
    assertThatThrownBy(() -> snapshots().read(file)).hasMessageContaining("but the log begins at");

    time.advance(Duration.ofDays(7));
    assertThatThrownBy(() -> snapshots().read(file)).hasMessageContaining("too old");
    kafka.recreate(Topic.PODS);
    try (var fresh = kafka.connect()) {
      var settings = new Snapshots.Settings(directory, NAME, Duration.ofHours(1));
      var there = new Snapshots(Optional.of(settings), fresh, PARTITIONING.all(), time);
      assertThatThrownBy(() -> there.read(file)).hasMessageContaining("of the log");
    }
  }

  private SortedMap<LogPartition, EntryMark> lastEntries() {
    var marks = new TreeMap<LogPartition, EntryMark>();
    for (var partition : PARTITIONING.all()) {
      for (var entry : kafka.committed(partition)) {
        marks.put(partition, new EntryMark(entry.offset(), entry.timestamp()));
      }
    }
    return marks;
  }

  /** Offsets alone look as if nothing had happened. */
  @Test
  void isRefusedWhereTheLogLostItsEndAndGrewAgain() throws IOException {
    append(80);
    var kept = keep();
    assertThat(snapshots().read(file).restored().position()).isEqualTo(kept.position());
    var marks = lastEntries();
    var partition = marks.lastKey();
    kafka.loseFrom(partition, requireNonNull(marks.get(partition)).offset());
    time.advance(Duration.ofSeconds(1));
    while (log.endOffsets(PARTITIONING.all()).getOrDefault(partition, 0L)
        < kept.position().of(partition)) {
      append(1);
    }
    assertThatThrownBy(() -> snapshots().read(file))
        .isInstanceOf(SnapshotException.class)
        .hasMessageContaining("the log does not have the entry " + partition);
  }

  /** What was read from a snapshot is known again by the same entries where nothing followed. */
  @Test
  void keepsItsLastEntriesWhereNothingFollows() throws IOException {
    append(50);
    var _ = keep();
    var kept = snapshots().read();
    var loader = start(kept);
    var _ = loader.barrier(LONG);
    assertThat(loader.lastEntries()).isEqualTo(lastEntries());
  }
}
