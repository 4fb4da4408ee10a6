package io.fairlead.core.model;

import java.util.List;
import java.util.UUID;

/**
 * Ranges ClusterIPs are given out from: one, or one of each family.
 *
 * @param terminating no new address comes from it; removed when its last one is freed
 */
public record ServiceCidr(ObjectMeta meta, List<Cidr> cidrs, boolean terminating)
    implements DomainObject {
  /** The range that exists from the start, made from the configuration. */
  public static final String DEFAULT_NAME = "default";

  public ServiceCidr {
    cidrs = List.copyOf(cidrs);
  }

  @Override
  public ObjectKey key() {
    return ObjectKey.ofCluster(Kind.SERVICE_CIDR, meta.name());
  }

  @Override
  public UUID uid() {
    return meta.uid();
  }
}
