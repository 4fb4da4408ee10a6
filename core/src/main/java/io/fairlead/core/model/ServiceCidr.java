package io.fairlead.core.model;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Ranges ClusterIPs are given out from: one, or one of each family.
 *
 * @param deleting since when no new address comes from it; removed when its last one is freed
 */
public record ServiceCidr(ObjectMeta meta, List<Cidr> cidrs, Optional<Instant> deleting)
    implements DomainObject {
  /** The range that exists from the start, made from the configuration. */
  public static final String DEFAULT_NAME = "default";

  public ServiceCidr {
    cidrs = List.copyOf(cidrs);
  }

  /** Ready: addresses are given out from it. */
  public static ServiceCidr ready(ObjectMeta meta, List<Cidr> cidrs) {
    return new ServiceCidr(meta, cidrs, Optional.empty());
  }

  /** Whether it was deleted while it held addresses. */
  public boolean terminating() {
    return deleting.isPresent();
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
