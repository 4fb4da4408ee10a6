package io.fairlead.api;

import com.google.protobuf.Timestamp;
import io.fairlead.core.decide.PodStatusDraft.ContainerStatusDraft;
import io.fairlead.core.decide.PodStatusDraft.StateDraft;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.ContainerStatus.Running;
import io.fairlead.core.model.ContainerStatus.State;
import io.fairlead.core.model.ContainerStatus.Terminated;
import io.fairlead.core.model.ContainerStatus.Waiting;
import io.fairlead.v1.ContainerState;
import io.fairlead.v1.ContainerStateRunning;
import io.fairlead.v1.ContainerStateWaiting;
import java.time.Instant;
import java.util.Optional;

/** What runs Pods say of their containers: as drafts, as stored, and back. */
final class ContainerCodec {
  private ContainerCodec() {}

  static ContainerStatusDraft draft(io.fairlead.v1.ContainerStatus proto) {
    return new ContainerStatusDraft(
        proto.getName(),
        proto.getRestartCount(),
        proto.hasState() ? draft(proto.getState()) : Optional.empty(),
        proto.hasLastState() ? draft(proto.getLastState()) : Optional.empty());
  }

  private static Optional<StateDraft> draft(ContainerState proto) {
    return switch (proto.getStateCase()) {
      case WAITING ->
          Optional.of(
              new StateDraft.Waiting(
                  proto.getWaiting().getReason(), proto.getWaiting().getMessage()));
      case RUNNING ->
          Optional.of(
              new StateDraft.Running(
                  time(proto.getRunning().hasStartedAt(), proto.getRunning().getStartedAt())));
      case TERMINATED -> {
        var terminated = proto.getTerminated();
        yield Optional.of(
            new StateDraft.Terminated(
                terminated.getExitCode(),
                terminated.getReason(),
                terminated.getMessage(),
                time(terminated.hasStartedAt(), terminated.getStartedAt()),
                time(terminated.hasFinishedAt(), terminated.getFinishedAt())));
      }
      case STATE_NOT_SET -> Optional.empty();
    };
  }

  static Optional<Instant> time(boolean present, Timestamp timestamp) {
    try {
      return present ? Optional.of(Timestamps.model(timestamp)) : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty(); // no such moment: refused as missing
    }
  }

  static io.fairlead.v1.ContainerStatus proto(ContainerStatus status) {
    var proto =
        io.fairlead.v1.ContainerStatus.newBuilder()
            .setName(status.name())
            .setRestartCount(status.restartCount())
            .setState(proto(status.state()));
    status.last().ifPresent(last -> proto.setLastState(proto(last)));
    return proto.build();
  }

  private static ContainerState proto(State state) {
    var proto = ContainerState.newBuilder();
    switch (state) {
      case Waiting(var reason, var message) ->
          proto.setWaiting(
              ContainerStateWaiting.newBuilder().setReason(reason).setMessage(message));
      case Running(var started) ->
          proto.setRunning(
              ContainerStateRunning.newBuilder().setStartedAt(Timestamps.proto(started)));
      case Terminated(int exitCode, var reason, var message, var started, var finished) -> {
        var terminated =
            proto
                .getTerminatedBuilder()
                .setExitCode(exitCode)
                .setReason(reason)
                .setMessage(message)
                .setFinishedAt(Timestamps.proto(finished));
        started.ifPresent(at -> terminated.setStartedAt(Timestamps.proto(at)));
      }
    }
    return proto.build();
  }

  /**
   * What {@link #proto} wrote.
   *
   * @throws IllegalArgumentException it is something else
   */
  static ContainerStatus model(io.fairlead.v1.ContainerStatus proto) {
    return new ContainerStatus(
        proto.getName(),
        proto.getRestartCount(),
        model(proto.getState()),
        proto.hasLastState() && model(proto.getLastState()) instanceof Terminated last
            ? Optional.of(last)
            : Optional.empty());
  }

  private static State model(ContainerState proto) {
    return switch (proto.getStateCase()) {
      case WAITING -> new Waiting(proto.getWaiting().getReason(), proto.getWaiting().getMessage());
      case RUNNING -> new Running(Timestamps.model(proto.getRunning().getStartedAt()));
      case TERMINATED -> {
        var terminated = proto.getTerminated();
        yield new Terminated(
            terminated.getExitCode(),
            terminated.getReason(),
            terminated.getMessage(),
            time(terminated.hasStartedAt(), terminated.getStartedAt()),
            Timestamps.model(terminated.getFinishedAt()));
      }
      case STATE_NOT_SET -> throw new IllegalArgumentException("a container without a state");
    };
  }
}
