package io.fairlead.agent.probe;

import io.fairlead.core.run.Time;
import java.net.SocketTimeoutException;
import java.time.Duration;

/** By when a probe must be done. */
record Deadline(Time time, long atNanos) {
  static Deadline in(Time time, Duration timeout) {
    return new Deadline(time, time.nanoTime() + timeout.toNanos());
  }

  boolean isOver() {
    return time.nanoTime() - atNanos >= 0;
  }

  /** Waits for it. */
  void await() throws InterruptedException {
    time.sleep(Duration.ofNanos(Math.max(0, atNanos - time.nanoTime())));
  }

  /**
   * What is left, for socket options: at least 1.
   *
   * @throws SocketTimeoutException nothing is
   */
  int leftMillis() throws SocketTimeoutException {
    long left = atNanos - time.nanoTime();
    if (left <= 0) {
      throw new SocketTimeoutException("time is up");
    }
    return Math.clamp(left / 1_000_000, 1, Integer.MAX_VALUE);
  }
}
