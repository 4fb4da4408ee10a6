package io.fairlead.endpoints.stream;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.api.Reason;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.grpc.StatusRuntimeException;
import java.util.Optional;

/** Why streams end, as statuses. */
final class Refusals {
  private Refusals() {}

  static StatusRuntimeException sessionEnded(String node, long session, String why) {
    return Errors.refused(
        new Refusal.SessionEnded(ObjectKey.ofCluster(Kind.NODE, node), session, why));
  }

  static boolean isSessionEnded(StatusRuntimeException e) {
    return ErrorReport.of(e).reason().equals(Optional.of(Reason.OLD_SESSION));
  }
}
