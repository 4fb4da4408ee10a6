package io.fairlead.core.view;

import io.fairlead.core.model.Cidr;
import java.util.Optional;
import java.util.Set;

/**
 * What a node knows of itself.
 *
 * @param zone empty = it prefers no zone
 * @param clusterCidrs what tells Pods from others; empty = nothing is masqueraded
 */
public record NodeContext(String node, Optional<String> zone, Set<Cidr> clusterCidrs) {
  public NodeContext {
    zone = zone.filter(z -> !z.isEmpty()); // an empty label names no zone
    clusterCidrs = Set.copyOf(clusterCidrs);
  }
}
