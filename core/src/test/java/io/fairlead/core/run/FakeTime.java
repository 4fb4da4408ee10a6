package io.fairlead.core.run;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Time that stands still until it is advanced. Thread-safe; sleepers wake in {@link #advance}. */
public final class FakeTime implements Time {
  public static final Instant START = Instant.parse("2026-11-01T12:00:00Z");

  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition advanced = lock.newCondition();
  private Duration elapsed = Duration.ZERO;
  private Duration wallJump = Duration.ZERO;

  /**
   * When each thread in {@link #sleep} wants to wake; those that are due but do not run yet too.
   */
  private final List<Duration> wakings = new ArrayList<>();

  @Override
  public Instant now() {
    lock.lock();
    try {
      return START.plus(elapsed).plus(wallJump);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long nanoTime() {
    lock.lock();
    try {
      return elapsed.toNanos();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void sleep(Duration duration) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      var until = elapsed.plus(duration);
      wakings.add(until);
      try {
        while (elapsed.compareTo(until) < 0) {
          advanced.await();
        }
      } finally {
        wakings.remove(until);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Moves both clocks on and wakes whoever slept long enough. */
  public void advance(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("monotonic time does not go back by " + duration);
    }
    lock.lock();
    try {
      elapsed = elapsed.plus(duration);
      advanced.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Moves wall time only, as an operator or NTP does; may be negative. */
  public void jumpWallClock(Duration by) {
    lock.lock();
    try {
      wallJump = wallJump.plus(by);
    } finally {
      lock.unlock();
    }
  }

  /**
   * How many threads sleep now: a test waits for them before it advances. One whose time has come
   * is not among them, even before it was given the processor: so after {@link #advance} this waits
   * for what it did and its next sleep.
   */
  public int sleepers() {
    lock.lock();
    try {
      return (int) wakings.stream().filter(until -> elapsed.compareTo(until) < 0).count();
    } finally {
      lock.unlock();
    }
  }
}
