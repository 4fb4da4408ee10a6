package io.fairlead.core.view;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.NodeRules.Target;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Who sends new connections to one Pod, in one image: what each node's rules make of the Services
 * that select it, as {@link NodeView} has it. Immutable.
 */
public final class PodTraffic {
  /** Ways to the Pod: a port of a Service and all endpoints of one family that it may use. */
  private record Way(
      ObjectName service,
      ServicePortEntry port,
      List<EndpointEntry> endpoints,
      Set<Target> targets) {}

  private final List<Way> ways;
  private final SortedSet<ObjectName> headless;
  private final SortedSet<ObjectName> publishing;

  private PodTraffic(
      List<Way> ways, SortedSet<ObjectName> headless, SortedSet<ObjectName> publishing) {
    this.ways = List.copyOf(ways);
    this.headless = Collections.unmodifiableSortedSet(headless);
    this.publishing = Collections.unmodifiableSortedSet(publishing);
  }

  /** Of exactly this Pod; nobody sends anything to one that the image does not have. */
  public static PodTraffic of(ClusterImage image, ObjectName name, UUID uid) {
    var ways = new ArrayList<Way>();
    var headless = new TreeSet<ObjectName>();
    var publishing = new TreeSet<ObjectName>();
    image
        .pods()
        .get(name)
        .map(Versioned::object)
        .filter(pod -> pod.uid().equals(uid))
        .ifPresent(pod -> {
          for (var selecting : Entries.selecting(image.services(), pod)) {
            ways(image, selecting, pod, ways);
            image
                .services()
                .get(selecting)
                .map(Versioned::object)
                .ifPresent(service -> {
                  if (service.spec().exposure() == Exposure.HEADLESS) {
                    headless.add(selecting);
                  }
                  if (service.spec().publishNotReadyAddresses()) {
                    publishing.add(selecting);
                  }
                });
          }
        });
    return new PodTraffic(ways, headless, publishing);
  }

  private static void ways(ClusterImage image, ObjectName service, Pod pod, List<Way> ways) {
    var ports = new ArrayList<ServicePortEntry>();
    var endpoints = new ArrayList<EndpointEntry>();
    for (var entry : Entries.ofService(image, service)) {
      switch (entry) {
        case ServicePortEntry port -> ports.add(port);
        case EndpointEntry endpoint -> endpoints.add(endpoint);
        case Entry.PodEntry _, Entry.ServiceCidrEntry _ -> {}
      }
    }
    for (var port : ports) {
      for (var vip : port.vips()) {
        var ofPort =
            endpoints.stream()
                .filter(e -> e.key().port().equals(port.key()) && e.key().family() == vip.family())
                .toList();
        var targets = new HashSet<Target>();
        ofPort.stream()
            .filter(e -> e.key().pod().equals(pod.uid()))
            .forEach(e -> targets.add(new Target(e.address(), e.port())));
        if (!targets.isEmpty()) {
          ways.add(new Way(service, port, ofPort, targets));
        }
      }
    }
  }

  /** Services whose new connections this node sends to the Pod, among others perhaps. */
  public SortedSet<ObjectName> through(NodeContext node) {
    var services = new TreeSet<ObjectName>();
    for (var way : ways) {
      var rule = UsableEndpoints.rule(way.port(), way.endpoints(), node);
      if (rule.targets().stream().anyMatch(way.targets()::contains)) {
        services.add(way.service());
      }
    }
    return services;
  }

  /** Services that lead to the Pod by some rule of some node, or would if it were ready. */
  public SortedSet<ObjectName> services() {
    var services = new TreeSet<ObjectName>();
    ways.forEach(way -> services.add(way.service()));
    return services;
  }

  /**
   * Whether one of these Services selects that Pod, or one that it may keep from its address and
   * port.
   */
  public static boolean isOf(ClusterImage image, ObjectName pod, Collection<ObjectName> services) {
    var found = image.pods().get(pod).map(Versioned::object);
    return found.filter(p -> isSelected(image, p, services)).isPresent()
        || found.stream()
            .flatMap(p -> image.pods().sharing(p).stream())
            .flatMap(name -> image.pods().get(name).stream())
            .anyMatch(other -> isSelected(image, other.object(), services));
  }

  private static boolean isSelected(ClusterImage image, Pod pod, Collection<ObjectName> services) {
    return Entries.selecting(image.services(), pod).stream().anyMatch(services::contains);
  }

  /** Headless Services that select it: DNS tells its address while it is ready. */
  public SortedSet<ObjectName> headless() {
    return headless;
  }

  /** Services that select it and publish Pods whether or not they are ready. */
  public SortedSet<ObjectName> publishing() {
    return publishing;
  }

  /** What a node knows of itself, as far as its rules depend on it. */
  public static NodeContext context(ClusterImage image, String node) {
    Optional<String> zone = image.nodes().get(node).flatMap(n -> n.object().zone());
    return new NodeContext(node, zone, Set.of());
  }
}
