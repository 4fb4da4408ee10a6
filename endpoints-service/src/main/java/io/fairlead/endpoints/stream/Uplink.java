package io.fairlead.endpoints.stream;

import io.fairlead.v1.NodeReply;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.ReconcileSourceReply;
import io.fairlead.v1.ReconcileSourceRequest;
import io.fairlead.v1.ReportReadinessReply;
import io.fairlead.v1.ReportReadinessRequest;

/**
 * What the streams ask the owners of partitions for, here or on another replica. All block for at
 * most the calls' time-out and throw {@link io.grpc.StatusRuntimeException}.
 */
public interface Uplink {
  /** Opens a session: the reply's node carries it. */
  NodeReply open(OpenNodeRequest request);

  ReportReadinessReply report(ReportReadinessRequest request);

  ReconcileSourceReply reconcile(ReconcileSourceRequest request);
}
