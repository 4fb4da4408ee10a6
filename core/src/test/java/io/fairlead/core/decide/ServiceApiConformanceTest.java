package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestService.service;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.conformance.ConformanceRow;
import io.fairlead.core.decide.ServiceDraft.PortDraft;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.model.ServiceSpec.IpFamilyPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each row of {@code conformance/service-api.tsv} over a single-stack range, unless the row says
 * otherwise.
 */
@Timeout(30)
class ServiceApiConformanceTest {
  private static final String RANGE = "10.96.0.0/16";
  private static final String RANGE6 = "fd00:10:96::/112";

  private static final Map<String, Consumer<DecidedServices>> CASES =
      Map.ofEntries(
          entry("A2", s -> faults(s, service("a").noPorts(), "spec.ports Required")),
          entry("A3", s -> s.stored(service("a").noPorts().clusterIp("None").create())),
          entry(
              "A4", s -> s.stored(service("a").noPorts().externalName("db.example.com").create())),
          entry(
              "A5",
              s -> {
                s.stored(service("a".repeat(63)).create());
                faults(s, service("a".repeat(64)), "metadata.name TooLong");
              }),
          entry("A6", s -> s.stored(service("1abc").create())),
          entry(
              "A7",
              s ->
                  List.of("My-Svc", "a_b", "a.b", "-a", "a-")
                      .forEach(name -> faults(s, service(name), "metadata.name Invalid"))),
          entry(
              "A8",
              s -> {
                s.stored(service("1abc").create());
                s.stored(service("1abc").labels(Map.of("tier", "b")).apply());
              }),
          entry(
              "A9",
              s ->
                  List.of(0, -1, 65_536)
                      .forEach(port ->
                          faults(
                              s, service("a").port("", "", port), "spec.ports[0].port Invalid"))),
          entry(
              "A10",
              s -> {
                s.stored(service("a").port("", "", 1).create());
                s.stored(service("b").port("", "", 65_535).create());
              }),
          entry(
              "A11",
              s -> {
                faults(
                    s,
                    service("a").port("x", "", 1).port("", "", 2),
                    "spec.ports[1].name Required");
                faults(
                    s,
                    service("a").port("", "", 1).port("x", "", 2),
                    "spec.ports[0].name Required");
              }),
          entry(
              "A12",
              s ->
                  faults(
                      s,
                      service("a").port("x", "", 1).port("x", "", 2),
                      "spec.ports[1].name Duplicate")),
          entry(
              "A13",
              s ->
                  s.stored(
                      service("a").port("dns", "UDP", 53).port("dns-tcp", "TCP", 53).create())),
          entry(
              "A14",
              s ->
                  faults(
                      s,
                      service("a").port("x", "TCP", 80).port("y", "", 80),
                      "spec.ports[1] Duplicate")),
          entry(
              "A15",
              s ->
                  List.of("tcp", "ICMP")
                      .forEach(protocol ->
                          faults(
                              s,
                              service("a").port("", protocol, 80),
                              "spec.ports[0].protocol NotSupported"))),
          entry("A16", s -> s.stored(service("a").port("", "SCTP", 80).create())),
          entry("A17", s -> s.stored(service("a").port("a".repeat(20), "", 80).create())),
          entry(
              "A20",
              s ->
                  List.of("a--b", "-a", "A")
                      .forEach(target ->
                          assertThat(s.faults(service("a").targetPort(target).create()))
                              .isNotEmpty()
                              .containsOnly("spec.ports[0].targetPort Invalid"))),
          entry(
              "A21",
              s ->
                  faults(
                      s,
                      service("a").port(new PortDraft("", "", 80, "", "", 30_000)),
                      "spec.ports[0].nodePort Forbidden")),
          entry(
              "A23",
              s -> {
                var field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds Invalid";
                faults(s, service("a").affinitySeconds(0), field);
                faults(s, service("a").affinitySeconds(86_401), field);
                s.stored(service("b").affinitySeconds(1).create());
                assertThat(
                        s.stored(service("c").affinitySeconds(86_400).create())
                            .spec()
                            .clientIpAffinity())
                    .contains(Duration.ofDays(1));
              }),
          entry(
              "A25",
              s ->
                  faults(
                      s, service("a").affinity("clientip"), "spec.sessionAffinity NotSupported")),
          entry(
              "A26",
              s ->
                  assertThat(s.ip(service("a").clusterIp("10.96.0.10").create()))
                      .isEqualTo("10.96.0.10")),
          entry(
              "A27",
              s ->
                  assertThat(s.ip(service("a").clusterIp("10.96.9.9").create()))
                      .isEqualTo("10.96.9.9")),
          entry(
              "A28",
              s -> {
                s.stored(service("dns").clusterIp("10.96.0.10").create());
                assertThat(s.refused(service("a").clusterIp("10.96.0.10").create()))
                    .isEqualTo(
                        new Refusal.AddressTaken(
                            service("a").draft().key(),
                            Address.of("10.96.0.10"),
                            new ObjectName("shop", "dns")));
              }),
          entry(
              "A29",
              s -> faults(s, service("a").clusterIp("10.97.0.1"), "spec.clusterIPs Invalid")),
          entry(
              "A32",
              s -> faults(s, service("a").clusterIp("010.96.0.5"), "spec.clusterIPs[0] Invalid")),
          entry(
              "A34",
              s ->
                  faults(
                      s,
                      service("a").clusterIp("10.96.0.5").clusterIps("10.96.0.6"),
                      "spec.clusterIPs Invalid")),
          entry(
              "A37",
              s ->
                  faults(
                      s,
                      service("a").clusterIps("10.96.0.5", "10.96.0.6"),
                      "spec.clusterIPs Invalid")),
          entry(
              "A38",
              s ->
                  faults(
                      dual(),
                      service("a").families("IPv6").clusterIp("10.96.0.5"),
                      "spec.clusterIPs[0] Invalid")),
          entry(
              "A39",
              s ->
                  faults(s, service("a").families("IPv4", "IPv4"), "spec.ipFamilies[1] Duplicate")),
          entry(
              "A40",
              s ->
                  faults(
                      dual(),
                      service("a").families("IPv4", "IPv6"),
                      "spec.ipFamilyPolicy Invalid")),
          entry(
              "A42",
              s ->
                  assertThat(
                          s.stored(service("a").policy("PreferDualStack").create())
                              .spec()
                              .clusterIps())
                      .singleElement()
                      .extracting(Address::family)
                      .isEqualTo(Family.IPV4)),
          entry(
              "A43",
              s ->
                  assertThat(
                          dual()
                              .stored(
                                  service("a").policy("PreferDualStack").families("IPv6").create())
                              .spec()
                              .clusterIps())
                      .extracting(Address::family)
                      .containsExactly(Family.IPV6, Family.IPV4)),
          entry(
              "A44",
              s -> {
                var spec =
                    s.stored(service("a").clusterIp("None").selector(Map.of()).create()).spec();
                assertThat(spec.ipFamilyPolicy()).isEqualTo(IpFamilyPolicy.REQUIRE_DUAL_STACK);
                assertThat(spec.ipFamilies()).containsExactly(Family.IPV4, Family.IPV6);
                assertThat(spec.clusterIps()).isEmpty();
              }),
          entry(
              "A45",
              s ->
                  assertThat(s.faults(service("a").clusterIp("None").type("NodePort").create()))
                      .containsExactly("spec.clusterIPs[0] Invalid", "spec.type NotSupported")),
          entry("A46", s -> faults(s, service("a").externalName(""), "spec.externalName Required")),
          entry(
              "A48",
              s -> faults(s, service("a").externalName("Not_Valid"), "spec.externalName Invalid")),
          entry(
              "A49",
              s ->
                  faults(
                      s,
                      service("a").externalName("db.example.com").clusterIp("10.96.0.5"),
                      "spec.clusterIPs Forbidden")),
          entry(
              "A50",
              s -> {
                faults(s, service("a").selector(Map.of("-bad", "x")), "spec.selector Invalid");
                faults(
                    s,
                    service("a").selector(Map.of("app", "x".repeat(64))),
                    "spec.selector Invalid");
              }),
          entry(
              "A51",
              s -> {
                var ip = s.ip(service("a").create());
                assertThat(s.ip(service("a").labels(Map.of("tier", "b")).update())).isEqualTo(ip);
              }),
          entry(
              "A52",
              s -> {
                s.stored(service("a").clusterIp("10.96.0.5").create());
                assertThat(s.faults(service("a").clusterIp("10.96.0.6").update()))
                    .containsExactly("spec.clusterIPs[0] Immutable");
              }),
          entry(
              "A54",
              s -> {
                s.stored(service("a").clusterIp("None").create());
                assertThat(s.faults(service("a").update()))
                    .containsExactly("spec.clusterIP Immutable");
              }),
          entry(
              "A55",
              s -> {
                s.stored(service("a").clusterIp("10.96.0.5").create());
                var spec =
                    s.stored(
                            service("a")
                                .externalName("db.example.com")
                                .clusterIp("10.96.0.5")
                                .update())
                        .spec();
                assertThat(spec.exposure()).isEqualTo(Exposure.EXTERNAL_NAME);
                assertThat(spec.clusterIps()).isEmpty();
                assertThat(spec.ipFamilies()).isEmpty();
                assertThat(s.last.frees())
                    .extracting(c -> c.address().toString())
                    .containsExactly("10.96.0.5");
                assertThat(s.ip(service("b").clusterIp("10.96.0.5").create()))
                    .isEqualTo("10.96.0.5");
              }),
          entry(
              "A56",
              s -> {
                s.stored(service("a").externalName("db.example.com").create());
                var spec = s.stored(service("a").update()).spec();
                assertThat(spec.clusterIps()).singleElement().matches(Cidr.of(RANGE)::contains);
                assertThat(spec.externalName()).isEqualTo(Optional.empty());
              }),
          entry(
              "A58",
              s -> {
                var cluster = dual();
                var ip = cluster.ip(service("a").policy("RequireDualStack").create());
                assertThat(
                        cluster.faults(
                            service("a").policy("RequireDualStack").clusterIps(ip).update()))
                    .containsExactly("spec.ipFamilyPolicy Invalid");
              }),
          entry(
              "A59",
              s -> {
                var cluster = dual();
                cluster.stored(
                    service("a").policy("RequireDualStack").families("IPv4", "IPv6").create());
                assertThat(
                        cluster.faults(
                            service("a")
                                .policy("RequireDualStack")
                                .families("IPv6", "IPv4")
                                .update()))
                    .containsExactly("spec.ipFamilies[0] Immutable");
              }),
          entry(
              "A62",
              s -> {
                s.stored(service("a").create());
                s.stored(service("a").labels(Map.of("tier", "b")).update());
                var stale =
                    service("a").externalName("db.example.com").resourceVersion("11").update();
                assertThat(s.refused(stale)).isInstanceOf(Refusal.Stale.class);
                assertThat(s.last.changes()).isEmpty();
                assertThat(s.last.claims()).isEmpty();
                assertThat(s.last.frees()).isEmpty();
              }),
          entry(
              "A63",
              s -> {
                var tried = s.stored(new ServiceCommand.Create(service("a").draft(), DryRun.YES));
                assertThat(tried.spec().clusterIps()).hasSize(1);
                assertThat(s.last.changes()).isEmpty();
                assertThat(s.last.claims()).isEmpty();
                assertThat(s.image.services().clusterIps()).isEmpty();
              }));

  private static DecidedServices dual() {
    return DecidedServices.in(RANGE, RANGE6);
  }

  private static void faults(DecidedServices services, TestService service, String... expected) {
    assertThat(services.faults(service.create())).containsExactly(expected);
    assertThat(services.last.changes()).isEmpty();
  }

  static List<ConformanceRow> rows() {
    return ConformanceRow.of("service-api");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void behavesAsKubernetes(ConformanceRow row) {
    var test = CASES.get(row.id());
    assertThat(test).as("a case for %s", row).isNotNull();
    test.accept(DecidedServices.in(RANGE));
  }

  @Test
  void hasNoCaseWithoutItsRow() {
    assertThat(rows())
        .extracting(ConformanceRow::id)
        .containsExactlyInAnyOrderElementsOf(CASES.keySet());
  }
}
