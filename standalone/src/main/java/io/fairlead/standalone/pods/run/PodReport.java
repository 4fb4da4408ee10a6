package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import java.util.List;
import java.util.Optional;

/**
 * A Pod as the API shows it.
 *
 * @param node it is bound to
 * @param address empty while it has none
 * @param containers in the order of the manifest
 */
public record PodReport(
    String node,
    Pod.Phase phase,
    String reason,
    String message,
    Optional<String> address,
    List<ContainerReport> containers) {
  public PodReport {
    containers = List.copyOf(containers);
  }

  /** A Pod whose containers have begun, with the phase that Kubernetes derives from them. */
  static PodReport running(
      String node, String address, Pod.RestartPolicy policy, List<ContainerReport> containers) {
    return new PodReport(node, phase(policy, containers), "", "", Optional.of(address), containers);
  }

  /**
   * As the kubelet's: Pending until every container has run, Succeeded or Failed when none will run
   * again, else Running.
   */
  static Pod.Phase phase(Pod.RestartPolicy policy, List<ContainerReport> containers) {
    var fresh = 0;
    var over = 0;
    var failed = 0;
    for (var container : containers) {
      switch (container.state()) {
        case ContainerState.Waiting _ -> {
          if (container.last().isEmpty()) {
            fresh++;
          }
        }
        case ContainerState.Running _ -> {}
        case ContainerState.Terminated(var code, _, _, _, _) -> {
          if (isFinal(policy, code)) {
            over++;
            failed += code == 0 ? 0 : 1;
          }
        }
      }
    }
    if (over == containers.size()) {
      return failed == 0 ? Pod.Phase.SUCCEEDED : Pod.Phase.FAILED;
    }
    return fresh > 0 ? Pod.Phase.PENDING : Pod.Phase.RUNNING;
  }

  /** Whether a container that ended so is not started again. */
  static boolean isFinal(Pod.RestartPolicy policy, int exitCode) {
    return switch (policy) {
      case ALWAYS -> false;
      case ON_FAILURE -> exitCode == 0;
      case NEVER -> true;
    };
  }
}
