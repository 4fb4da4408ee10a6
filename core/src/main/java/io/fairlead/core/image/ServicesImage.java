package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.UUID;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * Services by namespace and name, sorted. Immutable; derived wholly from the log.
 *
 * <p>Should two Services hold one ClusterIP (an import, a bug: the allocator never lets it happen),
 * the older one has it: the one created first, by uid where both were created at the same instant.
 * That is a function of the two objects alone, so every replica agrees, also one that reads a
 * compacted log.
 *
 * @param claimants who says to have an address, the holder first
 * @param contested addresses with several claimants
 * @param roundRobinPorts number of ports of all Services that have a ClusterIP and are balanced
 *     round-robin
 */
public record ServicesImage(
    TreePMap<ObjectName, Versioned<Service>> byName,
    Index<Address, Claimant> claimants,
    TreePSet<Address> contested,
    SelectorTrie selectors,
    int roundRobinPorts) {
  public static final ServicesImage EMPTY =
      new ServicesImage(TreePMap.empty(), Index.empty(), TreePSet.empty(), SelectorTrie.EMPTY, 0);

  /** A Service that holds an address in its record; ordered by age. */
  public record Claimant(Instant created, UUID uid, ObjectName service)
      implements Comparable<Claimant> {
    @Override
    public int compareTo(Claimant other) {
      int order = created.compareTo(other.created);
      if (order == 0) {
        // as text, not UUID.compareTo, which compares signed and so differs from what people read
        order = uid.toString().compareTo(other.uid.toString());
      }
      return order == 0 ? service.compareTo(other.service) : order;
    }
  }

  /**
   * An address in the records of several Services.
   *
   * @param holder has it
   * @param others lose it: they are served without it, oldest first
   */
  public record Conflict(Address address, ObjectName holder, List<ObjectName> others) {
    public Conflict {
      others = List.copyOf(others);
    }
  }

  public Optional<Versioned<Service>> get(ObjectName name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Sorted by namespace and name. */
  public Collection<Versioned<Service>> all() {
    return byName.values();
  }

  /** Sorted by name. */
  public Collection<Versioned<Service>> byNamespace(String namespace) {
    return inNamespace(namespace).values();
  }

  /** Those of a namespace, sorted. */
  public SortedMap<ObjectName, Versioned<Service>> inNamespace(String namespace) {
    return Namespaces.part(byName, namespace);
  }

  /** Who has a ClusterIP. */
  public Optional<ObjectName> holder(Address address) {
    return claimants.get(address).stream().findFirst().map(Claimant::service);
  }

  /** Who has a ClusterIP in its record, too, and does not hold it; oldest first, mostly empty. */
  public List<ObjectName> contenders(Address address) {
    return claimants.get(address).stream().skip(1).map(Claimant::service).toList();
  }

  /** ClusterIPs in use from one to another, both included; sorted. */
  public NavigableSet<Address> clusterIps(Address first, Address last) {
    return clusterIps().subSet(first, true, last, true);
  }

  /** Whether a Service has that address of its record; false where an older Service has it. */
  public boolean holds(Service service, Address address) {
    return holder(address).filter(service.name()::equals).isPresent();
  }

  /** All ClusterIPs in use, sorted. The size of a {@code subSet} costs O(log n). */
  public NavigableSet<Address> clusterIps() {
    return claimants.byKey().keySet();
  }

  /** By address; empty in a log that only allocators wrote. */
  public List<Conflict> conflicts() {
    return contested.stream()
        .map(address -> {
          var names = claimants.get(address).stream().map(Claimant::service).toList();
          return new Conflict(address, names.getFirst(), names.subList(1, names.size()));
        })
        .toList();
  }

  /**
   * Services whose selector is a part of those labels, sorted by name. Costs the selectors that
   * match, not all Services.
   */
  public SortedSet<ObjectName> selecting(String namespace, SortedMap<String, String> labels) {
    return selectors.selecting(namespace, labels);
  }

  ServicesImage with(Versioned<Service> service) {
    var cleared = without(service.object().name());
    var name = service.object().name();
    var meta = service.object().meta();
    var holders = cleared.claimants;
    var several = cleared.contested;
    for (var address : service.object().spec().clusterIps()) {
      holders = holders.plus(address, new Claimant(meta.created(), meta.uid(), name));
      if (holders.get(address).size() > 1) {
        several = several.plus(address);
      }
    }
    return new ServicesImage(
        cleared.byName.plus(name, service),
        holders,
        several,
        cleared.selectors.plus(name, service.object().spec().selector()),
        cleared.roundRobinPorts + roundRobinPorts(service.object()));
  }

  ServicesImage without(ObjectName name) {
    var before = get(name).map(Versioned::object);
    if (before.isEmpty()) {
      return this;
    }
    var meta = before.get().meta();
    var holders = claimants;
    var several = contested;
    for (var address : before.get().spec().clusterIps()) {
      holders = holders.minus(address, new Claimant(meta.created(), meta.uid(), name));
      if (holders.get(address).size() < 2) {
        several = several.minus(address);
      }
    }
    return new ServicesImage(
        byName.minus(name),
        holders,
        several,
        selectors.minus(name, before.get().spec().selector()),
        roundRobinPorts - roundRobinPorts(before.get()));
  }

  private static int roundRobinPorts(Service service) {
    var spec = service.spec();
    return spec.exposure() == ServiceSpec.Exposure.CLUSTER_IP
            && spec.balancing() == ServiceSpec.Balancing.ROUND_ROBIN
        ? spec.ports().size()
        : 0;
  }
}
