package io.fairlead.eventlog.codec;

import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.ContainerStatus.Running;
import io.fairlead.core.model.ContainerStatus.State;
import io.fairlead.core.model.ContainerStatus.Terminated;
import io.fairlead.core.model.ContainerStatus.Waiting;
import io.fairlead.log.v1.ContainerState;
import java.util.Optional;

/** What runs Pods saw of their containers, as messages. */
final class ContainerStatusFields {
  private ContainerStatusFields() {}

  static io.fairlead.log.v1.ContainerStatus write(ContainerStatus status) {
    var message =
        io.fairlead.log.v1.ContainerStatus.newBuilder()
            .setName(status.name())
            .setRestartCount(status.restartCount())
            .setState(write(status.state()));
    status.last().ifPresent(last -> message.setLastState(write(last)));
    return message.build();
  }

  private static ContainerState write(State state) {
    var message = ContainerState.newBuilder();
    switch (state) {
      case Waiting(var reason, var words) ->
          message.setWaiting(
              ContainerState.Waiting.newBuilder().setReason(reason).setMessage(words));
      case Running(var started) ->
          message.setRunning(ContainerState.Running.newBuilder().setStarted(Fields.write(started)));
      case Terminated(int exitCode, var reason, var words, var started, var finished) -> {
        var terminated =
            message
                .getTerminatedBuilder()
                .setExitCode(exitCode)
                .setReason(reason)
                .setMessage(words)
                .setFinished(Fields.write(finished));
        started.ifPresent(at -> terminated.setStarted(Fields.write(at)));
      }
    }
    return message.build();
  }

  static ContainerStatus read(io.fairlead.log.v1.ContainerStatus message) {
    return new ContainerStatus(
        message.getName(),
        message.getRestartCount(),
        state("container_statuses.state", message.getState()),
        message.hasLastState() ? Optional.of(last(message.getLastState())) : Optional.empty());
  }

  private static Terminated last(ContainerState message) {
    var field = "container_statuses.last_state";
    if (state(field, message) instanceof Terminated terminated) {
      return terminated;
    }
    throw Fields.bad(field, "not terminated");
  }

  private static State state(String field, ContainerState message) {
    return switch (message.getStateCase()) {
      case WAITING ->
          new Waiting(message.getWaiting().getReason(), message.getWaiting().getMessage());
      case RUNNING ->
          new Running(Fields.instant(field + ".started", message.getRunning().getStarted()));
      case TERMINATED -> {
        var terminated = message.getTerminated();
        yield new Terminated(
            terminated.getExitCode(),
            terminated.getReason(),
            terminated.getMessage(),
            terminated.hasStarted()
                ? Optional.of(Fields.instant(field + ".started", terminated.getStarted()))
                : Optional.empty(),
            Fields.instant(field + ".finished", terminated.getFinished()));
      }
      case STATE_NOT_SET -> throw Fields.unknown(field);
    };
  }
}
