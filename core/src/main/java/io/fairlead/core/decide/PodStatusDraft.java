package io.fairlead.core.decide;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What became of a Pod as whatever runs it sent it: nothing is checked. Texts that are absent are
 * "".
 *
 * @param phase "" = Running with an address, else Pending
 */
public record PodStatusDraft(
    String phase,
    String podIp,
    List<String> podIps,
    String reason,
    String message,
    List<ContainerStatusDraft> containers) {
  public PodStatusDraft {
    podIps = List.copyOf(podIps);
    containers = List.copyOf(containers);
  }

  public record ContainerStatusDraft(
      String name, int restartCount, Optional<StateDraft> state, Optional<StateDraft> lastState) {}

  /**
   * @param status "True", "False" or "Unknown"
   * @param since empty = the moment of the decision, where the status differs
   */
  public record ConditionDraft(
      String type, String status, String reason, String message, Optional<Instant> since) {}

  /** One of what a container does. */
  public sealed interface StateDraft {
    record Waiting(String reason, String message) implements StateDraft {}

    record Running(Optional<Instant> started) implements StateDraft {}

    record Terminated(
        int exitCode,
        String reason,
        String message,
        Optional<Instant> started,
        Optional<Instant> finished)
        implements StateDraft {}
  }
}
