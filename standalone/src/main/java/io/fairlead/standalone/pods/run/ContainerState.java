package io.fairlead.standalone.pods.run;

import java.time.Instant;

/** What a container does at the moment, as in Kubernetes' {@code status.containerStatuses}. */
public sealed interface ContainerState {
  /**
   * It has not started yet, or not again.
   *
   * @param reason one word, e.g. {@code CrashLoopBackOff}
   */
  record Waiting(String reason, String message) implements ContainerState {}

  record Running(Instant started) implements ContainerState {}

  /**
   * Its last run is over.
   *
   * @param exitCode 0 to 255, 128 + number where a signal ended it
   * @param reason {@code Completed} or {@code Error}
   */
  record Terminated(int exitCode, String reason, String message, Instant started, Instant finished)
      implements ContainerState {}
}
