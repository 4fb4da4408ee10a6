package io.fairlead.api.table;

import io.fairlead.api.PodCodec;
import io.fairlead.core.model.PodDrain;
import io.fairlead.v1.ContainerStateTerminated;
import io.fairlead.v1.ContainerStatus;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodCondition;
import java.time.Instant;
import java.util.Comparator;
import java.util.stream.Collectors;

/** How a Pod is, in the words of kubectl's columns. */
final class PodStates {
  private PodStates() {}

  /** {@code 1/2}: ready containers of all. */
  static String ready(Pod pod) {
    int containers = Math.max(1, pod.getSpec().getContainersCount());
    var statuses = pod.getStatus().getContainerStatusesList();
    long ready =
        statuses.isEmpty()
            // nobody tells of single containers: the whole Pod is ready, or is not
            ? (pod.getStatus().getReady() ? containers : 0)
            : statuses.stream().filter(ContainerStatus::getReady).count();
    return ready + "/" + containers;
  }

  /** {@code 1/2}: readiness gates whose condition is True, of all. */
  static String gates(Pod pod) {
    var gates = pod.getSpec().getReadinessGatesList();
    var met =
        pod.getStatus().getConditionsList().stream()
            .filter(condition -> condition.getStatus().equals("True"))
            .map(PodCondition::getType)
            .collect(Collectors.toSet());
    return gates.isEmpty()
        ? Tables.NONE
        : gates.stream().filter(gate -> met.contains(gate.getConditionType())).count()
            + "/"
            + gates.size();
  }

  /** The most telling word: of the Pod, or of the last container that does not run. */
  static String status(Pod pod) {
    if (pod.getMetadata().hasDeletionTimestamp()) {
      return "Terminating";
    }
    if (pod.getMetadata().containsAnnotations(PodDrain.ANNOTATION)
        && pod.getStatus().getPhase().equals("Running")) {
      return "Draining";
    }
    var status = pod.getStatus();
    if (status.getConditionsList().stream()
        .anyMatch(condition -> condition.getReason().equals(PodCodec.PORT_TAKEN))) {
      return "Refused";
    }
    // a reason in whole sentences is for describe
    var words =
        status.getReason().isEmpty() || status.getReason().contains(" ")
            ? status.getPhase()
            : status.getReason();
    boolean running = false;
    for (var container : status.getContainerStatusesList().reversed()) {
      var state = container.getState();
      switch (state.getStateCase()) {
        case WAITING -> {
          if (!state.getWaiting().getReason().isEmpty()) {
            words = state.getWaiting().getReason();
          }
        }
        case TERMINATED -> words = ended(state.getTerminated());
        case RUNNING -> running = true;
        case STATE_NOT_SET -> {}
      }
    }
    if (words.equals("Completed") && running) {
      words = status.getReady() ? "Running" : "NotReady";
    }
    return Tables.orNone(words);
  }

  static String ended(ContainerStateTerminated terminated) {
    return terminated.getReason().isEmpty()
        ? "ExitCode:" + terminated.getExitCode()
        : terminated.getReason();
  }

  /** {@code 2 (5m ago)}: of all containers, and when the last one ended. */
  static String restarts(Pod pod, Instant now) {
    var statuses = pod.getStatus().getContainerStatusesList();
    int restarts = statuses.stream().mapToInt(ContainerStatus::getRestartCount).sum();
    var last =
        statuses.stream()
            .map(s -> s.getLastState().getTerminated())
            .filter(ContainerStateTerminated::hasFinishedAt)
            .map(ContainerStateTerminated::getFinishedAt)
            .max(Comparator.comparingLong(com.google.protobuf.Timestamp::getSeconds));
    return restarts == 0 || last.isEmpty()
        ? Integer.toString(restarts)
        : restarts + " (" + Ages.since(last.get(), now) + " ago)";
  }
}
