package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ServiceCidr;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Stream;
import org.pcollections.TreePMap;

/** ServiceCIDRs by name, sorted. Immutable; derived wholly from the log. */
public record ServiceCidrsImage(TreePMap<String, Versioned<ServiceCidr>> byName) {
  public static final ServiceCidrsImage EMPTY = new ServiceCidrsImage(TreePMap.empty());

  public Optional<Versioned<ServiceCidr>> get(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Sorted by name. */
  public Collection<Versioned<ServiceCidr>> all() {
    return byName.values();
  }

  /** All ranges, those of terminating objects too: what is in them is a ClusterIP or nobody's. */
  public Stream<Cidr> ranges() {
    return byName.values().stream().flatMap(c -> c.object().cidrs().stream());
  }

  /** Whether an address is inside any range. */
  public boolean contains(Address address) {
    return ranges().anyMatch(range -> range.contains(address));
  }

  ServiceCidrsImage with(Versioned<ServiceCidr> cidr) {
    return new ServiceCidrsImage(byName.plus(cidr.object().meta().name(), cidr));
  }

  ServiceCidrsImage without(String name) {
    return new ServiceCidrsImage(byName.minus(name));
  }
}
