package io.fairlead.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.function.Function;

/** Looks again and again until something is so. */
final class Waiting {
  private static final Duration PAUSE = Duration.ofMillis(200);

  /** Without an answer for longer than this, somebody is away, not just late at the end. */
  private static final Duration SILENCE = Duration.ofSeconds(2);

  private Waiting() {}

  /**
   * What it saw last where it did not come to be so within that time, and since when and why
   * nothing more was seen; looks at least once.
   *
   * @param look empty where it is so, else how it is; the session it is given has no more time than
   *     is left
   */
  static Optional<String> unmet(
      Session session, Duration patience, Function<Session, Optional<String>> look) {
    Optional<String> seen = Optional.empty();
    var time = session.time();
    long end = time.nanoTime() + patience.toNanos();
    var answered = time.now();
    long answeredNanos = time.nanoTime();
    Optional<CallFailedException> failure = Optional.empty();
    while (true) {
      var left = Duration.ofNanos(end - time.nanoTime());
      try {
        seen = look.apply(session.within(left));
        answered = time.now();
        answeredNanos = time.nanoTime();
        failure = Optional.empty();
      } catch (CallFailedException e) {
        // the last look has the least time: what was seen before it says more
        if (seen.isEmpty() || !e.isTransient()) {
          throw e;
        }
        failure = Optional.of(e);
      }
      if (seen.isEmpty()) {
        return seen;
      }
      long now = time.nanoTime();
      left = Duration.ofNanos(end - now);
      if (!left.isPositive()) {
        var since = answered;
        boolean silent = now - answeredNanos > SILENCE.toNanos();
        var why = failure.filter(_ -> silent);
        return seen.map(words -> words + why.map(e -> silence(since, e)).orElse(""));
      }
      session.sleep(left.compareTo(PAUSE) < 0 ? left : PAUSE);
    }
  }

  private static String silence(Instant since, CallFailedException failure) {
    return "; since %s nothing was answered: %s"
        .formatted(since.truncatedTo(ChronoUnit.SECONDS), failure.words());
  }

  /**
   * @param last what was seen last; "" = nothing to tell
   */
  static String timedOut(Resource<?> resource, String name, String last) {
    return "error: timed out waiting for the condition on %s/%s%s"
        .formatted(resource.plural(), name, last.isEmpty() ? "" : ": " + last);
  }
}
