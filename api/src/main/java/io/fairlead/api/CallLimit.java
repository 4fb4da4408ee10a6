package io.fairlead.api;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** So many calls of one kind at a time: each keeps what it has not sent yet. Thread-safe. */
public final class CallLimit {
  private final String what;
  private final int most;
  private final AtomicInteger open = new AtomicInteger();

  /**
   * None is there yet.
   *
   * @param what for people, e.g. {@code readers of objects}
   */
  public CallLimit(String what, int most) {
    this.what = what;
    this.most = most;
  }

  /**
   * One more.
   *
   * @return to be run when it has ended; more often is the same as once
   * @throws io.grpc.StatusRuntimeException LIMIT_REACHED
   */
  public Runnable enter() {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      throw Errors.limitReached(what + ", " + most);
    }
    var left = new AtomicBoolean();
    return () -> {
      if (left.compareAndSet(false, true)) {
        open.decrementAndGet();
      }
    };
  }
}
