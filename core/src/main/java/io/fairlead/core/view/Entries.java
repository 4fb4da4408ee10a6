package io.fairlead.core.view;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.ServicesImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.core.view.Entry.ServiceCidrEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * An image as entries, whole or what a delta changes of them. Both ways lead to the same entries; a
 * change costs what it touches: one Pod of a Service of 5,000 costs one endpoint for each port.
 */
public final class Entries {
  private Entries() {}

  /**
   * What became of one entry.
   *
   * @param before empty = it is new
   * @param after empty = it is gone
   */
  public record Change(Optional<Entry> before, Optional<Entry> after) {}

  /** All entries of an image, by key, in no particular order. */
  public static Map<EntryKey, Entry> of(ClusterImage image) {
    var entries = new HashMap<EntryKey, Entry>();
    for (var service : image.services().all()) {
      ofService(image, service.object(), entries);
    }
    for (var pod : image.pods().all()) {
      put(podEntry(image, pod.object()), entries);
    }
    for (var cidr : image.serviceCidrs().all()) {
      serviceCidr(image, cidr.object().meta().name()).ifPresent(e -> put(e, entries));
    }
    return entries;
  }

  /**
   * The entries that differ between the delta's base and {@code image}, which is the delta applied.
   * Never one that stayed equal.
   */
  public static Map<EntryKey, Change> changed(ClusterDelta delta, ClusterImage image) {
    var base = delta.base();
    var changes = new LinkedHashMap<EntryKey, Change>();
    for (var name : delta.serviceCidrs()) {
      compare(
          List.copyOf(serviceCidr(base, name).stream().toList()),
          List.copyOf(serviceCidr(image, name).stream().toList()),
          changes);
    }
    var services = services(delta, image);
    for (var name : services) {
      compare(ofService(base, name), ofService(image, name), changes);
    }
    for (var name : pods(delta, image)) {
      var before = base.pods().get(name).map(Versioned::object);
      var after = image.pods().get(name).map(Versioned::object);
      compare(
          before.map(pod -> podEntry(base, pod)).stream().toList(),
          after.map(pod -> podEntry(image, pod)).stream().toList(),
          changes);
      var selecting = new TreeSet<ObjectName>();
      before.ifPresent(pod -> selecting.addAll(selecting(base.services(), pod)));
      after.ifPresent(pod -> selecting.addAll(selecting(image.services(), pod)));
      selecting.removeAll(services); // compared whole above
      for (var service : selecting) {
        compare(ofPod(base, service, before), ofPod(image, service, after), changes);
      }
    }
    return changes;
  }

  static Set<ObjectName> selecting(ServicesImage services, Pod pod) {
    return services.selecting(pod.meta().namespace(), pod.meta().labels());
  }

  /** Services in the delta, those that win or lose an address by it, and those of its slices. */
  private static Set<ObjectName> services(ClusterDelta delta, ClusterImage image) {
    var names = new TreeSet<>(ManualEndpoints.services(delta, image));
    for (var name : delta.services()) {
      names.add(name);
      for (var side : List.of(delta.base().services(), image.services())) {
        side.get(name)
            .map(service -> service.object().spec().clusterIps())
            .ifPresent(ips ->
                ips.forEach(ip -> {
                  delta.base().services().holder(ip).ifPresent(names::add);
                  image.services().holder(ip).ifPresent(names::add);
                }));
      }
    }
    return names;
  }

  /** Pods in the delta, and those of nodes whose zone it changes. */
  static Set<ObjectName> pods(ClusterDelta delta, ClusterImage image) {
    var names = new TreeSet<>(delta.pods());
    for (var node : delta.nodes()) {
      if (!zone(delta.base(), node).equals(zone(image, node))) {
        names.addAll(delta.base().pods().onNode(node));
        names.addAll(image.pods().onNode(node));
      }
    }
    return names;
  }

  private static Optional<String> zone(ClusterImage image, String node) {
    return image.nodes().get(node).map(Versioned::object).flatMap(Node::zone);
  }

  private static void compare(
      Collection<? extends Entry> before,
      Collection<? extends Entry> after,
      Map<EntryKey, Change> changes) {
    var left = new LinkedHashMap<EntryKey, Entry>();
    before.forEach(entry -> left.put(entry.key(), entry));
    for (var entry : after) {
      var old = Optional.ofNullable(left.remove(entry.key()));
      if (!old.equals(Optional.of(entry))) {
        changes.put(entry.key(), new Change(old, Optional.of(entry)));
      }
    }
    left.forEach((key, old) -> changes.put(key, new Change(Optional.of(old), Optional.empty())));
  }

