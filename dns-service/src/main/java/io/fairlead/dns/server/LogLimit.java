package io.fairlead.dns.server;

import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lets one message through in each period, so that a fault that each packet meets does not fill the
 * log. Thread-safe.
 */
final class LogLimit {
  private final Time time;
  private final long periodNanos;
  private final AtomicLong nextNanos;
  private final AtomicLong kept = new AtomicLong();

  LogLimit(Time time, Duration period) {
    this.time = time;
    this.periodNanos = period.toNanos();
    this.nextNanos = new AtomicLong(time.nanoTime());
  }

  /** How many were kept back since the last one, where this one is to be logged; else empty. */
  OptionalLong pass() {
    long now = time.nanoTime();
    long next = nextNanos.get();
    if (now - next < 0 || !nextNanos.compareAndSet(next, now + periodNanos)) {
      kept.incrementAndGet();
      return OptionalLong.empty();
    }
    return OptionalLong.of(kept.getAndSet(0));
  }
}
