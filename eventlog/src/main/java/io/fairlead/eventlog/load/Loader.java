package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.DigestTrail;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.eventlog.log.Follower;
import io.fairlead.eventlog.log.ForeignLogException;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From the log to the image: follower, delta, image, publishers; the only way into the image. What
 * it holds is derived and rebuilt by reading. Works on the follower's thread; everything public may
 * be called from any thread but that.
 */
public final class Loader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Loader.class);
  private static final Duration RETRY = Duration.ofMillis(200);

  /** More than clocks of brokers and replicas differ by, when it counts what may be compacted. */
  public static final Duration SKEW = Duration.ofHours(1);

  private final EventLog log;
  private final List<LogPartition> partitions;
  private final List<Publisher> publishers;
  private final FaultHandler faults;
  private final FeatureLevels levels;
  private final Time time;
  private final long startedNanos;
  private final Begun begun;
  private final DigestTrail digests;
  private final Waiters waiters;
  private final CompletableFuture<Boolean> closed = new CompletableFuture<>();
  private volatile FollowListener.Connection connection = FollowListener.Connection.LOST;
  private volatile boolean synced;
  private volatile Optional<Ready> ready = Optional.empty();
  private volatile long entries;
  private volatile SortedMap<LogPartition, EntryMark> lastEntries;
  private volatile Optional<Throwable> fault = Optional.empty();
  private volatile Optional<Follower> follower = Optional.empty();

  /** What the image began with. */
  public enum Begun {
    /** Its start. */
    LOG,
    SNAPSHOT
  }

  /**
   * That the image has caught up once.
   *
   * @param took since it began, the reading of a snapshot included
   * @param entries of the log that were applied until then
   */
  public record Ready(Duration took, long entries) {}

  private Loader(
      EventLog log,
      Collection<LogPartition> partitions,
      List<Publisher> publishers,
      FaultHandler faults,
      Time time,
      Optional<Restored> restored,
      FeatureLevels levels) {
    this.log = log;
    this.levels = levels;
    this.partitions = List.copyOf(partitions);
    this.publishers = List.copyOf(publishers);
    this.faults = faults;
    this.time = time;
    this.startedNanos = time.nanoTime() - restored.map(from -> from.took().toNanos()).orElse(0L);
    this.lastEntries = restored.map(Restored::lastEntries).orElseGet(TreeMap::new);
    this.begun = restored.map(from -> Begun.SNAPSHOT).orElse(Begun.LOG);
    this.digests = new DigestTrail(DigestTrail.KEPT, () -> log.completeSince().plus(SKEW));
    restored.ifPresent(from -> digests.begin(from.position()));
    this.waiters =
        new Waiters(
            restored
                .map(from -> new Snapshot(from.delta().apply(), from.position()))
                .orElseGet(() -> new Snapshot(ClusterImage.EMPTY, Position.start(log.identity()))));
  }

  /**
   * Begins to read from the start of the log. Returns at once.
   *
   * @param publishers told in this order
   * @param faults told once, when the image cannot be kept up to date any more
   */
  public static Loader start(
      EventLog log,
      Collection<LogPartition> partitions,
      List<Publisher> publishers,
      FaultHandler faults,
      Time time) {
    return start(log, partitions, publishers, faults, time, Optional.empty());
  }

  /**
   * As {@link #start(EventLog, Collection, List, FaultHandler, Time)}, but where an image was kept
   * from there on, when all publishers were told of it.
   */
  public static Loader start(
      EventLog log,
      Collection<LogPartition> partitions,
      List<Publisher> publishers,
      FaultHandler faults,
      Time time,
      Optional<Restored> restored) {
    return start(log, partitions, publishers, faults, time, restored, FeatureLevels.CURRENT);
  }

  /**
   * Likewise.
   *
   * @param levels that are supported: a log of a higher one is a fault, before anything that comes
   *     with it is in the image
   * @throws io.fairlead.core.record.UnsupportedFeatureLevelException the image that was kept is of
   *     a higher one
   */
  public static Loader start(
      EventLog log,
      Collection<LogPartition> partitions,
      List<Publisher> publishers,
      FaultHandler faults,
      Time time,
      Optional<Restored> restored,
      FeatureLevels levels) {
    restored.ifPresent(from -> {
      var image = from.delta().apply();
      levels.check(image.featureLevel());
      publishers.forEach(publisher -> publisher.onStart(from.delta(), image, from.position()));
    });
    var loader = new Loader(log, partitions, publishers, faults, time, restored, levels);
    loader.follower =
        Optional.of(log.follow(partitions, loader.current().position(), loader.new Listener()));
    Thread.ofVirtual().name("loader-sync").start(loader::awaitSynced);
    return loader;
  }

  /** What is followed here. */
  public List<LogPartition> partitions() {
    return partitions;
  }

  /** Which objects are in which of them. */
  public Partitioning partitioning() {
    return log.partitioning();
  }

  /** The newest image that all publishers were told of. */
  public Snapshot current() {
    return waiters.current();
  }

  /**
   * Completes on the loader's thread, or is complete, when everything before these offsets is
   * applied; with {@link GatewayException} KNOWN_FAILED when it never will be here. Cancel it when
   * nobody waits any more.
   */
  public CompletableFuture<Snapshot> applied(Map<LogPartition, Long> nextOffsets) {
    return waiters.await(nextOffsets);
  }

  /**
   * The image after everything that the log holds now. Blocks.
   *
   * @throws GatewayException KNOWN_FAILED: the log cannot be reached, its end is not applied within
   *     {@code timeout}, or the image is frozen
   */
  public Snapshot barrier(Duration timeout) {
    long deadline = time.nanoTime() + timeout.toNanos();
    var ends = log.endOffsets(partitions);
    var reached = applied(ends);
    try {
      return reached.get(Math.max(0, deadline - time.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      reached.cancel(false);
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "the image is behind the log after %d ms: applied is %s, the end is %s (connection %s)"
              .formatted(timeout.toMillis(), current().position().offsets(), ends, connection),
          e);
    } catch (ExecutionException e) {
      var cause = e.getCause() == null ? e : e.getCause();
      throw new GatewayException(
          Outcome.KNOWN_FAILED, Optional.ofNullable(cause.getMessage()).orElse("failed"), cause);
    } catch (InterruptedException e) {
      reached.cancel(false);
      Thread.currentThread().interrupt();
      throw new GatewayException(Outcome.KNOWN_FAILED, "interrupted while waiting for the log", e);
    }
  }

  /** Whether the image has once reached what was the end of the log at the start. */
  public boolean synced() {
    return synced;
  }

  /** What it began with. */
  public Begun begun() {
    return begun;
  }

  /** Empty until {@link #synced}. */
  public Optional<Ready> ready() {
    return ready;
  }

  /** Whether the log is reached now; LOST before it was for the first time. */
  public FollowListener.Connection connection() {
    return connection;
  }

  /** Why the image is frozen, where it is. */
  public Optional<Throwable> fault() {
    return fault;
  }

  /** Number of entries that were applied. */
  public long entries() {
    return entries;
  }

  /** Of the partitions that have any, the last entry that was applied; perhaps also later ones. */
  public SortedMap<LogPartition, EntryMark> lastEntries() {
    return lastEntries;
  }

  /** Of the partitions that have any: their digests at every thousandth offset, the last ones. */
  public SortedMap<LogPartition, DigestMarks> digests() {
    return digests.marks();
  }

  private void awaitSynced() {
    while (!closed.isDone() && fault.isEmpty()) {
      try {
        var ends = log.endOffsets(partitions);
        var _ =
            applied(ends)
                .thenAccept(snapshot -> {
                  var took = Duration.ofNanos(time.nanoTime() - startedNanos);
                  ready = Optional.of(new Ready(took, entries));
                  synced = true;
                  LOG.atInfo()
                      .addKeyValue("event", "image.synced")
                      .addKeyValue("position", snapshot.position())
                      .addKeyValue("entries", entries)
                      .addKeyValue("from", begun.toString().toLowerCase(Locale.ROOT))
                      .addKeyValue("took", took.toMillis() + "ms")
                      .log("Image has caught up with the log");
                });
        return;
      } catch (GatewayException _) {
        // the follower says that the log is lost; ask again
      } catch (ForeignLogException _) {
        return; // the follower finds it too, and faults
      } catch (RuntimeException e) { // a defect; without this answer nobody would ever be synced
        LOG.atWarn().setCause(e).log("The end of the log could not be asked for, trying again");
      }
      try {
        time.sleep(RETRY);
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private final class Listener implements FollowListener {
    private Optional<Position> applying = Optional.empty();
    private long count;

    @Override
    public void onEntries(List<LogEntry> read, Position applied) {
      var before = current();
      applying = Optional.of(applied);
      var delta = new ClusterDelta(before.image());
      read.forEach(this::check); // before anything of the step is looked at
      for (var entry : read) {
        digests.replay(entry, delta);
      }
      var image = delta.apply();
      digests.reached(applied, image);
      var manifest = new Manifest(applied, read);
      for (var publisher : publishers) {
        publisher.onUpdate(delta, image, manifest);
      }
      count += read.size();
      entries = count;
      applying = Optional.empty();
      mark(read);
      waiters.publish(new Snapshot(image, applied));
    }

    private void check(LogEntry entry) {
      if (entry.event() instanceof LogEvent.Stored(FeatureLevel(int level, _), _)) {
        levels.check(level);
      }
    }

    /** Before the image is published: who sees it sees marks that are not older. */
    private void mark(List<LogEntry> read) {
      if (read.isEmpty()) {
        return;
      }
      var latest = new HashMap<LogPartition, LogEntry>();
      for (var entry : read) {
        latest.put(entry.partition(), entry);
      }
      var marks = new TreeMap<>(lastEntries);
      latest.forEach((partition, entry) ->
          marks.put(partition, new EntryMark(entry.offset(), entry.timestamp())));
      lastEntries = Collections.unmodifiableSortedMap(marks);
    }

    @Override
    public void onConnection(Connection state) {
      connection = state;
    }

    @Override
    public void onFault(Throwable cause) {
      fault = Optional.of(cause);
      var at = current().position().offsets();
      waiters.end("the image is frozen at '%s': %s".formatted(at, cause));
      faults.fault(
          applying
              .map(to -> "applying the log from '%s' to '%s'".formatted(at, to.offsets()))
              .orElse("reading the log from '%s'".formatted(at)),
          cause);
    }
  }

  /** Who still waits gets an exception. The last image stays readable. */
  @Override
  public void close() {
    closed.complete(true);
    follower.ifPresent(Follower::close);
    waiters.end("the loader is closed");
  }

  /** For tests: nobody is waited for who gave up. */
  int waiting() {
    return waiters.size();
  }
}