  /** The entries of one Service; none where it is not there. */
  static Collection<Entry> ofService(ClusterImage image, ObjectName name) {
    var entries = new LinkedHashMap<EntryKey, Entry>();
    image.services().get(name).ifPresent(service -> ofService(image, service.object(), entries));
    return entries.values();
  }

  private static void ofService(ClusterImage image, Service service, Map<EntryKey, Entry> entries) {
    var vips = vips(image, service);
    if (vips.isEmpty()) {
      return;
    }
    for (var port : service.spec().ports()) {
      put(
          new ServicePortEntry(
              new EntryKey.ServicePort(service.name(), port.name(), port.protocol()),
              vips,
              port.port(),
              service.spec().balancing(),
              service.spec().clientIpAffinity(),
              service.spec().internalTrafficPolicy(),
              service.resetsConnections()),
          entries);
    }
    for (var pod : Endpoints.pods(image, service)) {
      image.pods().get(pod).ifPresent(p -> ofPod(image, service, vips, p.object(), entries));
    }
    for (var slice : ManualEndpoints.of(image, service)) {
      if (vips.stream().anyMatch(vip -> vip.family() == slice.family())) {
        ofSlice(service, slice, entries);
      }
    }
  }

  private static Collection<Entry> ofPod(ClusterImage image, ObjectName name, Optional<Pod> pod) {
    var entries = new LinkedHashMap<EntryKey, Entry>();
    var service = image.services().get(name).map(Versioned::object);
    if (service.isPresent() && pod.isPresent()) {
      ofPod(image, service.get(), vips(image, service.get()), pod.get(), entries);
    }
    return entries.values();
  }

  private static void ofPod(
      ClusterImage image,
      Service service,
      List<Address> vips,
      Pod pod,
      Map<EntryKey, Entry> entries) {
    for (var vip : vips) {
      var endpoint = Endpoints.of(image, service, pod, vip.family());
      if (endpoint.isEmpty()) {
        continue;
      }
      for (var port : Endpoints.ports(service, pod)) {
        put(
            new EndpointEntry(
                new EntryKey.Endpoint(
                    new EntryKey.ServicePort(service.name(), port.name(), port.protocol()),
                    pod.uid(),
                    vip.family()),
                endpoint.get().address(),
                port.port(),
                endpoint.get().node(),
                endpoint.get().zone(),
                endpoint.get().conditions(),
                endpoint.get().hints()),
            entries);
      }
    }
  }

  private static void ofSlice(Service service, ManualSlice slice, Map<EntryKey, Entry> entries) {
    for (var port : service.spec().ports()) {
      var target = ManualEndpoints.target(port, slice);
      if (target.isEmpty()) {
        continue;
      }
      for (var endpoint : slice.endpoints()) {
        put(
            new EndpointEntry(
                new EntryKey.Endpoint(
                    new EntryKey.ServicePort(service.name(), port.name(), port.protocol()),
                    slice.uid(endpoint),
                    slice.family()),
                endpoint.address(),
                target.get().port(),
                endpoint.nodeName(),
                endpoint.zone(),
                ManualEndpoints.conditions(endpoint),
                new Endpoint.Hints(
                    new TreeSet<>(endpoint.zones()), new TreeSet<>(endpoint.nodes()))),
            entries);
      }
    }
  }

  /**
   * The addresses a Service has; none where it is headless or an alias, or older Services have
   * them.
   */
  private static List<Address> vips(ClusterImage image, Service service) {
    return service.spec().exposure() == Exposure.CLUSTER_IP
        ? service.spec().clusterIps().stream()
            .filter(address -> image.services().holds(service, address))
            .toList()
        : List.of();
  }

  private static PodEntry podEntry(ClusterImage image, Pod pod) {
    return new PodEntry(
        new EntryKey.Pod(pod.name()),
        pod,
        image.pods().readiness(pod).map(PodReadiness::withoutPast));
  }

  private static Optional<ServiceCidrEntry> serviceCidr(ClusterImage image, String name) {
    return image
        .serviceCidrs()
        .get(name)
        .map(cidr -> new ServiceCidrEntry(new EntryKey.ServiceCidr(name), cidr.object().cidrs()));
  }

  private static void put(Entry entry, Map<EntryKey, Entry> entries) {
    entries.put(entry.key(), entry);
  }
}
