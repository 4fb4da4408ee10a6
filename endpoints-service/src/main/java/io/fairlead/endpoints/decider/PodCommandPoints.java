package io.fairlead.endpoints.decider;

import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.etcd.Coordination.Owner;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The points before an owner decides a command, and after that is in the log and before anybody is
 * told. Thread-safe, without own state.
 */
public final class PodCommandPoints implements Decider<PodCommand, PodOutcome> {
  private final Decider<PodCommand, PodOutcome> decider;
  private final FaultPoints points;

  public PodCommandPoints(Decider<PodCommand, PodOutcome> decider, FaultPoints points) {
    this.decider = decider;
    this.points = points;
  }

  @Override
  public CompletableFuture<Answer<PodOutcome>> submit(
      LogPartition partition, Request<PodCommand> request) {
    before(request.command()).ifPresent(points::reached);
    var after = after(request.command());
    var answer = decider.submit(partition, request);
    if (after.isEmpty()) {
      return answer;
    }
    var told =
        answer.thenApply(given -> {
          if (given instanceof Answer.Decided<PodOutcome>) {
            points.reached(after.get());
          }
          return given;
        });
    var _ =
        told.whenComplete((_, _) -> {
          if (told.isCancelled()) {
            answer.cancel(false); // its caller withdraws it
          }
        });
    return told;
  }

  private static Optional<FaultPoint> before(PodCommand command) {
    return switch (command) {
      case PodCommand.LoseNode _ -> Optional.of(FaultPoint.NODE_LOSING);
      case PodCommand.CollectPods _ -> Optional.of(FaultPoint.PODS_COLLECTING);
      case PodCommand.CreateSlice _, PodCommand.ApplySlice _, PodCommand.DeleteSlice _ ->
          Optional.of(FaultPoint.SLICE_ASKED);
      case PodCommand.ApplyPod _,
          PodCommand.UpdatePodStatus _,
          PodCommand.DeletePod _,
          PodCommand.DrainPod _,
          PodCommand.ExpirePod _,
          PodCommand.ReportReadiness _,
          PodCommand.OpenNode _,
          PodCommand.DeleteNode _,
          PodCommand.NodeLostPods _,
          PodCommand.ReconcileSource _ ->
          Optional.empty();
    };
  }

  private static Optional<FaultPoint> after(PodCommand command) {
    return switch (command) {
      case PodCommand.LoseNode _ -> Optional.of(FaultPoint.NODE_LOST);
      case PodCommand.NodeLostPods _ -> Optional.of(FaultPoint.PODS_LOST);
      case PodCommand.CollectPods _ -> Optional.of(FaultPoint.PODS_COLLECTED);
      case PodCommand.CreateSlice _, PodCommand.ApplySlice _, PodCommand.DeleteSlice _ ->
          Optional.of(FaultPoint.SLICE_DECIDED);
      case PodCommand.DrainPod _ -> Optional.of(FaultPoint.DRAIN_MARKED);
      case PodCommand.ReportReadiness _ -> Optional.of(FaultPoint.REPORT_DECIDED);
      case PodCommand.ReconcileSource _ -> Optional.of(FaultPoint.SOURCE_DECIDED);
      case PodCommand.ApplyPod _,
          PodCommand.UpdatePodStatus _,
          PodCommand.DeletePod _,
          PodCommand.ExpirePod _,
          PodCommand.OpenNode _,
          PodCommand.DeleteNode _ ->
          Optional.empty();
    };
  }

  @Override
  public CompletableFuture<Answer<Confirmed>> confirm(LogPartition partition) {
    return decider.confirm(partition);
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return decider.owner(partition);
  }

  @Override
  public CompletableFuture<Optional<Owner>> ownerOtherThan(LogPartition partition, long revision) {
    return decider.ownerOtherThan(partition, revision);
  }
}
