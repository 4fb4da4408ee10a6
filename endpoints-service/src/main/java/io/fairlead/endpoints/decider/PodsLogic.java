package io.fairlead.endpoints.decider;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.decide.PodsContext;
import io.fairlead.core.decide.PodsDecider;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.decider.DecisionContext;
import io.fairlead.decider.PartitionLogic;

/** Pods and Nodes as the logic of the partitions that hold them. Without state. */
public final class PodsLogic implements PartitionLogic<PodCommand, PodOutcome> {
  @Override
  public Decision<PodOutcome> decide(
      ClusterImage working, PodCommand command, DecisionContext context) {
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
