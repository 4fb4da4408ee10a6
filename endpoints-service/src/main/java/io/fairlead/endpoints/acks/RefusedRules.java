package io.fairlead.endpoints.acks;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import java.util.Optional;

/** Whose the rules are that kernels refuse. */
public final class RefusedRules {
  private RefusedRules() {}

  /**
   * The Service whose frontend is refused; empty = no Service has the address, or it is not written
   * as agents of this version do.
   */
  public static Optional<ObjectName> service(ClusterImage image, Refused refused) {
    var frontend = refused.frontend();
    int colon = frontend.lastIndexOf(':');
    if (colon < 0) {
      return Optional.empty();
    }
    var host = frontend.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    return Address.parse(bracketed ? host.substring(1, host.length() - 1) : host)
        .flatMap(address -> image.services().holder(address));
  }
}
