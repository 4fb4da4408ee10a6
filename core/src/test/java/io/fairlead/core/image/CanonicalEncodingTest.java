package io.fairlead.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.Topic;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class CanonicalEncodingTest {
  record Case(String name, DomainObject object, String digest) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Instant CREATED = Instant.parse("2026-11-20T12:00:00.123456789Z");

  private static ObjectMeta meta(String namespace, String name) {
    return new ObjectMeta(
        namespace,
        name,
        new UUID(0x0123456789ab4defL, 0x8123456789abcdefL),
        new TreeMap<>(Map.of("app", "shop", "tier", "web")),
        new TreeMap<>(Map.of("note", "grün")),
        CREATED);
  }

  private static Pod.Probe http() {
    return new Pod.Probe(
        new Pod.HttpGet(
            Pod.Scheme.HTTP,
            Optional.of("127.0.0.1"),
            new PortRef.Name("web"),
            "/ready",
            List.of(new Pod.HttpHeader("X-Probe", "1"))),
        Duration.ofSeconds(1),
        Duration.ofSeconds(10),
        Duration.ofMillis(1500),
        1,
        3);
  }

  private static Pod.Probe tcp() {
    return new Pod.Probe(
        new Pod.TcpSocket(Optional.of("::1"), new PortRef.Number(8081)),
        Duration.ZERO,
        Duration.ofSeconds(5),
        Duration.ofSeconds(1),
        2,
        4);
  }

  private static Pod pod(Pod.Probe http, Pod.Probe tcp) {
    return new Pod(
        meta("shop", "web-1"),
        new Pod.Spec(
            Optional.of("node-a"),
            true,
            Optional.of("web-1"),
            Optional.of("web"),
            List.of(
                new Pod.Container(
                    "main",
                    "example/web:1",
                    List.of("/bin/web"),
                    List.of("--port", "8080"),
                    new TreeMap<>(Map.of("MODE", "fast")),
                    List.of(new Pod.ContainerPort("web", Protocol.TCP, 8080)),
                    Optional.of(http),
                    Optional.of("/srv")),
                new Pod.Container(
                    "side",
                    "example/side:1",
                    List.of("/bin/side"),
                    List.of("-v"),
                    new TreeMap<>(Map.of("A", "B")),
                    List.of(new Pod.ContainerPort("m", Protocol.SCTP, 9090)),
                    Optional.of(tcp),
                    Optional.of("/opt"))),
            Pod.RestartPolicy.ON_FAILURE,
            Duration.ofSeconds(5)),
        new Pod.Status(
            Pod.Phase.RUNNING,
            List.of(Address.of("10.244.0.5")),
            "started",
            "all of them",
            List.of(
                new ContainerStatus(
                    "main",
                    2,
                    new ContainerStatus.Running(CREATED),
                    Optional.of(
                        new ContainerStatus.Terminated(
                            137, "Error", "out", Optional.of(CREATED), CREATED))),
                new ContainerStatus(
                    "side",
                    1,
                    new ContainerStatus.Waiting("CrashLoopBackOff", "10 s"),
                    Optional.of(
                        new ContainerStatus.Terminated(
                            1, "Error", "in", Optional.of(CREATED), CREATED)))),
            Optional.of(CREATED)),
        "manifests/node-a");
  }

  /** With a value in each field that older Pods do not have. */
  private static Pod later(Pod pod) {
    var spec = pod.spec();
    var exec =
        new Pod.Probe(
            new Pod.Exec(List.of("/bin/check", "-q")),
            Duration.ofSeconds(2),
            Duration.ofSeconds(3),
            Duration.ofSeconds(4),
            1,
            30);
    var grpc =
        new Pod.Probe(
            new Pod.Grpc(9000, "shop.Web"),
            Duration.ofSeconds(2),
            Duration.ofSeconds(3),
            Duration.ofSeconds(4),
            1,
            30);
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            spec.nodeName(),
            spec.hostNetwork(),
            spec.hostname(),
            spec.subdomain(),
            spec.containers().stream().map(c -> later(c, exec)).toList(),
            spec.restartPolicy(),
            spec.terminationGrace(),
            List.of(later(spec.containers().getLast(), grpc)),
            List.of("example.com/gate"),
            false),
        pod.status()
            .with(
                List.of(
                    new Pod.Condition(
                        "example.com/gate",
                        Pod.Condition.State.UNKNOWN,
                        "Asked",
                        "no answer",
                        CREATED))),
        pod.source());
  }

  private static Pod.Container later(Pod.Container container, Pod.Probe startup) {
    return new Pod.Container(
        container.name(),
        container.image(),
        container.command(),
        container.args(),
        container.env(),
        container.ports(),
        container.readinessProbe(),
        container.workingDir(),
        Optional.of(startup),
        Optional.of(Pod.RestartPolicy.ALWAYS));
  }

  /** As they were before fields were added. */
  static Stream<Case> olderObjects() {
    return Stream.of(
        new Case(
            "a Node of an agent that does not say which sources it has",
            new Node(
                meta("", "node-a"),
                Optional.of("a"),
                List.of(Address.of("192.0.2.10")),
                List.of(Cidr.of("10.244.0.0/24")),
                "0.1.0",
                "",
                OptionalLong.of(17),
                Node.State.LOST,
                "lease ran out"),
            "ea48e551e3684014e43a9faab5cad016"),
        new Case("a Pod", pod(http(), tcp()), "2aa084d0604a50249bc40878cb475683"),
        new Case(
            "a PodReadiness",
            new PodReadiness(
                new ObjectName("shop", "web-1"),
                new UUID(3, 4),
                true,
                "node-a",
                17,
                5,
                "http 200",
                CREATED),
            "69cad9939257f11179c6a19950ae4460"));
  }

  /** Every field of every record has a value here, every sealed case appears. */
  static Stream<Case> objects() {
    var http = http();
    var tcp = tcp();
    return Stream.of(
        new Case(
            "a partition header",
            new PartitionHeader(new LogPartition(Topic.PODS, 3), 16, "murmur2", new UUID(1, 2)),
            "b2af788678a16ef2baa03214dc1720fb"),
        new Case(
            "a Service",
            new Service(
                meta("shop", "web"),
                new ServiceSpec(
                    ServiceSpec.Exposure.CLUSTER_IP,
                    List.of(Address.of("10.96.0.20"), Address.of("fd00::20")),
                    List.of(Family.IPV4, Family.IPV6),
                    ServiceSpec.IpFamilyPolicy.REQUIRE_DUAL_STACK,
                    new TreeMap<>(Map.of("app", "web")),
                    List.of(
                        new ServicePort(
                            "http",
                            Protocol.TCP,
                            80,
                            new PortRef.Number(8080),
                            Optional.of("http")),
                        new ServicePort(
                            "dns", Protocol.UDP, 53, new PortRef.Name("dns"), Optional.of("dns"))),
                    Optional.of(Duration.ofHours(3)),
                    ServiceSpec.TrafficPolicy.LOCAL,
                    Optional.of(ServiceSpec.TrafficDistribution.PREFER_SAME_ZONE),
                    true,
                    Optional.of("example.com"),
                    ServiceSpec.Balancing.RANDOM)),
            "6073808a6e29218db99935dbfc591030"),
        new Case(
            "a ServiceCIDR",
            new ServiceCidr(
                meta("", "default"),
                List.of(Cidr.of("10.96.0.0/16"), Cidr.of("fd00::/108")),
                Optional.of(CREATED)),
            "b2a673ccb83fb3e47d04ad85b4a52350"),
        new Case(
            "a Namespace", new Namespace(meta("", "shop")), "f55d91d11af298bedcaa059c2af5f417"),
        new Case(
            "a Reservation",
            new Reservation(
                new UUID(5, 6),
                CREATED,
                new ObjectName("shop", "web"),
                List.of(Address.of("10.96.0.20"), Address.of("fd00::20")),
                Duration.ofMinutes(10)),
            "e1df32cafbde3e197d598e34c1df3645"),
        new Case("a Pod", later(pod(http, tcp)), "34983623625f02bcf25b40d87651f9d6"),
        new Case(
            "a PodReadiness",
            new PodReadiness(
                new ObjectName("shop", "web-1"),
                new UUID(3, 4),
                true,
                "node-a",
                17,
                5,
                "http 200",
                CREATED,
                new TreeMap<>(Map.of("main", CREATED)),
                3,
                List.of(new PodReadiness.Turn(true, "http 200", CREATED))),
            "77ba568237e0dc5aae1ee94b4f5044c0"),
        new Case(
            "a Node",
            new Node(
                meta("", "node-a"),
                Optional.of("a"),
                List.of(Address.of("192.0.2.10")),
                List.of(Cidr.of("10.244.0.0/24")),
                "0.1.0",
                "",
                OptionalLong.of(17),
                Node.State.LOST,
                "lease ran out",
                List.of("manifests/node-a")),
            "8b79385373a5e6b5f8e29f3ec141d123"),
        new Case(
            "an EndpointSlice",
            new ManualSlice(
                meta("shop", "db-1"),
                Family.IPV4,
                List.of(new ManualSlice.Port("pg", Protocol.TCP, 5432, Optional.of("postgres"))),
                List.of(
                    new ManualSlice.Endpoint(
                        Address.of("192.0.2.7"),
                        true,
                        true,
                        false,
                        Optional.of("db-0"),
                        Optional.of("node-a"),
                        Optional.of("zone-a"),
                        List.of("zone-a"),
                        List.of("node-a")))),
            "d3d5ed9adc5bc7fb2eabb04ee0b10a26"),
        new Case(
            "feature level",
            new FeatureLevel(2, new UUID(0x0123456789ab4defL, 0x8123456789abcdefL)),
            "b7fe89b5dfb5025f32ae87db746c9465"));
  }

  @ParameterizedTest
  @MethodSource({"objects", "olderObjects"})
  void givesTheBytesItAlwaysGave(Case row) {
    assertThat(Digest.of(row.object())).hasToString(row.digest());
  }

  /** Fails for a component that somebody added to a record and forgot in the encoding. */
  @ParameterizedTest
  @MethodSource("objects")
  void containsEveryComponent(Case row) throws ReflectiveOperationException {
    var original = Digest.of(row.object());
    var seen = new HashSet<Digest>();
    var mutants = mutants(row.object());
    assertThat(mutants).isNotEmpty();
    for (var mutant : mutants.entrySet()) {
      var digest = Digest.of((DomainObject) mutant.getValue());
      assertThat(digest).as("digest after a change of " + mutant.getKey()).isNotEqualTo(original);
      seen.add(digest);
    }
    assertThat(seen).as("digests of all changes").hasSameSizeAs(mutants.keySet());
  }

  @Test
  void coversEveryKindOfObject() {
    assertThat(objects().<Class<?>>map(c -> c.object().getClass()))
        .containsExactlyInAnyOrder(
            Stream.of(DomainObject.class.getPermittedSubclasses()).toArray(Class<?>[]::new));
  }

  @Test
  void tellsTextsApartWhereverOneEnds() {
    var one = TestObjects.meta("a", "bc", Map.of());
    var other = TestObjects.meta("ab", "c", Map.of());
    var pod = TestObjects.pod("x", "y", "n", "10.0.0.1");
    assertThat(Digest.of(new Pod(sameUid(one), pod.spec(), pod.status(), "s")))
        .isNotEqualTo(Digest.of(new Pod(sameUid(other), pod.spec(), pod.status(), "s")));
  }

  private static ObjectMeta sameUid(ObjectMeta meta) {
    return new ObjectMeta(
        meta.namespace(),
        meta.name(),
        new UUID(0, 0),
        meta.labels(),
        meta.annotations(),
        meta.created());
  }

  /** Values that differ from this one in exactly one place, by where that is. */
  private static Map<String, Object> mutants(Object value) throws ReflectiveOperationException {
    var mutants = new LinkedHashMap<String, Object>();
    switch (value) {
      case String text -> mutants.put("text", text + "x");
      case Integer number -> mutants.put("number", number + 1);
      case Long number -> mutants.put("number", number + 1);
      case Boolean flag -> mutants.put("flag", !flag);
      case UUID uuid -> {
        long high = uuid.getMostSignificantBits();
        long low = uuid.getLeastSignificantBits();
        mutants.put("high", new UUID(high + 1, low));
        mutants.put("low", new UUID(high, low + 1));
      }
      case Instant instant -> {
        mutants.put("seconds", instant.plusSeconds(1));
        mutants.put("nanos", instant.plusNanos(1));
      }
      case Duration duration -> {
        mutants.put("seconds", duration.plusSeconds(1));
        mutants.put("nanos", duration.plusNanos(1));
      }
      case Enum<?> constant ->
          Stream.of(constant.getDeclaringClass().getEnumConstants())
              .filter(other -> !other.equals(constant))
              .forEach(other -> mutants.put(other.toString(), other));
      case Address address -> {
        mutants.put("low", new Address(address.family(), address.high(), address.low() ^ 1));
        if (address.family() == Family.IPV6) {
          mutants.put("high", new Address(Family.IPV6, address.high() ^ 1, address.low()));
        } else {
          mutants.put("family", new Address(Family.IPV6, 0, address.low()));
        }
      }
      case Cidr cidr -> mutants.put("prefix", new Cidr(cidr.base(), cidr.prefix() + 1));
      case LogPartition partition ->
          mutants.put("index", new LogPartition(partition.topic(), partition.index() + 1));
      case OptionalLong number -> {
        mutants.put("absent", OptionalLong.empty());
        mutants.put("number", OptionalLong.of(number.orElseThrow() + 1));
      }
      case Optional<?> optional -> {
        mutants.put("absent", Optional.empty());
        mutants(optional.orElseThrow()).forEach((at, v) -> mutants.put(at, Optional.of(v)));
      }
      case List<?> list -> {
        mutants.put("shorter", list.subList(0, list.size() - 1));
        for (int i = 0; i < list.size(); i++) {
          for (var mutant : mutants(list.get(i)).entrySet()) {
            var copy = new ArrayList<Object>(list);
            copy.set(i, mutant.getValue());
            mutants.put(i + "." + mutant.getKey(), copy);
          }
        }
      }
      case SortedMap<?, ?> map -> {
        var first = (String) map.firstKey();
        var less = new TreeMap<Object, Object>(map);
        less.remove(first);
        mutants.put("less", less);
        var other = new TreeMap<Object, Object>(map);
        other.put(
            first, mutants(Objects.requireNonNull(map.get(first))).values().iterator().next());
        mutants.put("value", other);
        var renamed = new TreeMap<Object, Object>(less);
        renamed.put(first + "x", map.get(first));
        mutants.put("key", renamed);
      }
      case Record all -> {
        for (var component : all.getClass().getRecordComponents()) {
          component.getAccessor().setAccessible(true);
          for (var mutant : mutants(component.getAccessor().invoke(all)).entrySet()) {
            mutants.put(
                component.getName() + "." + mutant.getKey(),
                copy(all, component, mutant.getValue()));
          }
        }
      }
      default ->
          throw new AssertionError(
              "how to change a " + value.getClass() + "8b79385373a5e6b5f8e29f3ec141d123");
    }
    return mutants;
  }

  private static Object copy(Record original, RecordComponent changed, Object value)
      throws ReflectiveOperationException {
    var components = original.getClass().getRecordComponents();
    var types = Stream.of(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    var values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      components[i].getAccessor().setAccessible(true);
      values[i] =
          components[i].getName().equals(changed.getName())
              ? value
              : components[i].getAccessor().invoke(original);
    }
    var constructor = original.getClass().getDeclaredConstructor(types);
    constructor.setAccessible(true);
    return constructor.newInstance(values);
  }
}
