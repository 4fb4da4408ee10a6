package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;

/** Objects with everything filled in that tests do not care about. */
public final class TestObjects {
  public static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

  private TestObjects() {}

  /** A uid that a test can name again. */
  public static UUID uid(String text) {
    return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  public static ObjectName name(String name) {
    return new ObjectName("default", name);
  }

  public static ObjectMeta meta(String namespace, String name, Map<String, String> labels) {
    return new ObjectMeta(
        namespace, name, uid(namespace + "/" + name), new TreeMap<>(labels), new TreeMap<>(), NOON);
  }

  /** A ClusterIP Service with port 80 to 8080, selecting {@code app=<name>}. */
  public static Service service(String name, String clusterIp) {
    return new Service(
        meta("default", name, Map.of()),
        new ServiceSpec(
            ServiceSpec.Exposure.CLUSTER_IP,
            List.of(Address.of(clusterIp)),
            List.of(Address.of(clusterIp).family()),
            ServiceSpec.IpFamilyPolicy.SINGLE_STACK,
            new TreeMap<>(Map.of("app", name)),
            List.of(port("", 80, new PortRef.Number(8080))),
            Optional.empty(),
            ServiceSpec.TrafficPolicy.CLUSTER,
            Optional.empty(),
            false,
            Optional.empty(),
            ServiceSpec.Balancing.ROUND_ROBIN));
  }

  public static ServicePort port(String name, int port, PortRef target) {
    return new ServicePort(name, Protocol.TCP, port, target, Optional.empty());
  }

  /** A running Pod of namespace default with the label {@code app}, without a probe. */
  public static Pod pod(String name, String app, String node, String... ips) {
    return new Pod(
        meta("default", name, Map.of("app", app)),
        new Pod.Spec(Optional.of(node), false, Optional.empty(), Optional.empty(), List.of()),
        new Pod.Status(
            Pod.Phase.RUNNING,
            List.of(ips).stream().map(Address::of).toList(),
            "",
            Optional.empty()),
        "api");
  }

  public static Pod with(Pod pod, Pod.Phase phase) {
    var status = pod.status();
    return new Pod(
        pod.meta(),
        pod.spec(),
        new Pod.Status(phase, status.ips(), status.reason(), status.deleting()),
        pod.source());
  }

  /** The same Pod while it is deleted. */
  public static Pod terminating(Pod pod) {
    var status = pod.status();
    return new Pod(
        pod.meta(),
        pod.spec(),
        new Pod.Status(status.phase(), status.ips(), status.reason(), Optional.of(NOON)),
        pod.source());
  }

  public static Pod with(Pod pod, List<Pod.Container> containers) {
    var spec = pod.spec();
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            spec.nodeName(), spec.hostNetwork(), spec.hostname(), spec.subdomain(), containers),
        pod.status(),
        pod.source());
  }

  /** A Pod with a probe, so that only its readiness counts. */
  public static Pod probed(Pod pod) {
    return with(
        pod,
        List.of(
            container(
                List.of(),
                Optional.of(
                    new Pod.Probe(
                        new Pod.TcpSocket(Optional.empty(), new PortRef.Number(8080)),
                        Duration.ZERO,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(1),
                        1,
                        3)))));
  }

  public static Pod.Container container(List<Pod.ContainerPort> ports, Optional<Pod.Probe> probe) {
    return new Pod.Container(
        "main", "example/web", List.of(), List.of(), new TreeMap<>(), ports, probe);
  }

  public static PodReadiness ready(Pod pod) {
    return readiness(pod, Readiness.READY);
  }

  public static PodReadiness unready(Pod pod) {
    return readiness(pod, Readiness.UNREADY);
  }

  private enum Readiness {
    READY,
    UNREADY
  }

  private static PodReadiness readiness(Pod pod, Readiness readiness) {
    return new PodReadiness(
        pod.name(),
        pod.uid(),
        readiness == Readiness.READY,
        pod.spec().nodeName().orElse(""),
        7,
        1,
        "probe",
        NOON);
  }

  public static Node node(String name, Optional<String> zone) {
    return new Node(
        meta("", name, Map.of()),
        zone,
        List.of(Address.of("192.0.2.1")),
        List.of(Cidr.of("10.244.0.0/24")),
        "test",
        "",
        OptionalLong.empty(),
        Node.State.READY,
        "");
  }

  /** A written slice of a Service, with its unnamed port 80 at port 9000 of ready endpoints. */
  public static ManualSlice slice(String name, String service, String... addresses) {
    return new ManualSlice(
        meta("default", name, Map.of(ManualSlice.SERVICE_NAME_LABEL, service)),
        Address.of(addresses[0]).family(),
        List.of(new ManualSlice.Port("", Protocol.TCP, 9000, Optional.empty())),
        List.of(addresses).stream().map(TestObjects::endpoint).toList());
  }

  /** A ready one. */
  public static ManualSlice.Endpoint endpoint(String address) {
    return new ManualSlice.Endpoint(
        Address.of(address),
        true,
        true,
        false,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        List.of());
  }

  /** The same slice with other endpoints. */
  public static ManualSlice with(ManualSlice slice, ManualSlice.Endpoint... endpoints) {
    return new ManualSlice(slice.meta(), slice.family(), slice.ports(), List.of(endpoints));
  }

  public static ServiceCidr serviceCidr(String name, String cidr) {
    return ServiceCidr.ready(meta("", name, Map.of()), List.of(Cidr.of(cidr)));
  }

  /** Of one address, for a Service of namespace default. */
  public static Reservation reservation(String holder, String address) {
    return new Reservation(
        uid("reservation/" + holder),
        NOON,
        name(holder),
        List.of(Address.of(address)),
        Duration.ofMinutes(10));
  }

  /** An object as it stands in the log. */
  public static LogEntry stored(LogPartition partition, long offset, DomainObject object) {
    return new LogEntry(partition, offset, NOON, new LogEvent.Stored(object, envelope(offset)));
  }

  public static LogEntry deleted(LogPartition partition, long offset, DomainObject object) {
    return new LogEntry(
        partition,
        offset,
        NOON,
        new LogEvent.Deleted(object.key(), object.uid(), envelope(offset)));
  }

  private static Envelope envelope(long offset) {
    return new Envelope(
        new UUID(0x7000L, offset),
        NOON,
        "user:test",
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /**
   * The image of a log that holds just these objects, at offsets 0, 1, 2... of the services
   * partition.
   */
  public static ClusterImage image(DomainObject... objects) {
    return after(ClusterImage.EMPTY, objects);
  }

  /** An image after records with these objects, at offsets 100, 101... */
  public static ClusterImage after(ClusterImage base, DomainObject... objects) {
    return delta(base, objects).apply();
  }

  /** What these objects change in an image. */
  public static ClusterDelta delta(ClusterImage base, DomainObject... objects) {
    var delta = new ClusterDelta(base);
    for (int i = 0; i < objects.length; i++) {
      delta.replay(stored(LogPartition.SERVICES, 100L + i, objects[i]));
    }
    return delta;
  }

  /** What deleting an object changes in an image. */
  public static ClusterDelta deletion(ClusterImage base, DomainObject object) {
    var delta = new ClusterDelta(base);
    delta.replay(deleted(LogPartition.SERVICES, 200, object));
    return delta;
  }

  /** A Service with other properties; each function sees the spec so far. */
  public static Service with(
      Service service, java.util.function.UnaryOperator<SpecBuilder> change) {
    return service.withSpec(change.apply(new SpecBuilder(service.spec())).spec);
  }

  /** Changes single properties of a spec. */
  public static final class SpecBuilder {
    private ServiceSpec spec;

    SpecBuilder(ServiceSpec spec) {
      this.spec = spec;
    }

    public SpecBuilder exposure(ServiceSpec.Exposure exposure) {
      return copy(exposure, spec.clusterIps(), spec.ipFamilies(), spec.ports());
    }

    public SpecBuilder clusterIps(String... addresses) {
      var ips = List.of(addresses).stream().map(Address::of).toList();
      return copy(spec.exposure(), ips, ips.stream().map(Address::family).toList(), spec.ports());
    }

    public SpecBuilder families(Family... families) {
      return copy(spec.exposure(), spec.clusterIps(), List.of(families), spec.ports());
    }

    public SpecBuilder ports(ServicePort... ports) {
      return copy(spec.exposure(), spec.clusterIps(), spec.ipFamilies(), List.of(ports));
    }

    private SpecBuilder copy(
        ServiceSpec.Exposure exposure,
        List<Address> ips,
        List<Family> families,
        List<ServicePort> ports) {
      spec =
          new ServiceSpec(
              exposure,
              ips,
              families,
              spec.ipFamilyPolicy(),
              spec.selector(),
              ports,
              spec.clientIpAffinity(),
              spec.internalTrafficPolicy(),
              spec.trafficDistribution(),
              spec.publishNotReadyAddresses(),
              spec.externalName(),
              spec.balancing());
      return this;
    }

    public SpecBuilder selector(Map<String, String> selector) {
      spec =
          new ServiceSpec(
              spec.exposure(),
              spec.clusterIps(),
              spec.ipFamilies(),
              spec.ipFamilyPolicy(),
              new TreeMap<>(selector),
              spec.ports(),
              spec.clientIpAffinity(),
              spec.internalTrafficPolicy(),
              spec.trafficDistribution(),
              spec.publishNotReadyAddresses(),
              spec.externalName(),
              spec.balancing());
      return this;
    }

    public SpecBuilder internalTrafficPolicy(ServiceSpec.TrafficPolicy policy) {
      return policies(policy, spec.trafficDistribution(), spec.publishNotReadyAddresses());
    }

    public SpecBuilder distribution(ServiceSpec.TrafficDistribution distribution) {
      return policies(
          spec.internalTrafficPolicy(), Optional.of(distribution), spec.publishNotReadyAddresses());
    }

    public SpecBuilder publishingNotReady() {
      return policies(spec.internalTrafficPolicy(), spec.trafficDistribution(), true);
    }

    private SpecBuilder policies(
        ServiceSpec.TrafficPolicy policy,
        Optional<ServiceSpec.TrafficDistribution> distribution,
        boolean publishNotReady) {
      spec =
          new ServiceSpec(
              spec.exposure(),
              spec.clusterIps(),
              spec.ipFamilies(),
              spec.ipFamilyPolicy(),
              spec.selector(),
              spec.ports(),
              spec.clientIpAffinity(),
              policy,
              distribution,
              publishNotReady,
              spec.externalName(),
              spec.balancing());
      return this;
    }
  }
}
