package io.fairlead.core.run;

import java.time.Duration;
import java.time.Instant;

/**
 * The only source of time. Wall time is for people and records; monotonic time is for everything
 * that is measured or awaited.
 */
public interface Time {
  /** Wall time; may jump. */
  Instant now();

  /**
   * Nanoseconds from an arbitrary origin that has nothing to do with {@link #now}. Never goes back.
   */
  long nanoTime();

  /** Blocks the calling thread. */
  void sleep(Duration duration) throws InterruptedException;

  static Time system() {
    return SystemTime.INSTANCE;
  }
}
