package io.fairlead.core.env;

import static io.fairlead.core.image.TestObjects.meta;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.env.ServiceEnvironment.Links;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(20)
final class ServiceEnvironmentTest {
  private static final ServicePort HTTP = port("", Protocol.TCP, 80);
  private static final Service CONTROL_PLANE =
      service("default", "fairlead", "10.96.0.1", port("allocator", Protocol.TCP, 7401));

  /**
   * A row of the conformance list.
   *
   * @param expected all variables; those of the control plane are left out where the Pod's
   *     namespace is not theirs
   */
  record Case(
      String row,
      String namespace,
      Links links,
      List<Service> services,
      Map<String, String> expected) {
    @Override
    public String toString() {
      return row;
    }
  }

  static Stream<Case> rows() {
    return Stream.of(
        row(
            "D1: one unnamed port gives seven variables",
            service("shop", "foo-bar", "1.2.3.4", port("", Protocol.TCP, 8080)),
            Map.of(
                "FOO_BAR_SERVICE_HOST", "1.2.3.4",
                "FOO_BAR_SERVICE_PORT", "8080",
                "FOO_BAR_PORT", "tcp://1.2.3.4:8080",
                "FOO_BAR_PORT_8080_TCP", "tcp://1.2.3.4:8080",
                "FOO_BAR_PORT_8080_TCP_PROTO", "tcp",
                "FOO_BAR_PORT_8080_TCP_PORT", "8080",
                "FOO_BAR_PORT_8080_TCP_ADDR", "1.2.3.4")),
        row(
            "D2: the first of two named ports is the Service's",
            service(
                "shop",
                "foo",
                "1.2.3.4",
                port("u-d-p", Protocol.UDP, 8081),
                port("t-c-p", Protocol.TCP, 8081)),
            Map.ofEntries(
                Map.entry("FOO_SERVICE_HOST", "1.2.3.4"),
                Map.entry("FOO_SERVICE_PORT", "8081"),
                Map.entry("FOO_SERVICE_PORT_U_D_P", "8081"),
                Map.entry("FOO_SERVICE_PORT_T_C_P", "8081"),
                Map.entry("FOO_PORT", "udp://1.2.3.4:8081"),
                Map.entry("FOO_PORT_8081_UDP", "udp://1.2.3.4:8081"),
                Map.entry("FOO_PORT_8081_UDP_PROTO", "udp"),
                Map.entry("FOO_PORT_8081_UDP_PORT", "8081"),
                Map.entry("FOO_PORT_8081_UDP_ADDR", "1.2.3.4"),
                Map.entry("FOO_PORT_8081_TCP", "tcp://1.2.3.4:8081"),
                Map.entry("FOO_PORT_8081_TCP_PROTO", "tcp"),
                Map.entry("FOO_PORT_8081_TCP_PORT", "8081"),
                Map.entry("FOO_PORT_8081_TCP_ADDR", "1.2.3.4"))),
        row(
            "D3: only a named port has a variable of its name, also one of digits",
            service(
                "shop",
                "q-u-u-x",
                "9.8.7.6",
                port("", Protocol.TCP, 8082),
                port("8083", Protocol.TCP, 8083)),
            Map.ofEntries(
                Map.entry("Q_U_U_X_SERVICE_HOST", "9.8.7.6"),
                Map.entry("Q_U_U_X_SERVICE_PORT", "8082"),
                Map.entry("Q_U_U_X_SERVICE_PORT_8083", "8083"),
                Map.entry("Q_U_U_X_PORT", "tcp://9.8.7.6:8082"),
                Map.entry("Q_U_U_X_PORT_8082_TCP", "tcp://9.8.7.6:8082"),
                Map.entry("Q_U_U_X_PORT_8082_TCP_PROTO", "tcp"),
                Map.entry("Q_U_U_X_PORT_8082_TCP_PORT", "8082"),
                Map.entry("Q_U_U_X_PORT_8082_TCP_ADDR", "9.8.7.6"),
                Map.entry("Q_U_U_X_PORT_8083_TCP", "tcp://9.8.7.6:8083"),
                Map.entry("Q_U_U_X_PORT_8083_TCP_PROTO", "tcp"),
                Map.entry("Q_U_U_X_PORT_8083_TCP_PORT", "8083"),
                Map.entry("Q_U_U_X_PORT_8083_TCP_ADDR", "9.8.7.6"))),
        row(
            "D4: an IPv6 address has brackets in URLs only",
            service("shop", "six", "2001:db8::1", HTTP),
            Map.of(
                "SIX_SERVICE_HOST", "2001:db8::1",
                "SIX_SERVICE_PORT", "80",
                "SIX_PORT", "tcp://[2001:db8::1]:80",
                "SIX_PORT_80_TCP", "tcp://[2001:db8::1]:80",
                "SIX_PORT_80_TCP_PROTO", "tcp",
                "SIX_PORT_80_TCP_PORT", "80",
                "SIX_PORT_80_TCP_ADDR", "2001:db8::1")),
        row("D6: headless", withoutAddress(ServiceSpec.Exposure.HEADLESS), Map.of()),
        row("D7: ExternalName", withoutAddress(ServiceSpec.Exposure.EXTERNAL_NAME), Map.of()),
        new Case(
            "D10: without links there is only the control plane",
            "shop",
            Links.DISABLED,
            List.of(service("shop", "foo", "1.2.3.4", HTTP), CONTROL_PLANE),
            Map.of(
                "FAIRLEAD_SERVICE_HOST", "10.96.0.1",
                "FAIRLEAD_SERVICE_PORT", "7401",
                "FAIRLEAD_SERVICE_PORT_ALLOCATOR", "7401",
                "FAIRLEAD_PORT", "tcp://10.96.0.1:7401",
                "FAIRLEAD_PORT_7401_TCP", "tcp://10.96.0.1:7401",
                "FAIRLEAD_PORT_7401_TCP_PROTO", "tcp",
                "FAIRLEAD_PORT_7401_TCP_PORT", "7401",
                "FAIRLEAD_PORT_7401_TCP_ADDR", "10.96.0.1")),
        row(
            "another namespace's Service is not told of",
            service("other", "foo", "1.2.3.4", HTTP),
            Map.of()));
  }

