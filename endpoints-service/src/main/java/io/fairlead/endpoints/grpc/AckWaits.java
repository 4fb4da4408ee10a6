package io.fairlead.endpoints.grpc;

import io.fairlead.api.Errors;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import io.fairlead.endpoints.acks.Acks;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Calls that wait for what nodes acknowledge, each on the thread of its call: looks whenever
 * something is said, tells how far it is now and then, and ends at the caller's deadline at the
 * latest. Thread-safe.
 */
public final class AckWaits implements AutoCloseable {
  static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
  static final Duration LONGEST_TIMEOUT = Duration.ofHours(1);

  /** More calls that wait at once are a mistake of somebody. */
  static final int MOST = 1000;

  /** Between two looks, at most: what changes in the image alone wakes nobody. */
  private static final Duration LOOK = Duration.ofMillis(100);

  /** And at least, so that thousands of nodes do not make thousands of looks. */
  private static final Duration PAUSE = Duration.ofMillis(20);

  /** Between two messages. */
  private static final Duration TELL = Duration.ofMillis(200);

  /** For the last message to arrive before the call's own deadline. */
  private static final Duration LAST = Duration.ofMillis(200);

  private final Acks acks;
  private final FaultPoints points;
  private final Time time;
  private final AtomicInteger running = new AtomicInteger();
  private volatile boolean closed;

  public AckWaits(Acks acks, FaultPoints points, Time time) {
    this.acks = acks;
    this.points = points;
    this.time = time;
  }

  /** How many calls wait, for metrics. */
  public int size() {
    return running.get();
  }

  /** How long the caller wants to wait. */
  static Duration timeout(boolean given, com.google.protobuf.Duration proto) {
    if (!given) {
      return DEFAULT_TIMEOUT;
    }
    // what is beyond the limits of the message is beyond ours, too
    boolean allowed =
        proto.getSeconds() >= 0
            && proto.getNanos() >= 0
            && proto.getSeconds() <= LONGEST_TIMEOUT.toSeconds();
    var timeout = allowed ? Duration.ofSeconds(proto.getSeconds(), proto.getNanos()) : LAST;
    if (!allowed || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
      throw Errors.invalid("timeout", Reason.INVALID, "must be from 0 to 1 h");
    }
    return timeout;
  }

  /** A look: what to tell, and whether there is nothing more to wait for. */
  record Look<M>(M message, boolean over) {}

  /**
   * Looks until it is over or the time is; the last message is told in any case.
   *
   * @param look given whether it is the last one that there is time for
   * @param last the message as the last one
   */
  <M> void run(
      Duration timeout,
      StreamObserver<M> replies,
      Function<Boolean, Look<M>> look,
      Function<M, M> last) {
    var call = (ServerCallStreamObserver<M>) replies;
    if (running.incrementAndGet() > MOST) {
      running.decrementAndGet();
      throw Errors.limitReached("calls that wait for nodes, " + MOST);
    }
    try {
      long endNanos = time.nanoTime() + atMost(timeout).toNanos();
      var told = Optional.<M>empty();
      long tellNanos = time.nanoTime();
      while (true) {
        if (closed) {
          throw Errors.shuttingDown();
        }
        if (call.isCancelled()) {
          return;
        }
        long seen = acks.changes();
        boolean late = time.nanoTime() - endNanos >= 0;
        var now = look.apply(late);
        if (now.over() || late) {
          points.reached(FaultPoint.WAIT_ANSWERING);
          call.onNext(last.apply(now.message()));
          call.onCompleted();
          return;
        }
        // who takes nothing gets the last word alone: what waits for him would pile up here
        if (call.isReady()
            && !told.equals(Optional.of(now.message()))
            && (told.isEmpty() || time.nanoTime() - tellNanos >= 0)) {
          call.onNext(now.message());
          told = Optional.of(now.message());
          tellNanos = time.nanoTime() + TELL.toNanos();
        }
        var left = Duration.ofNanos(Math.max(1, endNanos - time.nanoTime()));
        acks.awaitChange(seen, left.compareTo(LOOK) < 0 ? left : LOOK);
        time.sleep(PAUSE);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    } finally {
      running.decrementAndGet();
    }
  }

  private static Duration atMost(Duration timeout) {
    var deadline = Context.current().getDeadline();
    if (deadline == null) {
      return timeout;
    }
    var left = Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS)).minus(LAST);
    return left.compareTo(timeout) < 0 ? left : timeout;
  }

  /** Ends all; callers try another replica. */
  @Override
  public void close() {
    closed = true;
    acks.nudge();
  }
}
