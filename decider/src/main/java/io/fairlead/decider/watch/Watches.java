package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import io.fairlead.eventlog.load.Snapshot;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Everybody who watches something of this replica. The loader's thread only notes keys, so that
 * nobody who reads slowly holds it back; each watcher has a virtual thread that writes. Soft: a
 * caller whose replica ends goes on at another one, from the position that it was told last.
 */
public final class Watches implements Publisher, AutoCloseable {
  /** Of one replica, all kinds together. */
  public static final int MOST = 1024;

  /** So much of the history passes at most before a quiet watch cannot be resumed any more. */
  private static final Duration BOOKMARK_AFTER = Duration.ofSeconds(10);

  private final Set<Watcher<?, ?>> watchers = ConcurrentHashMap.newKeySet();
  private final AtomicInteger open = new AtomicInteger();
  private final LongAdder sent = new LongAdder();
  private final LongAdder conflated = new LongAdder();
  private final int most;
  private final History history;
  private final Time time;
  private final Duration bookmarkAfter;
  private volatile Snapshot current;
  private volatile Position noted;
  private volatile boolean closed;

  /**
   * Without watchers yet.
   *
   * @param history told of each step of the image before this is
   */
  public Watches(LogIdentity log, History history, Time time) {
    this(log, history, time, MOST, BOOKMARK_AFTER);
  }

  Watches(LogIdentity log, History history, Time time, int most, Duration bookmarkAfter) {
    this.current = new Snapshot(ClusterImage.EMPTY, Position.start(log));
    this.noted = current.position();
    this.history = history;
    this.time = time;
    this.most = most;
    this.bookmarkAfter = bookmarkAfter;
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    current = new Snapshot(image, manifest.position()); // before anybody looks because of its keys
    if (!delta.isEmpty() && !watchers.isEmpty()) {
      Map<WatchedKind, Set<ObjectName>> touched = new EnumMap<>(WatchedKind.class);
      for (var watcher : watchers) {
        watcher.note(
            touched.computeIfAbsent(watcher.kind(), kind -> kind.touched(delta, image)),
            manifest.position());
      }
    }
    noted = manifest.position(); // only now: whoever sees it finds the keys
  }

  /**
   * Tells a caller everything, or what differs from a position, then that this was all, then what
   * changes, until it goes away; POSITION_TOO_OLD where it is not known what differs. To be called
   * from the handler of the call; returns at once.
   *
   * @param from of this log, and not ahead of this replica
   * @throws StatusRuntimeException LIMIT_REACHED, SHUTTING_DOWN
   */
  public <S, M> void open(
      Subject<S, M> subject, Optional<Position> from, StreamObserver<M> replies) {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      throw Errors.limitReached("at most " + most + " watches of one replica");
    }
    var watcher =
        new Watcher<>(
            subject, (ServerCallStreamObserver<M>) replies, new Source(), from, sent, conflated);
    watchers.add(watcher); // from here on it notes what changes; only then it reads what there is
    if (closed) {
      watcher.end(Errors.shuttingDown());
    }
    watcher.start(() -> {
      watchers.remove(watcher);
      open.decrementAndGet();
    });
  }

  private final class Source implements Watcher.Source {
    @Override
    public Snapshot newest() {
      return current;
    }

    @Override
    public Position noted() {
      return noted;
    }

    @Override
    public History history() {
      return history;
    }

    @Override
    public Time time() {
      return time;
    }

    @Override
    public Duration bookmarkAfter() {
      return bookmarkAfter;
    }
  }

  /** How many watch. */
  public int size() {
    return open.get();
  }

  /** Messages sent. */
  public long sent() {
    return sent.sum();
  }

  /** Changes that were told together with a later one of the same object. */
  public long conflated() {
    return conflated.sum();
  }

  /** Ends every watch with UNAVAILABLE, and those that come. */
  @Override
  public void close() {
    closed = true;
    watchers.forEach(watcher -> watcher.end(Errors.shuttingDown()));
  }

  /** Of a caller that went away; never sent. */
  static StatusRuntimeException gone() {
    return Status.CANCELLED.asRuntimeException();
  }
}
