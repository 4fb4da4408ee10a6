package io.fairlead.cli;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Looks again and again until something is so. */
final class Waiting {
  private static final Duration PAUSE = Duration.ofMillis(200);

  private Waiting() {}

  /** Whether it came to be so within that time; looks at least once. */
  static boolean until(Session session, Duration patience, BooleanSupplier isSo) {
    long end = session.time().nanoTime() + patience.toNanos();
    while (!isSo.getAsBoolean()) {
      if (session.time().nanoTime() >= end) {
        return false;
      }
      session.sleep(PAUSE);
    }
    return true;
  }

  static String timedOut(Resource<?> resource, String name) {
    return "error: timed out waiting for the condition on " + resource.plural() + "/" + name;
  }
}
