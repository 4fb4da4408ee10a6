package io.fairlead.api.manifest;

import io.fairlead.v1.ContainerState;
import io.fairlead.v1.ContainerStatus;
import java.util.Map;

/** {@code status.containerStatuses} of a Pod; only written. */
final class ContainerStatuses {
  private ContainerStatuses() {}

  static Map<String, Object> tree(ContainerStatus status) {
    var tree = new Tree();
    tree.put("lastState", state(status.getLastState()));
    tree.put("name", status.getName());
    tree.put("ready", status.getReady());
    tree.put("restartCount", status.getRestartCount());
    tree.put("started", status.getState().hasRunning());
    tree.put("state", state(status.getState()));
    return tree.map();
  }

  private static Map<String, Object> state(ContainerState state) {
    var inner = new Tree();
    return switch (state.getStateCase()) {
      case WAITING -> {
        inner.put("message", state.getWaiting().getMessage());
        inner.put("reason", state.getWaiting().getReason());
        yield Map.of("waiting", inner.map());
      }
      case RUNNING -> {
        if (state.getRunning().hasStartedAt()) {
          inner.put("startedAt", Tree.time(state.getRunning().getStartedAt()));
        }
        yield Map.of("running", inner.map());
      }
      case TERMINATED -> {
        var terminated = state.getTerminated();
        inner.put("exitCode", terminated.getExitCode());
        if (terminated.hasFinishedAt()) {
          inner.put("finishedAt", Tree.time(terminated.getFinishedAt()));
        }
        inner.put("message", terminated.getMessage());
        inner.put("reason", terminated.getReason());
        if (terminated.hasStartedAt()) {
          inner.put("startedAt", Tree.time(terminated.getStartedAt()));
        }
        yield Map.of("terminated", inner.map());
      }
      case STATE_NOT_SET -> Map.of();
    };
  }
}
