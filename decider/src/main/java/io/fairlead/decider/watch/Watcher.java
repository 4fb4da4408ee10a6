package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.load.Snapshot;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

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
  private final Source source;
  private final Optional<Position> from;
  private final LongAdder sent;
  private final LongAdder conflated;
  private final Semaphore wake = new Semaphore(0);

  /** What the caller was told last, by key and name. */
  private final Map<ObjectName, Map<String, S>> told = new HashMap<>();

  /** Where a watch can go on that was told what this one was; empty = nowhere. */
  private Optional<Position> resume = Optional.empty();

  /** What will be told next, once it is known whether it is the last that its position covers. */
  private Optional<Told<S>> held = Optional.empty();

  /** The last position that the caller was told, and when it was told anything. */
  private Optional<Position> said = Optional.empty();

  private long saidNanos;

  /** Guards the three fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final SequencedSet<ObjectName> noted = new LinkedHashSet<>();
  private boolean overrun;
  private Optional<Position> notedUpTo = Optional.empty();

  /** Why it ends; only the lock's holder sets it. */
  private volatile Optional<StatusRuntimeException> end = Optional.empty();

  /** The replica's side of it. */
  interface Source {
    Snapshot newest();

    /** How far everything that changed was noted; never ahead of {@link #newest}. */
    Position noted();

    History history();

    Time time();

    /** How long nothing is told before a position is. */
    Duration bookmarkAfter();
  }

  /**
   * @param from where the caller has been; empty = it knows nothing
   */
  Watcher(
      Subject<S, M> subject,
      ServerCallStreamObserver<M> replies,
      Source source,
      Optional<Position> from,
      LongAdder sent,
      LongAdder conflated) {
    this.subject = subject;
    this.replies = replies;
    this.source = source;
    this.from = from;
    this.sent = sent;
    this.conflated = conflated;
    this.saidNanos = source.time().nanoTime();
    replies.setOnReadyHandler(wake::release);
    replies.setOnCancelHandler(() -> end(Watches.gone()));
  }

  WatchedKind kind() {
    return subject.kind();
  }

  void start(Runnable whenDone) {
    Thread.ofVirtual().name("watch-" + subject.kind()).start(() -> run(whenDone));
  }

  /**
   * Called on the loader's thread.
   *
   * @param position after the step that touched them, if any
   */
  void note(Collection<ObjectName> keys, Position position) {
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
      notedUpTo = Optional.of(position);
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
      begin();
      while (awaitReady()) {
        var batch = take();
        if (batch.keys().isEmpty()) {
          reached(batch.upTo());
          awaitMore();
        } else if (tell(batch.keys())) {
          reached(batch.upTo());
        }
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

  private void begin() throws InterruptedException {
    Position known;
    Collection<ObjectName> keys;
    if (from.isPresent()) {
      var then = source.history().at(from.get());
      for (var key : subject.all(then.image())) {
        var object = subject.at(then.image(), key);
        if (!object.isEmpty()) {
          told.put(key, object);
        }
      }
      resume = from;
      keys = subject.kind().touchedSince(then);
      // What came and went: a stream that broke off may have told that it came, without its
      // position
      for (var key : subject.kind().touched(then.went(), then.wentImage())) {
        var was = subject.at(then.wentImage(), key);
        if (!was.isEmpty() && subject.at(then.now().image(), key).isEmpty()) {
          told.putIfAbsent(key, was);
        }
      }
      // the history is told of a step before the watches are: it may know more than is told here
      var newest = source.newest().position();
      known = newest.covers(then.now().position()) ? then.now().position() : newest;
    } else {
      var first = source.newest();
      keys = subject.all(first.image());
      known = first.position();
    }
    if (tell(keys) && awaitReady()) {
      flush();
      resume = Optional.of(known);
      send(new Told.Synced<>(known));
      said = resume;
    }
  }

  /** All was told that is known up to there. */
  private void reached(Optional<Position> upTo) {
    upTo.filter(position -> resume.filter(position::covers).isPresent())
        .ifPresent(position -> resume = Optional.of(position));
    flush();
  }

  /** Waits for something to tell; where there is nothing for long, tells how far that is so. */
  private void awaitMore() throws InterruptedException {
    long idle = source.time().nanoTime() - saidNanos;
    long left = source.bookmarkAfter().toNanos() - idle;
    if (resume.isPresent() && !resume.equals(said) && left <= 0) {
      send(new Told.Bookmark<>(resume.get()));
      said = resume;
    } else {
      long wait = left > 0 ? left : source.bookmarkAfter().toNanos();
      var _ = wake.tryAcquire(wait, TimeUnit.NANOSECONDS);
      wake.drainPermits(); // before the next look, so that nothing is missed
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

  /**
   * @param upTo how far all is told with these; empty = there are more
   */
  private record Batch(Collection<ObjectName> keys, Optional<Position> upTo) {}

  private Batch take() {
    var forAll = source.noted(); // before the look: whatever it covers is among the noted
    Position upTo;
    boolean everything;
    var keys = new ArrayList<ObjectName>();
    boolean more;
    lock.lock();
    try {
      everything = overrun;
      overrun = false;
      while (!noted.isEmpty() && keys.size() < AT_ONCE) {
        keys.add(noted.removeFirst());
      }
      more = !noted.isEmpty();
      upTo = notedUpTo.filter(position -> position.covers(forAll)).orElse(forAll);
    } finally {
      lock.unlock();
    }
    if (everything) {
      var all = new TreeSet<>(told.keySet());
      all.addAll(subject.all(source.newest().image()));
      return new Batch(all, Optional.of(upTo)); // noted ones among them
    }
    return new Batch(keys, more ? Optional.empty() : Optional.of(upTo));
  }

  private void compare(ObjectName key) {
    var before = told.getOrDefault(key, Map.of());
    var after = subject.at(source.newest().image(), key);
    if (after.isEmpty()) {
      told.remove(key);
    } else {
      told.put(key, after);
    }
    before.forEach((name, object) -> {
      var still = Optional.ofNullable(after.get(name));
      if (still.filter(now -> subject.identity(now).equals(subject.identity(object))).isEmpty()) {
        tell(new Told.Deleted<>(object));
      }
    });
    after.forEach((name, object) -> {
      var old =
          Optional.ofNullable(before.get(name))
              .filter(was -> subject.identity(was).equals(subject.identity(object)));
      if (old.isEmpty()) {
        tell(new Told.Added<>(object));
      } else if (!old.get().equals(object)) {
        tell(new Told.Modified<>(object));
      }
    });
  }

  private void tell(Told<S> next) {
    flush();
    held = Optional.of(next);
  }

  private void flush() {
    held.ifPresent(this::send);
    held = Optional.empty();
  }

  private void send(Told<S> next) {
    replies.onNext(subject.message(next, resume));
    said = resume;
    saidNanos = source.time().nanoTime();
    sent.increment();
  }
}
