package io.fairlead.eventlog.snapshot;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.eventlog.file.RawEntry;
import io.fairlead.eventlog.load.EntryMark;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Restored;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FollowListener;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The copy of a replica's image in a file, so that a start reads the log from there on. Disposable:
 * whatever is wrong with it, the log is read from its start instead. Written by a thread of its own
 * now and then and at the end; one file, put in the place of the one before once it is whole and on
 * the disk.
 */
public final class Snapshots implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);

  /** A bigger one is not worth what it takes. */
  static final long MOST_BYTES = 1L << 30;

  /**
   * By how much it has to be younger than the window within which the log keeps every deletion: so
   * long the reading of the rest may take.
   */
  static final Duration READING = Duration.ofHours(6);

  /** By how much clocks may differ. */
  private static final Duration SKEW = Duration.ofMinutes(1);

  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final Duration LOG_LIMIT = Duration.ofSeconds(5);
  private static final Duration LAST_LOG_LIMIT = Duration.ofSeconds(2);
  private static final Duration LAST_WRITE_LIMIT = Duration.ofSeconds(5);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(10);

  /**
   * Where and how often.
   *
   * @param directory of this replica alone; made where it is missing
   * @param name of the file in it
   */
  public record Settings(Path directory, String name, Duration interval) {
    public Settings {
      if (!interval.isPositive()) {
        throw new IllegalArgumentException("interval " + interval + ": must be above zero");
      }
    }

    /** Of a service, in a directory of this replica; empty where there is none. */
    public static Optional<Settings> of(
        Optional<Path> directory, String service, Duration interval) {
      return directory.map(dir -> new Settings(dir, service + ".snapshot", interval));
    }

    Path file() {
      return directory.resolve(name);
    }
  }

  /**
   * What was kept.
   *
   * @param entries of the log that were kept beside the image, each partition's in order
   */
  public record Kept(Restored restored, List<RawEntry> entries) {}

  private final Optional<Settings> settings;
  private final EventLog log;
  private final List<LogPartition> partitions;
  private final Time time;
  private final FaultPoints points;
  private final Semaphore wake = new Semaphore(0);
  private Optional<Thread> thread = Optional.empty();

  /** Of whoever writes. */
  private Optional<Position> last = Optional.empty();

  private volatile boolean closed;
  private volatile long lastWriteDeadlineNanos;
  private final LongAdder written = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private volatile long bytes;

  /**
   * Does nothing yet, and never anything without settings.
   *
   * @param partitions that this replica follows
   */
  public Snapshots(
      Optional<Settings> settings, EventLog log, Collection<LogPartition> partitions, Time time) {
    this(settings, log, partitions, time, FaultPoints.NONE);
  }

  /** Likewise; the points are told of each snapshot that is written. */
  public Snapshots(
      Optional<Settings> settings,
      EventLog log,
      Collection<LogPartition> partitions,
      Time time,
      FaultPoints points) {
    this.settings = settings;
    this.log = log;
    this.partitions = List.copyOf(partitions);
    this.time = time;
    this.points = points;
  }

  // --- reading

  /** What was kept, where it can be used; says why not where it cannot. Blocks. */
  public Optional<Kept> read() {
    if (settings.isEmpty()) {
      return Optional.empty();
    }
    var file = settings.get().file();
    try {
      var kept = read(file);
      LOG.atInfo()
          .addKeyValue("event", "snapshot.read")
          .addKeyValue("file", file)
          .addKeyValue("position", kept.restored().position())
          .addKeyValue("objects", objects(kept.restored().delta().apply()))
          .addKeyValue("took", kept.restored().took().toMillis() + "ms")
          .log("Image read from the snapshot; the log is read from there on");
      last = Optional.of(kept.restored().position());
      return Optional.of(kept);
    } catch (NoSuchFileException _) {
      LOG.atInfo()
          .addKeyValue("event", "snapshot.missing")
          .addKeyValue("file", file)
          .log("No snapshot yet, the whole log is read");
    } catch (SnapshotException e) {
      LOG.atWarn()
          .addKeyValue("event", "snapshot.refused")
          .addKeyValue("file", file)
          .addKeyValue("cause", e.getMessage())
          .log("Snapshot not used, the whole log is read");
    } catch (IOException | RuntimeException | InternalError e) { // the last: of a mapped file
      LOG.atWarn()
          .addKeyValue("event", "snapshot.refused")
          .addKeyValue("file", file)
          .addKeyValue("cause", e.toString())
          .log("Snapshot cannot be read, the whole log is read");
    }
    return Optional.empty();
  }

  private static long objects(ClusterImage image) {
    return image.summaries().values().stream().mapToLong(ClusterImage.Summary::objects).sum();
  }

  /**
   * @throws SnapshotException it cannot be used
   */
  Kept read(Path file) throws IOException {
    long fromNanos = time.nanoTime();
    var reader = new SnapshotFile.Reader(content(file));
    var header = reader.header();
    check(header);
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    var entries = new ArrayList<RawEntry>();
    var partitioning = log.partitioning();
    reader.read(versioned -> add(versioned, partitioning, delta), entries::add);
    for (var entry : entries) {
      try {
        var _ = entry.decode(); // before anybody counts on them
      } catch (UnreadableRecordException e) {
        throw new SnapshotException("an entry of it cannot be read: " + e.getMessage(), e);
      }
    }
    var image = delta.apply();
    for (var partition : partitions) {
      var summary = image.summaries().getOrDefault(partition, ClusterImage.Summary.NONE);
      var written = header.summaries().getOrDefault(partition, ClusterImage.Summary.NONE);
      if (!summary.equals(written)) {
        throw new SnapshotException(
            "its objects of partition %s add up to digest %s, not %s"
                .formatted(partition, summary.digest(), written.digest()));
      }
      var found = image.header(partition);
      if (found.isPresent()
          && (found.get().partitions() != partitioning.partitions(partition.topic())
              || !found.get().hash().equals(Partitioning.HASH))) {
        throw new SnapshotException("partition " + partition + " was laid out otherwise");
      }
    }
    if (!partitions.containsAll(image.summaries().keySet())) {
      throw new SnapshotException("it has objects of partitions that are not followed here");
    }
    var took = Duration.ofNanos(time.nanoTime() - fromNanos);
    return new Kept(
        new Restored(delta, header.position(), header.lastEntries(), took), List.copyOf(entries));
  }

  private static void add(
      Versioned<DomainObject> versioned, Partitioning partitioning, ClusterDelta delta) {
    var key = versioned.object().key();
    delta.restore(key, partitioning.of(key), Optional.of(versioned));
  }

  private static ByteBuffer content(Path file) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() > MOST_BYTES) {
        throw new SnapshotException("of " + channel.size() + " bytes, more than any is written of");
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    }
  }

  /** Whether it is of this log, and whether everything that is missing in it is still there. */
  private void check(SnapshotHeader header) throws SnapshotException {
    if (!header.codec().equals(EventCodec.version())) {
      throw new SnapshotException(
          "written by another version of fairlead: objects are as %s, here as %s"
              .formatted(header.codec(), EventCodec.version()));
    }
    if (!header.position().log().equals(log.identity())) {
      throw new SnapshotException(
          "of the log %s, this is %s".formatted(header.position().log(), log.identity()));
    }
    if (header.podsPartitions() != log.partitioning().podsPartitions()
        || !header.summaries().keySet().equals(new TreeSet<>(partitions))) {
      throw new SnapshotException(
          "of the partitions %s out of %d for Pods, followed are %s out of %d"
              .formatted(
                  header.summaries().keySet(),
                  header.podsPartitions(),
                  partitions,
                  log.partitioning().podsPartitions()));
    }
    var now = time.now();
    if (header.confirmed().isAfter(now.plus(SKEW))) {
      throw new SnapshotException(
          "written at %s, which is to come: it is %s".formatted(header.confirmed(), now));
    }
    var oldest = log.completeSince().plus(READING);
    if (header.confirmed().isBefore(oldest)) {
      throw new SnapshotException(
          "too old: of %s, and the log keeps deletions since %s only"
              .formatted(header.confirmed(), log.completeSince()));
    }
    var first = asked(() -> log.startOffsets(partitions));
    var ends = asked(() -> log.endOffsets(partitions));
    for (var partition : partitions) {
      long next = header.position().of(partition);
      if (next > ends.getOrDefault(partition, 0L)) {
        throw new SnapshotException(
            "it ends at %s:%d, but the log at %d: the log was cut off or restored"
                .formatted(partition, next, ends.getOrDefault(partition, 0L)));
      }
      if (next < first.getOrDefault(partition, 0L)) {
        throw new SnapshotException(
            "it ends at %s:%d, but the log begins at %d"
                .formatted(partition, next, first.getOrDefault(partition, 0L)));
      }
    }
    new LastEntries(header.lastEntries()).require();
  }

  /**
   * Looks for the last entries of a snapshot in the log. Offsets alone do not tell a log that lost
   * its end, as after a loss of power or out of a backup, and has grown again since.
   */
  private final class LastEntries implements FollowListener {
    private final SortedMap<LogPartition, EntryMark> wanted;
    private final Map<LogPartition, EntryMark> missing;

    /** What is wrong; empty = nothing. */
    private final CompletableFuture<Optional<String>> verdict = new CompletableFuture<>();

    LastEntries(SortedMap<LogPartition, EntryMark> wanted) {
      this.wanted = wanted;
      this.missing = new TreeMap<>(wanted);
    }

    void require() throws SnapshotException {
      if (wanted.isEmpty()) {
        return;
      }
      var from = new TreeMap<LogPartition, Long>();
      wanted.forEach((partition, mark) -> from.put(partition, mark.offset()));
      try (var _ = log.follow(wanted.keySet(), new Position(log.identity(), from), this)) {
        var wrong = verdict.get(LOG_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
        if (wrong.isPresent()) {
          throw new SnapshotException(wrong.get());
        }
      } catch (TimeoutException | ExecutionException e) {
        throw new SnapshotException("its last entries cannot be looked for in the log", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new SnapshotException("interrupted", e);
      }
    }

    @Override
    public void onEntries(List<LogEntry> entries, Position applied) {
      for (var entry : entries) {
        missing.remove(entry.partition(), new EntryMark(entry.offset(), entry.timestamp()));
      }
      for (var mark : missing.entrySet()) {
        if (applied.of(mark.getKey()) > mark.getValue().offset()) {
          verdict.complete(
              Optional.of(
                  "the log does not have the entry %s:%d of %s any more: it was cut off or restored"
                      .formatted(
                          mark.getKey(), mark.getValue().offset(), mark.getValue().timestamp())));
        }
      }
      if (missing.isEmpty()) {
        verdict.complete(Optional.empty());
      }
    }

    @Override
    public void onConnection(Connection state) {
      // it goes on trying
    }

    @Override
    public void onFault(Throwable cause) {
      verdict.complete(Optional.of("the log cannot be read at its end: " + cause));
    }
  }

  private static Map<LogPartition, Long> asked(Supplier<Map<LogPartition, Long>> question)
      throws SnapshotException {
    try {
      return question.get();
    } catch (GatewayException e) {
      throw new SnapshotException("the log cannot be asked how far it goes: " + e.getMessage(), e);
    }
  }

  // --- writing

  /**
   * Begins to write what the loader has, every interval and at {@link #close}, which must come
   * before the loader's.
   *
   * @param entries to be kept besides, those behind the image do not matter; each partition's in
   *     order
   */
  public void keep(Loader loader, Supplier<List<RawEntry>> entries) {
    settings.ifPresent(given -> {
      var writer =
          Thread.ofPlatform()
              .name("snapshot")
              .daemon()
              .unstarted(() -> writeOn(given, loader, entries));
      thread = Optional.of(writer);
      writer.start();
    });
  }

  private void writeOn(Settings given, Loader loader, Supplier<List<RawEntry>> entries) {
    try {
      boolean last = false;
      while (!last) {
        boolean _ = wake.tryAcquire(given.interval().toNanos(), TimeUnit.NANOSECONDS);
        last = closed;
        write(given, loader, entries);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(Settings given, Loader loader, Supplier<List<RawEntry>> entries) {
    var file = given.file();
    long fromNanos = time.nanoTime();
    boolean away = loader.connection() != FollowListener.Connection.CONNECTED;
    if (closed ? away : !loader.synced()) {
      return; // nobody to ask how far the log goes, and no time to wait; or not worth keeping yet
    }
    try {
      var confirmed = time.now(); // before the log is asked for its end, which is in the image then
      var snapshot = loader.barrier(closed ? LAST_LOG_LIMIT : LOG_LIMIT);
      if (last.equals(Optional.of(snapshot.position())) && !stale(file, confirmed)) {
        return;
      }
      if (!write(
          given,
          header(snapshot, loader.lastEntries(), confirmed),
          snapshot.image(),
          entries.get())) {
        LOG.atInfo()
            .addKeyValue("event", "snapshot.given.up")
            .addKeyValue("file", file)
            .log("Snapshot not finished before the end, the one before stays");
        return;
      }
      last = Optional.of(snapshot.position());
      written.increment();
      bytes = Files.size(file);
      LOG.atInfo()
          .addKeyValue("event", "snapshot.written")
          .addKeyValue("file", file)
          .addKeyValue("position", snapshot.position())
          .addKeyValue("bytes", bytes)
          .addKeyValue("took", Duration.ofNanos(time.nanoTime() - fromNanos).toMillis() + "ms")
          .log("Snapshot written");
    } catch (IOException | RuntimeException e) { // the log is away, the disk is full...
      failures.increment();
      LOG.atWarn()
          .addKeyValue("event", "snapshot.failed")
          .addKeyValue("file", file)
          .addKeyValue("cause", e.toString())
          .log("Snapshot not written, the one before stays");
    }
  }

  /** Nothing new, but in a quiet log the file has to stay younger than the window. */
  private boolean stale(Path file, Instant now) {
    try {
      return Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(Duration.ofHours(1)));
    } catch (IOException _) {
      return true; // somebody removed it
    }
  }

  private SnapshotHeader header(
      Snapshot snapshot, SortedMap<LogPartition, EntryMark> lastEntries, Instant confirmed) {
    var summaries = new TreeMap<LogPartition, ClusterImage.Summary>();
    for (var partition : partitions) {
      summaries.put(
          partition,
          snapshot.image().summaries().getOrDefault(partition, ClusterImage.Summary.NONE));
    }
    return new SnapshotHeader(
        EventCodec.version(),
        snapshot.position(),
        confirmed,
        log.partitioning().podsPartitions(),
        summaries,
        lastEntries);
  }

  private boolean write(
      Settings given, SnapshotHeader header, ClusterImage image, List<RawEntry> entries)
      throws IOException {
    var directory = given.directory();
    Files.createDirectories(directory);
    var file = given.file();
    var fresh = directory.resolve(given.name() + ".new");
    Files.deleteIfExists(fresh); // of a writer that died
    try {
      try (var channel =
          FileChannel.open(
              fresh,
              EnumSet.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
              OWNER_ONLY)) {
        if (!SnapshotFile.write(
            new Bounded(Channels.newOutputStream(channel)), header, image, entries, this::inTime)) {
          return false;
        }
        channel.force(true);
      }
      points.reached(FaultPoint.SNAPSHOT_WRITTEN);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      points.reached(FaultPoint.SNAPSHOT_RENAMED);
      try (var names = FileChannel.open(directory, StandardOpenOption.READ)) {
        names.force(true); // the rename is durable only then
      }
      return true;
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private boolean inTime() {
    return !closed || time.nanoTime() - lastWriteDeadlineNanos < 0;
  }

  /** Ends what grows beyond the limit. */
  private static final class Bounded extends FilterOutputStream {
    private long left = MOST_BYTES;

    Bounded(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int octet) throws IOException {
      take(1);
      out.write(octet);
    }

    @Override
    public void write(byte[] octets, int from, int length) throws IOException {
      take(length);
      out.write(octets, from, length);
    }

    private void take(int octets) throws IOException {
      left -= octets;
      if (left < 0) {
        throw new IOException("the image takes more than " + MOST_BYTES + " bytes");
      }
    }
  }

  /** Takes a figure up whose value is looked at when somebody asks. */
  @FunctionalInterface
  public interface Figure {
    void add(String what, String help, DoubleSupplier value);
  }

  /** What the start took, and what was written since. */
  public void figures(Loader loader, Figure gauge, Figure counter) {
    startFigures(() -> Optional.of(loader), gauge);
    writeFigures(() -> Optional.of(this), gauge, counter);
  }

  /**
   * What the start took; 0 until it is over.
   *
   * @param loader empty while there is none yet
   */
  public static void startFigures(Supplier<Optional<Loader>> loader, Figure gauge) {
    gauge.add(
        "start_seconds",
        "From the begin of the reading, of a snapshot first, until the image had caught up.",
        () ->
            loader
                .get()
                .flatMap(Loader::ready)
                .map(ready -> ready.took().toNanos() / 1e9)
                .orElse(0.0));
    gauge.add(
        "start_entries",
        "Entries of the log that were read until then.",
        () ->
            loader.get().flatMap(Loader::ready).map(ready -> (double) ready.entries()).orElse(0.0));
    gauge.add(
        "start_from_snapshot",
        "1 where the image was read from a snapshot, 0 where from the log alone.",
        () -> loader.get().filter(l -> l.begun() == Loader.Begun.SNAPSHOT).isPresent() ? 1 : 0);
  }

  /**
   * How many digests are kept, and the feature level.
   *
   * @param loader empty while there is none yet
   */
  public static void digestFigures(Supplier<Optional<Loader>> loader, Figure gauge) {
    gauge.add(
        "digests",
        "Digests that are kept, of every thousandth offset of each partition.",
        () ->
            loader
                .get()
                .map(l -> l.digests().values().stream().mapToDouble(m -> m.digests().size()).sum())
                .orElse(0.0));
    gauge.add(
        "feature_level",
        "Feature level of the log as far as it was read; 0 while nothing was.",
        () -> loader.get().map(l -> (double) l.current().image().featureLevel()).orElse(0.0));
  }

  /**
   * What was written since the start.
   *
   * @param snapshots empty while there are none yet
   */
  public static void writeFigures(
      Supplier<Optional<Snapshots>> snapshots, Figure gauge, Figure counter) {
    gauge.add(
        "snapshot_bytes",
        "Size of the last snapshot that was written.",
        () -> snapshots.get().map(s -> (double) s.bytes).orElse(0.0));
    counter.add(
        "snapshots_written",
        "Snapshots of the image put on disk.",
        () -> snapshots.get().map(s -> s.written.doubleValue()).orElse(0.0));
    counter.add(
        "snapshot_failures",
        "Snapshots that could not be written; the one before stays.",
        () -> snapshots.get().map(s -> s.failures.doubleValue()).orElse(0.0));
  }

  /** Writes a last one, if that takes seconds only. */
  @Override
  public void close() {
    lastWriteDeadlineNanos = time.nanoTime() + LAST_WRITE_LIMIT.toNanos();
    closed = true;
    wake.release();
    if (thread.isPresent()) {
      try {
        if (!thread.get().join(CLOSE_LIMIT)) {
          LOG.atWarn().addKeyValue("event", "snapshot.late").log("Snapshot takes too long");
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
