package io.fairlead.core.dns;

import io.fairlead.core.dns.Zone.Contribution;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.view.Endpoints;
import io.fairlead.core.view.ManualEndpoints;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * From images to zones, by the Kubernetes DNS specification 1.1.0 and what CoreDNS adds to it
 * (bare-name SRV, endpoint names and PTR also below ClusterIP Services). A step costs what changed:
 * contributions of the old image go, those of the new one come.
 */
public final class ZoneProjection {
  private ZoneProjection() {}

  /** The zones of an image without objects. */
  public static Zone empty(ZoneSettings settings) {
    return Zone.empty(settings, List.of());
  }

  /** The zones of an image, whole. */
  public static Zone of(ZoneSettings settings, ClusterImage image, long serial) {
    var come = new ArrayList<Contribution>();
    for (var service : image.services().all()) {
      come.addAll(ofServiceWithMembers(image, service.object(), settings));
    }
    for (var namespace : image.namespaces().all()) {
      come.addAll(ofNamespace(namespace.object().meta().name(), settings));
    }
    return Zone.empty(settings, ranges(image)).changed(List.of(), come, serial);
  }

  /**
   * The zones after a delta.
   *
   * @param zone those of the delta's base
   * @param image the delta applied
   */
  public static Zone update(Zone zone, ClusterDelta delta, ClusterImage image, long serial) {
    var base = delta.base();
    var settings = zone.settings();
    if (!delta.serviceCidrs().isEmpty() && !ranges(base).equals(ranges(image))) {
      return of(settings, image, serial); // rare: names come into the zones, or leave them
    }
    var gone = new ArrayList<Contribution>();
    var come = new ArrayList<Contribution>();
    var services = changedServices(delta, image);
    for (var name : services) {
      base.services()
          .get(name)
          .ifPresent(s -> gone.addAll(ofServiceWithMembers(base, s.object(), settings)));
      image
          .services()
          .get(name)
          .ifPresent(s -> come.addAll(ofServiceWithMembers(image, s.object(), settings)));
    }
    for (var pod : delta.pods()) {
      gone.addAll(ofPod(base, pod, services, settings));
      come.addAll(ofPod(image, pod, services, settings));
    }
    for (var name : delta.namespaces()) {
      base.namespaces().get(name).ifPresent(_ -> gone.addAll(ofNamespace(name, settings)));
      image.namespaces().get(name).ifPresent(_ -> come.addAll(ofNamespace(name, settings)));
    }
    return zone.changed(gone, come, serial);
  }

