package io.fairlead.agent.probe;

import java.util.Optional;

/**
 * Turns results in a row into a verdict, as the kubelet does: it changes after {@code
 * successThreshold} or {@code failureThreshold} equal results; a probe that could not be made
 * changes nothing; one that this node refuses to make fails at once. At first there is no verdict:
 * what is on record stays until the thresholds say something else. Owned by one worker.
 */
final class ProbeCounter {
  private final int successThreshold;
  private final int failureThreshold;
  private int passedInRow;
  private int failedInRow;
  private Optional<Verdict> verdict = Optional.empty();

  ProbeCounter(int successThreshold, int failureThreshold) {
    this.successThreshold = successThreshold;
    this.failureThreshold = failureThreshold;
  }

  Optional<Verdict> verdict() {
    return verdict;
  }

  /** Whether the verdict turned by it. */
  boolean count(ProbeResult result) {
    return switch (result) {
      case ProbeResult.Passed(var words) -> {
        failedInRow = 0;
        passedInRow = Math.min(passedInRow + 1, successThreshold);
        yield passedInRow >= successThreshold && turn(new Verdict(true, words));
      }
      case ProbeResult.Failed(var words) -> {
        passedInRow = 0;
        failedInRow = Math.min(failedInRow + 1, failureThreshold);
        yield failedInRow >= failureThreshold && turn(new Verdict(false, words));
      }
      case ProbeResult.NotMade _ -> false;
      case ProbeResult.Refused(var words) -> turn(new Verdict(false, words));
    };
  }

  private boolean turn(Verdict next) {
    boolean turned = verdict.filter(v -> v.ready() == next.ready()).isEmpty();
    if (turned) {
      verdict = Optional.of(next);
    }
    return turned;
  }
}
