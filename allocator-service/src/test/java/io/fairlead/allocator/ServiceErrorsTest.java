package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.UpdateServiceRequest;
import io.grpc.Status.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * That what the deciders refuse arrives at callers: code, reason and every field at once. What is
 * refused when is the business of the conformance rows.
 */
@Timeout(120)
class ServiceErrorsTest {
  /** Of a row of conformance/service-api.tsv, whose id it has. */
  private record Case(
      String row, Consumer<Service.Builder> change, Code code, Reason reason, List<String> fields) {
    static Case invalid(String row, Consumer<Service.Builder> change, String... fields) {
      return new Case(row, change, Code.INVALID_ARGUMENT, Reason.INVALID, List.of(fields));
    }

    static Case spec(String row, Consumer<ServiceSpec.Builder> change, String... fields) {
      return invalid(row, s -> change.accept(s.getSpecBuilder()), fields);
    }

    static Case port(String row, Consumer<ServicePort.Builder> change, String... fields) {
      return spec(row, s -> change.accept(s.getPortsBuilder(0)), fields);
    }
  }

  /** Of fields that are checked alike in what is created and what is changed. */
  private static final List<Case> BOTH =
      List.of(
          Case.spec("A2", ServiceSpec.Builder::clearPorts, "spec.ports Required"),
          Case.port("A9", p -> p.setPort(65_536), "spec.ports[0].port Invalid"),
          Case.spec(
              "A11",
              s -> s.addPorts(ServicePort.newBuilder().setName("b").setPort(81)),
              "spec.ports[0].name Required"),
          Case.spec(
              "A14",
              s -> {
                s.getPortsBuilder(0).setName("a");
                s.addPorts(ServicePort.newBuilder().setName("b").setPort(80));
              },
              "spec.ports[1] Duplicate"),
          Case.port("A15", p -> p.setProtocol("tcp"), "spec.ports[0].protocol NotSupported"),
          Case.port("A20", p -> p.setTargetPort("a--b"), "spec.ports[0].targetPort Invalid"),
          Case.port("A21", p -> p.setNodePort(30_000), "spec.ports[0].nodePort Forbidden"),
          Case.spec(
              "A23",
              s -> {
                s.setSessionAffinity("ClientIP");
                s.getSessionAffinityConfigBuilder().getClientIpBuilder().setTimeoutSeconds(86_401);
              },
              "spec.sessionAffinityConfig.clientIP.timeoutSeconds Invalid"),
          Case.spec(
              "A25", s -> s.setSessionAffinity("clientip"), "spec.sessionAffinity NotSupported"),
          Case.spec("A32", s -> s.setClusterIp("010.96.0.5"), "spec.clusterIPs[0] Invalid"),
          Case.spec(
              "A39",
              s -> s.addIpFamilies("IPv4").addIpFamilies("IPv4"),
              "spec.ipFamilies[1] Duplicate"),
          Case.spec("A46", s -> s.setType("ExternalName"), "spec.externalName Required"),
          Case.spec("A50", s -> s.putSelector("-bad", "x"), "spec.selector Invalid"),
          Case.invalid(
              "many",
              s -> {
                s.getMetadataBuilder().putLabels("-bad", "x").putAnnotations("b@d", "x");
                s.getSpecBuilder()
                    .setInternalTrafficPolicy("Both")
                    .setTrafficDistribution("Prefer")
                    .getPortsBuilder(0)
                    .setPort(0)
                    .setProtocol("ICMP")
                    .setAppProtocol("-");
              },
              "metadata.annotations Invalid",
              "metadata.labels Invalid",
              "spec.internalTrafficPolicy NotSupported",
              "spec.ports[0].appProtocol Invalid",
              "spec.ports[0].port Invalid",
              "spec.ports[0].protocol NotSupported",
              "spec.trafficDistribution NotSupported"));

  private static final List<Case> CREATE =
      List.of(
          Case.invalid("A7", s -> s.getMetadataBuilder().setName("a_b"), "metadata.name Invalid"),
          Case.spec("A29", s -> s.setClusterIp("10.97.0.1"), "spec.clusterIPs Invalid"),
          Case.spec(
              "A40",
              s -> s.addIpFamilies("IPv4").addIpFamilies("IPv6"),
              "spec.ipFamilies[1] Invalid", // one range only, of IPv4
              "spec.ipFamilyPolicy Invalid"),
          new Case(
              "A28",
              s -> s.getSpecBuilder().setClusterIp("10.96.0.20"),
              Code.ALREADY_EXISTS,
              Reason.CLUSTER_IP_TAKEN,
              List.of()),
          Case.spec(
              "A28 among others",
              s -> s.setClusterIp("10.96.0.20").setSessionAffinity("x"),
              "spec.clusterIPs Invalid",
              "spec.sessionAffinity NotSupported"),
          new Case(
              "name",
              s -> s.getMetadataBuilder().setName("web"),
              Code.ALREADY_EXISTS,
              Reason.NAME_TAKEN,
              List.of()));

  private static final List<Case> UPDATE =
      List.of(
          Case.spec("A52", s -> s.setClusterIp("10.96.0.21"), "spec.clusterIPs[0] Immutable"),
          Case.spec("A52 None", s -> s.setClusterIp("None"), "spec.clusterIPs[0] Immutable"),
          new Case(
              "A62",
              s -> s.getMetadataBuilder().setResourceVersion("1"),
              Code.ABORTED,
              Reason.STALE_VERSION,
              List.of()),
          new Case(
              "missing",
              s -> s.getMetadataBuilder().setName("none"),
              Code.NOT_FOUND,
              Reason.NOT_FOUND,
              List.of()));

  private final List<String> wrong = new ArrayList<>();

  private void check(String how, Case expected, ErrorReport report) {
    var fields = report.faults().stream().map(f -> f.field() + " " + f.reason()).sorted().toList();
    if (report.code() != expected.code()
        || !report.reason().equals(java.util.Optional.of(expected.reason()))
        || !fields.equals(expected.fields())) {
      wrong.add(
          "%s %s: %s %s %s".formatted(how, expected.row(), report.code(), report.reason(), fields));
    }
  }

  private static Service changed(String name, Case row) {
    var service = service(name, "").toBuilder();
    row.change().accept(service);
    return service.build();
  }

  @Test
  void everyKindOfFaultArrivesWithItsFieldAndNothingIsDone() {
    try (var world = new FakeNeighbours("10.96.0.0/16")) {
      var client = world.start("a").client;
      client.create("web", service("web", "10.96.0.20"));
      var events = world.events();
      var claims = world.claims();
      for (var row : concat(BOTH, CREATE)) {
        check("create", row, failure(() -> client.create(id(), changed("new", row))));
      }
      for (var row : concat(BOTH, UPDATE)) {
        var request =
            UpdateServiceRequest.newBuilder()
                .setRequestId(id())
                .setService(changed("web", row))
                .build();
        check("update", row, failure(() -> client.services().update(request)));
      }
      assertThat(wrong).isEmpty();
      assertThat(world.events()).isEqualTo(events);
      assertThat(world.claims()).isEqualTo(claims);
      assertThat(world.faults).isEmpty();
    }
  }

  private static List<Case> concat(List<Case> some, List<Case> others) {
    var all = new ArrayList<>(some);
    all.addAll(others);
    return all;
  }

  private static String id() {
    return UUID.randomUUID().toString();
  }
}
