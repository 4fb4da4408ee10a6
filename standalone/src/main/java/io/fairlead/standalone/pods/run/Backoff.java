package io.fairlead.standalone.pods.run;

import java.time.Duration;

/**
 * How long a container that ended waits for its next run: not at all, then 1 s, doubled each time
 * up to a minute; from the beginning after a run of ten minutes. So have kubelets it whose back-off
 * is reduced (KEP-4603); Kubernetes' older default begins with 10 s and ends with five minutes,
 * long for somebody who sits before it. Owned by one container's thread.
 */
final class Backoff {
  static final Duration FIRST = Duration.ofSeconds(1);
  static final Duration LONGEST = Duration.ofMinutes(1);
  static final Duration FORGIVEN_AFTER = Duration.ofMinutes(10);

  private Duration next = Duration.ZERO;

  /**
   * The pause after a run.
   *
   * @param ran how long it was
   */
  Duration after(Duration ran) {
    if (ran.compareTo(FORGIVEN_AFTER) >= 0) {
      next = Duration.ZERO;
    }
    var pause = next;
    var doubled = pause.multipliedBy(2);
    next = pause.isZero() ? FIRST : doubled.compareTo(LONGEST) > 0 ? LONGEST : doubled;
    return pause;
  }
}
