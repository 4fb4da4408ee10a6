package io.fairlead.standalone.pods.client;

import com.google.protobuf.Timestamp;
import io.fairlead.standalone.pods.run.ContainerReport;
import io.fairlead.standalone.pods.run.ContainerState;
import io.fairlead.standalone.pods.run.PodReport;
import io.fairlead.v1.ContainerStateRunning;
import io.fairlead.v1.ContainerStateTerminated;
import io.fairlead.v1.ContainerStateWaiting;
import io.fairlead.v1.ContainerStatus;
import io.fairlead.v1.PodStatus;
import java.time.Instant;
import java.util.Optional;

/** Reports as messages of the API, and back. */
final class Statuses {
  private Statuses() {}

  static PodStatus write(PodReport report) {
    var status =
        PodStatus.newBuilder()
            .setPhase(report.phase().text())
            .setReason(report.reason())
            .setMessage(report.message());
    report.address().ifPresent(ip -> status.setPodIp(ip).addPodIps(ip));
    for (var container : report.containers()) {
      var each =
          ContainerStatus.newBuilder()
              .setName(container.name())
              .setRestartCount(container.restarts())
              .setState(write(container.state()));
      container.last().ifPresent(end -> each.setLastState(write(end)));
      status.addContainerStatuses(each);
    }
    return status.build();
  }

  private static io.fairlead.v1.ContainerState write(ContainerState state) {
    var proto = io.fairlead.v1.ContainerState.newBuilder();
    return switch (state) {
      case ContainerState.Waiting(var reason, var message) ->
          proto
              .setWaiting(ContainerStateWaiting.newBuilder().setReason(reason).setMessage(message))
              .build();
      case ContainerState.Running(var started) ->
          proto.setRunning(ContainerStateRunning.newBuilder().setStartedAt(write(started))).build();
      case ContainerState.Terminated(
              var code,
              var reason,
              var message,
              var started,
              var finished) ->
          proto
              .setTerminated(
                  ContainerStateTerminated.newBuilder()
                      .setExitCode(code)
                      .setReason(reason)
                      .setMessage(message)
                      .setStartedAt(write(started))
                      .setFinishedAt(write(finished)))
              .build();
    };
  }

  static ContainerReport read(ContainerStatus status) {
    var last =
        status.hasLastState() && status.getLastState().hasTerminated()
            ? Optional.of(read(status.getLastState().getTerminated()))
            : Optional.<ContainerState.Terminated>empty();
    return new ContainerReport(
        status.getName(), status.getRestartCount(), read(status.getState()), last);
  }

  private static ContainerState read(io.fairlead.v1.ContainerState state) {
    return switch (state.getStateCase()) {
      case RUNNING -> new ContainerState.Running(read(state.getRunning().getStartedAt()));
      case TERMINATED -> read(state.getTerminated());
      case WAITING, STATE_NOT_SET ->
          new ContainerState.Waiting(
              state.getWaiting().getReason(), state.getWaiting().getMessage());
    };
  }

  private static ContainerState.Terminated read(ContainerStateTerminated end) {
    return new ContainerState.Terminated(
        end.getExitCode(),
        end.getReason(),
        end.getMessage(),
        read(end.getStartedAt()),
        read(end.getFinishedAt()));
  }

  private static Timestamp write(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  private static Instant read(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
  }
}
