package io.fairlead.endpoints.stream;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.ReconcileSourceReply;
import io.fairlead.v1.ReconcileSourceRequest;
import io.fairlead.v1.ReportReadinessReply;
import io.fairlead.v1.ReportReadinessRequest;

/** The points before owners are asked for what a stream said. Thread-safe, without own state. */
public final class UplinkPoints implements Uplink {
  private final Uplink uplink;
  private final FaultPoints points;

  public UplinkPoints(Uplink uplink, FaultPoints points) {
    this.uplink = uplink;
    this.points = points;
  }

  @Override
  public NodeReply open(OpenNodeRequest request) {
    points.reached(FaultPoint.SESSION_OPENING);
    var reply = uplink.open(request);
    points.reached(FaultPoint.SESSION_OPENED);
    return reply;
  }

  @Override
  public ReportReadinessReply report(ReportReadinessRequest request) {
    points.reached(FaultPoint.REPORT_TAKEN);
    return uplink.report(request);
  }

  @Override
  public ReconcileSourceReply reconcile(ReconcileSourceRequest request) {
    points.reached(FaultPoint.SOURCE_TAKEN);
    return uplink.reconcile(request);
  }
}
