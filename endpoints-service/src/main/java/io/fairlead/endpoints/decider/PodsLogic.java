package io.fairlead.endpoints.decider;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.decide.PodsContext;
import io.fairlead.core.decide.PodsDecider;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.run.Time;
import io.fairlead.decider.DecisionContext;
import io.fairlead.decider.PartitionLogic;

/** Pods and Nodes as the logic of the partitions that hold them. Any thread; without own state. */
public final class PodsLogic implements PartitionLogic<PodCommand, PodOutcome> {
  private final PodLeases leases;
  private final Time time;

  public PodsLogic(PodLeases leases, Time time) {
    this.leases = leases;
    this.time = time;
  }

  @Override
  public Decision<PodOutcome> decide(
      ClusterImage working, PodCommand command, DecisionContext context) {
    if (command instanceof PodCommand.ExpirePod(var name, _)
        && !leases.ranOut(name, time.nanoTime())) {
      // applied again while this waited: also where that waits behind it
      return Decision.answer(
          new PodOutcome.Refused(
              new Refusal.NotYours(
                  ObjectKey.of(Kind.POD, name), "it was applied again within its lease")));
    }
    return PodsDecider.decide(working, command, new PodsContext(context.now(), context.random()));
  }

  @Override
  public PodOutcome recall(LogEntry first, Position position) {
    return PodsDecider.recall(first);
  }

  @Override
  public PodOutcome complete(PodOutcome reply, LogEntry first, Position position) {
    return reply.at(first.offset());
  }
}