  private static Case row(String row, Service service, Map<String, String> expected) {
    return new Case(row, "shop", Links.ENABLED, List.of(service), expected);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void tellsOfServices(Case row) {
    assertThat(ServiceEnvironment.of(row.namespace(), row.links(), row.services()))
        .isEqualTo(row.expected());
  }

  @Test
  void isInTheOrderOfServicesAndTheirPorts() {
    var last = service("shop", "web", "1.2.3.5", HTTP);
    var first =
        service("shop", "app", "1.2.3.4", port("b", Protocol.TCP, 80), port("a", Protocol.UDP, 53));
    assertThat(ServiceEnvironment.of("shop", Links.ENABLED, List.of(last, first)).sequencedKeySet())
        .startsWith(
            "APP_SERVICE_HOST",
            "APP_SERVICE_PORT",
            "APP_SERVICE_PORT_B",
            "APP_SERVICE_PORT_A",
            "APP_PORT",
            "APP_PORT_80_TCP",
            "APP_PORT_80_TCP_PROTO",
            "APP_PORT_80_TCP_PORT",
            "APP_PORT_80_TCP_ADDR",
            "APP_PORT_53_UDP")
        .endsWith("WEB_PORT_80_TCP_ADDR");
  }

  @Test
  void everyPodIsToldOfTheControlPlane() {
    assertThat(ServiceEnvironment.of("shop", Links.ENABLED, List.of(CONTROL_PLANE)))
        .containsEntry("FAIRLEAD_SERVICE_HOST", "10.96.0.1");
  }

  @Test
  void aServiceOfThatNameInThePodsNamespaceOverridesIt() {
    var own = service("shop", "fairlead", "1.2.3.4", HTTP);
    for (var services : List.of(List.of(own, CONTROL_PLANE), List.of(CONTROL_PLANE, own))) {
      assertThat(ServiceEnvironment.of("shop", Links.ENABLED, services))
          .containsEntry("FAIRLEAD_SERVICE_HOST", "1.2.3.4");
    }
  }

  @Test
  void aCollisionHasOneOutcomeWhateverTheOrder() {
    var foo = service("shop", "foo", "1.2.3.4", HTTP);
    var late = service("shop", "foo-port-80-tcp", "1.2.3.5", HTTP);
    for (var services : List.of(List.of(foo, late), List.of(late, foo))) {
      assertThat(ServiceEnvironment.of("shop", Links.ENABLED, services))
          .containsEntry("FOO_PORT_80_TCP_PORT", "tcp://1.2.3.5:80");
    }
  }

  private static ServicePort port(String name, Protocol protocol, int number) {
    return new ServicePort(name, protocol, number, new PortRef.Number(1), Optional.empty());
  }

  private static Service service(
      String namespace, String name, String clusterIp, ServicePort... ports) {
    return service(
        namespace,
        name,
        ServiceSpec.Exposure.CLUSTER_IP,
        List.of(Address.of(clusterIp)),
        List.of(ports));
  }

  private static Service withoutAddress(ServiceSpec.Exposure exposure) {
    return service("shop", "foo", exposure, List.of(), List.of(HTTP));
  }

  private static Service service(
      String namespace,
      String name,
      ServiceSpec.Exposure exposure,
      List<Address> clusterIps,
      List<ServicePort> ports) {
    return new Service(
        meta(namespace, name, Map.of()),
        new ServiceSpec(
            exposure,
            clusterIps,
            clusterIps.stream().map(Address::family).toList(),
            ServiceSpec.IpFamilyPolicy.SINGLE_STACK,
            new TreeMap<>(),
            ports,
            Optional.empty(),
            ServiceSpec.TrafficPolicy.CLUSTER,
            Optional.empty(),
            false,
            Optional.empty(),
            ServiceSpec.Balancing.ROUND_ROBIN));
  }
}
