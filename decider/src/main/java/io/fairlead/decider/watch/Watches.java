package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import io.fairlead.eventlog.load.Snapshot;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Everybody who watches something of this replica. The loader's thread only notes keys, so that
 * nobody who reads slowly holds it back; each watcher has a virtual thread that writes. Soft: a
 * caller whose replica ends watches at another one, from the beginning.
 */
public final class Watches implements Publisher, AutoCloseable {
  /** Of one replica, all kinds together. */
  public static final int MOST = 1024;

  private final Set<Watcher<?, ?>> watchers = ConcurrentHashMap.newKeySet();
  private final AtomicInteger open = new AtomicInteger();
  private final LongAdder sent = new LongAdder();
  private final LongAdder conflated = new LongAdder();
  private final int most;
  private volatile Snapshot current;
  private volatile boolean closed;

  /** Without watchers yet. */
  public Watches(LogIdentity log) {
    this(log, MOST);
  }

  Watches(LogIdentity log, int most) {
    this.current = new Snapshot(ClusterImage.EMPTY, Position.start(log));
    this.most = most;
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    current = new Snapshot(image, manifest.position()); // before anybody looks because of its keys
    if (delta.isEmpty() || watchers.isEmpty()) {
      return;
    }
    Map<WatchedKind, Set<ObjectName>> touched = new EnumMap<>(WatchedKind.class);
    for (var watcher : watchers) {
      watcher.note(touched.computeIfAbsent(watcher.kind(), kind -> kind.touched(delta, image)));
    }
  }

  /**
   * Tells a caller everything, then that this was all, then what changes, until it goes away. To be
   * called from the handler of the call; returns at once.
   *
   * @throws StatusRuntimeException LIMIT_REACHED, SHUTTING_DOWN
   */
  public <S, M> void open(Subject<S, M> subject, StreamObserver<M> replies) {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      throw Errors.limitReached("at most " + most + " watches of one replica");
    }
    var watcher =
        new Watcher<>(
            subject, (ServerCallStreamObserver<M>) replies, () -> current, sent, conflated);
    watchers.add(watcher); // from here on it notes what changes; only then it reads what there is
    if (closed) {
      watcher.end(Errors.shuttingDown());
    }
    watcher.start(() -> {
      watchers.remove(watcher);
      open.decrementAndGet();
    });
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
