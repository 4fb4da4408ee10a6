package io.fairlead.core.model;

import java.time.Instant;
import java.util.Optional;

/**
 * What runs a Pod saw of one of its containers, as in Kubernetes' {@code
 * status.containerStatuses[]}.
 *
 * @param restartCount how often it was started again, at least 0
 * @param last how it ended the last time before {@code state}; empty where it never did
 */
public record ContainerStatus(
    String name, int restartCount, State state, Optional<Terminated> last) {
  /** What it is doing. */
  public sealed interface State {}

  /**
   * Not started yet, or not again.
   *
   * @param reason e.g. {@code CrashLoopBackOff}
   */
  public record Waiting(String reason, String message) implements State {}

  public record Running(Instant started) implements State {}

  /**
   * @param exitCode 0 to 255; 128 and the signal's number where a signal ended it
   * @param reason {@code Completed} or {@code Error}, or what its runner says
   * @param started empty where it could not be started
   */
  public record Terminated(
      int exitCode, String reason, String message, Optional<Instant> started, Instant finished)
      implements State {}
}
