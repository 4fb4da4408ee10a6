package io.fairlead.agent.nft;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.util.Map;
import java.util.Set;

/** The points before and after each pass. Thread-safe, without own state. */
public final class FlowPoints implements FlowGateway {
  private final FlowGateway flows;
  private final FaultPoints points;

  public FlowPoints(FlowGateway flows, FaultPoints points) {
    this.flows = flows;
    this.points = points;
  }

  @Override
  public Cleaned clean(Map<Frontend, Set<Target>> serving) {
    points.reached(FaultPoint.FLOWS_DUE);
    var cleaned = flows.clean(serving);
    points.reached(FaultPoint.FLOWS_CLEANED);
    return cleaned;
  }

  @Override
  public Found find(Query query) {
    return flows.find(query);
  }

  @Override
  public void close() {
    flows.close();
  }
}
