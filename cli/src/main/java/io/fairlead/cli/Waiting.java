package io.fairlead.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** Looks again and again until something is so. */
final class Waiting {
  private static final Duration PAUSE = Duration.ofMillis(200);

  private Waiting() {}

  /**
   * Whether it came to be so within that time; looks at least once.
   *
   * @param isSo looks; the session it is given has no more time than is left
   */
  static boolean until(Session session, Duration patience, Predicate<Session> isSo) {
    return unmet(session, patience, in -> isSo.test(in) ? Optional.empty() : Optional.of(""))
        .isEmpty();
  }

  /**
   * What it saw last where it did not come to be so within that time; looks at least once.
   *
   * @param look empty where it is so, else how it is; the session it is given has no more time than
   *     is left
   */
  static Optional<String> unmet(
      Session session, Duration patience, Function<Session, Optional<String>> look) {
    Optional<String> seen = Optional.empty();
    long end = session.time().nanoTime() + patience.toNanos();
    while (true) {
      var left = Duration.ofNanos(end - session.time().nanoTime());
      try {
        seen = look.apply(session.within(left));
      } catch (CallFailedException e) {
        // the last look has the least time: what was seen before it says more
        if (seen.isEmpty() || !e.isTransient()) {
          throw e;
        }
      }
      if (seen.isEmpty()) {
        return seen;
      }
      left = Duration.ofNanos(end - session.time().nanoTime());
      if (!left.isPositive()) {
        return seen;
      }
      session.sleep(left.compareTo(PAUSE) < 0 ? left : PAUSE);
    }
  }

  /**
   * @param last what was seen last; "" = nothing to tell
   */
  static String timedOut(Resource<?> resource, String name, String last) {
    return "error: timed out waiting for the condition on %s/%s%s"
        .formatted(resource.plural(), name, last.isEmpty() ? "" : ": " + last);
  }
}