  private static SortedSet<Cidr> ranges(ClusterImage image) {
    return image.serviceCidrs().ranges().collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Services that changed or whose slices did, and those that share a ClusterIP with one: which of
   * them holds it may have changed.
   */
  private static SortedSet<ObjectName> changedServices(ClusterDelta delta, ClusterImage image) {
    var changed = new TreeSet<>(delta.services());
    changed.addAll(ManualEndpoints.services(delta, image));
    for (var name : delta.services()) {
      for (var side : List.of(delta.base(), image)) {
        side.services().get(name).stream()
            .flatMap(s -> s.object().spec().clusterIps().stream())
            .forEach(ip -> {
              delta.base().services().holder(ip).ifPresent(changed::add);
              image.services().holder(ip).ifPresent(changed::add);
            });
      }
    }
    return changed;
  }

  /**
   * A namespace exists, though it may hold nothing: names of it are NODATA, those below are not.
   */
  private static List<Contribution> ofNamespace(String namespace, ZoneSettings settings) {
    return List.of(
        Contribution.exists(namespace + ".svc." + settings.domain()),
        Contribution.exists(namespace + ".pod." + settings.domain()));
  }

  private static List<Contribution> ofPod(
      ClusterImage image, ObjectName name, Collection<ObjectName> except, ZoneSettings settings) {
    var contributions = new ArrayList<Contribution>();
    image
        .pods()
        .get(name)
        .map(Versioned::object)
        .ifPresent(pod -> {
          for (var selecting : image.services().selecting(name.namespace(), pod.meta().labels())) {
            if (!except.contains(selecting)) {
              image
                  .services()
                  .get(selecting)
                  .ifPresent(s -> contributions.addAll(ofMember(image, s.object(), pod, settings)));
            }
          }
        });
    return contributions;
  }

  private static List<Contribution> ofServiceWithMembers(
      ClusterImage image, Service service, ZoneSettings settings) {
    var contributions = new ArrayList<>(ofService(image, service, settings));
    for (var pod : Endpoints.pods(image, service)) {
      image
          .pods()
          .get(pod)
          .ifPresent(p -> contributions.addAll(ofMember(image, service, p.object(), settings)));
    }
    for (var slice : ManualEndpoints.of(image, service)) {
      contributions.addAll(ofSlice(service, slice, settings));
    }
    return contributions;
  }

  /** What somebody wrote adds to a Service: nothing of what is not ready. */
  private static List<Contribution> ofSlice(
      Service service, ManualSlice slice, ZoneSettings settings) {
    var name = dnsName(service, settings);
    var ports =
        slice.ports().stream()
            .map(p -> new Endpoints.TargetPort(p.name(), p.protocol(), p.port(), p.appProtocol()))
            .toList();
    var contributions = new ArrayList<Contribution>();
    for (var endpoint : slice.endpoints()) {
      if (endpoint.ready()) {
        contributions.addAll(
            ofEndpoint(service, ports, endpoint.address(), endpoint.hostname(), name));
      }
    }
    return contributions;
  }

  /** What a Service adds by itself, whatever Pods it has. */
  private static List<Contribution> ofService(
      ClusterImage image, Service service, ZoneSettings settings) {
    var contributions =
        new ArrayList<Contribution>(ofNamespace(service.name().namespace(), settings));
    var name = dnsName(service, settings);
    switch (service.spec().exposure()) {
      case EXTERNAL_NAME ->
          service
              .spec()
              .externalName()
              .filter(target -> Address.parse(target).isEmpty()) // an address is no name to lead to
              .ifPresent(target ->
                  contributions.add(Contribution.of(name, new RecordData.Cname(absolute(target)))));
      case HEADLESS -> {}
      case CLUSTER_IP -> {
        for (var ip : service.spec().clusterIps()) {
          if (image.services().holds(service, ip)) {
            contributions.add(Contribution.of(name, new RecordData.Host(ip)));
            contributions.add(
                Contribution.of(ZoneSettings.reverseName(ip), new RecordData.Ptr(name)));
          }
        }
        for (var port : service.spec().ports()) {
          addSrv(contributions, port.name(), port.protocol(), port.port(), name, name);
        }
      }
    }
    return contributions;
  }

  /** What one Pod adds to a Service that selects it: nothing unless it is ready. */
  private static List<Contribution> ofMember(
      ClusterImage image, Service service, Pod pod, ZoneSettings settings) {
    var contributions = new ArrayList<Contribution>();
    var name = dnsName(service, settings);
    for (var family : service.spec().ipFamilies()) {
      Endpoints.of(image, service, pod, family)
          .filter(endpoint -> endpoint.conditions().ready())
          .ifPresent(endpoint ->
              contributions.addAll(
                  ofEndpoint(
                      service,
                      Endpoints.ports(service, pod),
                      endpoint.address(),
                      endpoint.hostname(),
                      name)));
    }
    return contributions;
  }

  private static List<Contribution> ofEndpoint(
      Service service,
      List<Endpoints.TargetPort> ports,
      Address at,
      Optional<String> hostname,
      String name) {
    var contributions = new ArrayList<Contribution>();
    var address = new RecordData.Host(at);
    var host = hostLabel(at, hostname) + "." + name;
    contributions.add(Contribution.of(host, address));
    contributions.add(Contribution.of(ZoneSettings.reverseName(at), new RecordData.Ptr(host)));
    if (service.spec().exposure() == Exposure.HEADLESS) {
      contributions.add(Contribution.of(name, address));
      for (var port : ports) {
        addSrv(contributions, port.name(), port.protocol(), port.port(), name, host);
      }
    }
    return contributions;
  }

  private static void addSrv(
      List<Contribution> contributions,
      String portName,
      Protocol protocol,
      int number,
      String name,
      String target) {
    var srv = new RecordData.Srv(number, target);
    contributions.add(
        Contribution.of(name, srv)); // CoreDNS' answer for clients that look for all peers
    if (!portName.isEmpty()) {
      contributions.add(
          Contribution.of(
              "_" + portName + "._" + protocol.name().toLowerCase(Locale.ROOT) + "." + name, srv));
    }
  }

  private static String dnsName(Service service, ZoneSettings settings) {
    return service.name().name() + "." + service.name().namespace() + ".svc." + settings.domain();
  }

  /**
   * The endpoint's hostname, which is its Pod's where that's subdomain is this Service, else a
   * label made from the address as CoreDNS makes it.
   */
  static String hostLabel(Address address, Optional<String> hostname) {
    return hostname.orElseGet(() -> {
      var dashed = address.toString().replace('.', '-').replace(':', '-');
      // a label may not end with a dash
      return dashed.endsWith("-") ? dashed + "0" : dashed;
    });
  }

  private static String absolute(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower : lower + ".";
  }
}
