package io.fairlead.agent.stream;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Node;
import io.fairlead.core.view.NodeContext;
import io.fairlead.v1.ObjectMeta;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a node says of itself.
 *
 * @param addresses primary first
 * @param clusterCidrs where Pods are; sources outside are masqueraded, empty = nothing is
 */
public record NodeIdentity(
    String name,
    Optional<String> zone,
    List<Address> addresses,
    List<Cidr> podCidrs,
    Set<Cidr> clusterCidrs,
    String version) {
  public NodeIdentity {
    addresses = List.copyOf(addresses);
    podCidrs = List.copyOf(podCidrs);
    clusterCidrs = Set.copyOf(clusterCidrs);
  }

  NodeContext context() {
    return new NodeContext(name, zone, clusterCidrs);
  }

  io.fairlead.v1.Node proto() {
    var meta = ObjectMeta.newBuilder().setName(name);
    var node = io.fairlead.v1.Node.newBuilder();
    zone.ifPresent(z -> {
      meta.putLabels(Node.ZONE_LABEL, z);
      node.setZone(z);
    });
    addresses.forEach(address -> node.addAddresses(address.toString()));
    podCidrs.forEach(cidr -> node.addPodCidrs(cidr.toString()));
    return node.setMetadata(meta).setAgentVersion(version).build();
  }
}
