package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.model.ObjectName;
import io.fairlead.eventlog.load.Snapshot;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * One stream: its thread compares what it told last with the newest image, for the keys that were
 * noted. So a slow reader misses states in between, and what waits for it is a set of keys, never
 * more than what there is and a constant.
 *
 * <p>Soft; owned by its virtual thread, but for the noted keys.
 */
final class Watcher<S, M> {
  /** Beyond that many noted keys, all keys count as noted: names that come and go cost nothing. */
  static final int MOST_NOTED = 10_000;

  private static final int AT_ONCE = 256;

  private final Subject<S, M> subject;
  private final ServerCallStreamObserver<M> replies;
  private final Supplier<Snapshot> newest;
  private final LongAdder sent;
  private final LongAdder conflated;
  private final Semaphore wake = new Semaphore(0);

  /** What the caller was told last, by key and name. */
  private final Map<ObjectName, Map<String, S>> told = new HashMap<>();

  /** Guards {@link #noted} and {@link #overrun}. */
  private final ReentrantLock lock = new ReentrantLock();

  private final SequencedSet<ObjectName> noted = new LinkedHashSet<>();
  private boolean overrun;

  /** Why it ends; only the lock's holder sets it. */
  private volatile Optional<StatusRuntimeException> end = Optional.empty();

  Watcher(
      Subject<S, M> subject,
      ServerCallStreamObserver<M> replies,
      Supplier<Snapshot> newest,
      LongAdder sent,
      LongAdder conflated) {
    this.subject = subject;
    this.replies = replies;
    this.newest = newest;
    this.sent = sent;
    this.conflated = conflated;
    replies.setOnReadyHandler(wake::release);
    replies.setOnCancelHandler(() -> end(Watches.gone()));
  }

  WatchedKind kind() {
    return subject.kind();
  }

  void start(Runnable whenDone) {
    Thread.ofVirtual().name("watch-" + subject.kind()).start(() -> run(whenDone));
  }

  /** Called on the loader's thread. */
  void note(Collection<ObjectName> keys) {
    if (keys.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      for (var key : keys) {
        if (overrun || !noted.add(key)) {
          conflated.increment();
        }
      }
      if (noted.size() > MOST_NOTED) {
        noted.clear();
        overrun = true;
      }
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  /** The first reason counts. */
  void end(StatusRuntimeException why) {
    lock.lock();
    try {
      if (end.isEmpty()) {
        end = Optional.of(why);
      }
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  private void run(Runnable whenDone) {
    try {
      tellAll();
      while (awaitReady()) {
        var keys = take();
        if (keys.isEmpty()) {
          wake.acquire();
          wake.drainPermits(); // before the next look, so that nothing is missed
        }
        tell(keys);
      }
    } catch (InterruptedException _) {
      end(Errors.shuttingDown());
    } catch (RuntimeException e) {
      end(Errors.of(e));
    } finally {
      whenDone.run();
      end.filter(why -> why.getStatus().getCode() != Status.Code.CANCELLED).ifPresent(this::close);
    }
  }

  private void close(StatusRuntimeException why) {
    try {
      replies.onError(why);
    } catch (RuntimeException _) {
      // the caller went away meanwhile
    }
  }

  private void tellAll() throws InterruptedException {
    var first = newest.get();
    if (tell(subject.all(first.image())) && awaitReady()) {
      send(subject.synced(first.position()));
    }
  }

  /** Whether there is still somebody to tell. */
  private boolean tell(Collection<ObjectName> keys) throws InterruptedException {
    for (var key : keys) {
      if (!awaitReady()) {
        return false;
      }
      compare(key);
    }
    return true;
  }

  /** Waits until the caller takes something; false when the stream ends. */
  private boolean awaitReady() throws InterruptedException {
    while (end.isEmpty()) {
      if (replies.isReady()) {
        return true;
      }
      wake.acquire();
      wake.drainPermits();
    }
    return false;
  }

  private Collection<ObjectName> take() {
    boolean everything;
    lock.lock();
    try {
      everything = overrun;
      overrun = false;
    } finally {
      lock.unlock();
    }
    if (everything) {
      var all = new TreeSet<>(told.keySet());
      all.addAll(subject.all(newest.get().image()));
      return all;
    }
    return takeNoted();
  }

  private List<ObjectName> takeNoted() {
    lock.lock();
    try {
      var keys = new ArrayList<ObjectName>();
      while (!noted.isEmpty() && keys.size() < AT_ONCE) {
        keys.add(noted.removeFirst());
      }
      return keys;
    } finally {
      lock.unlock();
    }
  }

  private void compare(ObjectName key) {
    var before = told.getOrDefault(key, Map.of());
    var after = subject.at(newest.get().image(), key);
    if (after.isEmpty()) {
      told.remove(key);
    } else {
      told.put(key, after);
    }
    before.forEach((name, object) -> {
      var still = Optional.ofNullable(after.get(name));
      if (still.filter(now -> subject.identity(now).equals(subject.identity(object))).isEmpty()) {
        send(subject.deleted(object));
      }
    });
    after.forEach((name, object) -> {
      var old =
          Optional.ofNullable(before.get(name))
              .filter(was -> subject.identity(was).equals(subject.identity(object)));
      if (old.isEmpty()) {
        send(subject.added(object));
      } else if (!old.get().equals(object)) {
        send(subject.modified(object));
      }
    });
  }

  private void send(M message) {
    replies.onNext(message);
    sent.increment();
  }
}
