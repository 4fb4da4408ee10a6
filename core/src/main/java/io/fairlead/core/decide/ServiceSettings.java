package io.fairlead.core.decide;

import io.fairlead.core.model.ServiceSpec.Balancing;

/**
 * What the operator decides about new Services.
 *
 * @param defaultBalancing of Services that do not ask for one
 * @param roundRobinLimit number of ports that Services with round-robin may have together; beyond
 *     it the default is random
 */
public record ServiceSettings(Balancing defaultBalancing, int roundRobinLimit) {
  public static final ServiceSettings DEFAULT = new ServiceSettings(Balancing.ROUND_ROBIN, 256);

  public ServiceSettings {
    if (roundRobinLimit < 0) {
      throw new IllegalArgumentException("round-robin limit " + roundRobinLimit);
    }
  }
}
