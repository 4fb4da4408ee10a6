package io.fairlead.core.view;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pcollections.PMap;

/**
 * Everything one node's kernel has to do: the view of one node, of both families. What the agent
 * programs is a rendering of this and nothing else, so "kernel = view" can be checked by reading.
 *
 * @param ports by where packets are addressed to
 * @param serviceCidrs new connections to addresses in them that belong to nobody are dropped; their
 *     VIPs' undefined ports are rejected
 * @param clusterCidrs what tells Pods from others: sources outside them are masqueraded; empty =
 *     never masquerade (hairpin excepted)
 */
public record NodeRules(
    PMap<Frontend, PortRule> ports, Set<Cidr> serviceCidrs, Set<Cidr> clusterCidrs) {
  public NodeRules {
    serviceCidrs = Set.copyOf(serviceCidrs);
    clusterCidrs = Set.copyOf(clusterCidrs);
  }

  /** What happens to new connections to a frontend; empty = no Service has it. */
  public Optional<PortRule> rule(Frontend frontend) {
    return Optional.ofNullable(ports.get(frontend));
  }

  /** Where a client connects to: the key of the kernel's dispatch. */
  public record Frontend(Address vip, Protocol protocol, int port) {}

  /**
   * What happens to new connections to a frontend.
   *
   * @param targets usable endpoints in an order that is the same on every node (by address, then
   *     port); empty unless BALANCE
   * @param affinity time-out of ClientIP affinity
   */
  public record PortRule(
      Treatment treatment, List<Target> targets, Balancing balancing, Optional<Duration> affinity) {
    public PortRule {
      targets = List.copyOf(targets);
      if (targets.isEmpty() == (treatment == Treatment.BALANCE)) {
        throw new IllegalArgumentException(treatment + " with " + targets.size() + " targets");
      }
    }
  }

  /**
   * REJECT: nobody to send to anywhere. DROP: endpoints exist, but policy Local forbids them here.
   */
  public enum Treatment {
    BALANCE,
    REJECT,
    DROP
  }

  /** An endpoint as packets see it. */
  public record Target(Address address, int port) implements Comparable<Target> {
    @Override
    public int compareTo(Target other) {
      int order = address.compareTo(other.address);
      return order == 0 ? Integer.compare(port, other.port) : order;
    }
  }
}
