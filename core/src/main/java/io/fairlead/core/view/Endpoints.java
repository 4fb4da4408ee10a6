package io.fairlead.core.view;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.PodClaims;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodDrain;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.model.ServiceSpec.TrafficDistribution;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;

/** Which Pods are behind a Service, and how they are reached: pure functions of an image. */
public final class Endpoints {
  private Endpoints() {}

  /**
   * A port as an endpoint offers it.
   *
   * @param name of the Service's port
   * @param port on the Pod
   */
  public record TargetPort(
      String name, Protocol protocol, int port, Optional<String> appProtocol) {}

  /** Names of the Pods a Service selects, sorted. Empty for ExternalName and without a selector. */
  public static SortedSet<ObjectName> pods(ClusterImage image, Service service) {
    return service.spec().exposure() == Exposure.EXTERNAL_NAME
        ? Collections.emptySortedSet()
        : image.pods().selected(service.meta().namespace(), service.spec().selector());
  }

  /** All endpoints of a Service in one family, sorted by the Pod's name. */
  public static List<Endpoint> of(ClusterImage image, Service service, Family family) {
    var endpoints = new ArrayList<Endpoint>();
    for (var name : pods(image, service)) {
      image
          .pods()
          .get(name)
          .flatMap(pod -> of(image, service, pod.object(), family))
          .ifPresent(endpoints::add);
    }
    return List.copyOf(endpoints);
  }

  /**
   * A Pod as endpoint of a Service. Empty where it is none: not selected, ended, without an address
   * of the family, or refused because an older one of its node has its address and port.
   */
  public static Optional<Endpoint> of(ClusterImage image, Service service, Pod pod, Family family) {
    if (service.spec().exposure() == Exposure.EXTERNAL_NAME
        || !service.meta().namespace().equals(pod.meta().namespace())
        || !service.spec().selects(pod.meta().labels())
        || PodCondition.isFinished(pod)
        || PodClaims.taken(image.pods(), pod).isPresent()) {
      return Optional.empty();
    }
    return pod.ip(family)
        .map(address -> {
          var conditions = conditions(service, pod, PodCondition.of(image.pods(), pod));
          var node = pod.spec().nodeName();
          var zone =
              node.flatMap(name -> image.nodes().get(name))
                  .map(Versioned::object)
                  .flatMap(Node::zone);
          return new Endpoint(
              pod.name(),
              pod.uid(),
              address,
              conditions,
              hostname(service, pod),
              node,
              zone,
              hints(service, conditions, node, zone));
        });
  }

  private static Endpoint.Conditions conditions(Service service, Pod pod, PodCondition condition) {
    boolean terminating = pod.status().deleting().isPresent() || PodDrain.isDraining(pod);
    boolean serving = condition.ready();
    boolean ready = service.spec().publishNotReadyAddresses() || (serving && !terminating);
    return new Endpoint.Conditions(ready, serving, terminating);
  }

  private static Optional<String> hostname(Service service, Pod pod) {
    return pod.spec().subdomain().equals(Optional.of(service.meta().name()))
        ? pod.spec().hostname()
        : Optional.empty();
  }

  /**
   * KEP-4444 and KEP-3015: an endpoint hints at its own place, so a hint never depends on others.
   */
  private static Endpoint.Hints hints(
      Service service,
      Endpoint.Conditions conditions,
      Optional<String> node,
      Optional<String> zone) {
    var distribution = service.spec().trafficDistribution();
    if (distribution.isEmpty() || !conditions.ready()) {
      return Endpoint.Hints.NONE;
    }
    var zones = new TreeSet<>(zone.stream().toList());
    var nodes =
        distribution.get() == TrafficDistribution.PREFER_SAME_NODE
            ? new TreeSet<>(node.stream().toList())
            : new TreeSet<String>();
    return new Endpoint.Hints(zones, nodes);
  }

  /**
   * The ports of a Service as a Pod offers them, in the order of the Service. A port whose target
   * is a name that no container of the Pod gives to a port of that protocol is left out.
   */
  public static List<TargetPort> ports(Service service, Pod pod) {
    var ports = new ArrayList<TargetPort>();
    for (var port : service.spec().ports()) {
      target(port, pod)
          .ifPresent(number ->
              ports.add(new TargetPort(port.name(), port.protocol(), number, port.appProtocol())));
    }
    return List.copyOf(ports);
  }

  /** Where a Service's port leads on a Pod; a number need not be declared by any container. */
  static OptionalInt target(ServicePort port, Pod pod) {
    return switch (port.targetPort()) {
      case PortRef.Number(int number) -> OptionalInt.of(number);
      case PortRef.Name(var name) ->
          pod.ports()
              .filter(p -> p.name().equals(name) && p.protocol() == port.protocol())
              .mapToInt(Pod.ContainerPort::containerPort)
              .findFirst();
    };
  }
}
