package io.fairlead.standalone.plane;

import io.fairlead.core.run.Time;
import io.fairlead.devkit.process.LaunchException;
import java.time.Duration;

/** The wait between two looks at something outside. */
final class Pause {
  private Pause() {}

  /**
   * @throws LaunchException the thread was interrupted, which it still is
   */
  static void of(Duration duration) {
    try {
      Time.system().sleep(duration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LaunchException("interrupted", e);
    }
  }
}
