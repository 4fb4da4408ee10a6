package io.fairlead.core.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Treatment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rows P of the conformance tables that are about which endpoints a node uses. An endpoint is
 * written {@code name@node:flags[:zones[:nodes]]}; its address is 10.244.0.{@code name}, its flags
 * are {@code r}eady, {@code s}erving, {@code t}erminating; {@code zones} and {@code nodes} are its
 * hints.
 */
@Timeout(30)
class UsableEndpointsTest {
  private static final EntryKey.ServicePort PORT =
      new EntryKey.ServicePort(new ObjectName("default", "web"), "", Protocol.TCP);

  record Row(String id, TrafficPolicy policy, String zone, String endpoints, String expected) {
    @Override
    public String toString() {
      return id;
    }
  }

  private static Row cluster(String id, String endpoints, String expected) {
    return new Row(id, TrafficPolicy.CLUSTER, "a", endpoints, expected);
  }

  private static Row local(String id, String endpoints, String expected) {
    return new Row(id, TrafficPolicy.LOCAL, "a", endpoints, expected);
  }

  static Stream<Row> rows() {
    return Stream.of(
        cluster("P1 one ready", "1@n1:rs", "1"),
        cluster("P2 two ready", "1@n1:rs 2@n2:rs", "1 2"),
        cluster("P11 no endpoint", "", "REJECT"),
        cluster("P12 all unready", "1@n1: 2@n2:", "REJECT"),
        cluster("P43 unready beside ready", "1@n1: 2@n1:rs", "2"),
        cluster("P39 all serving and terminating", "1@n1:st 2@n2:st", "1 2"),
        cluster("P42 only a remote one serving and terminating", "1@n1:t 2@n2:st 3@n1:", "2"),
        cluster("terminating is never mixed with ready", "1@n1:st 2@n2:rs", "2"),
        cluster("terminating and not serving is never used", "1@n1:t", "REJECT"),
        cluster("published while it terminates", "1@n1:rst 2@n2:st", "1"),
        cluster("published though unready", "1@n1:r", "1"),
        local("P30 Local, one here", "1@n1:rs 2@n2:rs", "1"),
        local("P31 Local, only a remote one", "2@n2:rs", "DROP"),
        local("P32 Local, none anywhere", "", "REJECT"),
        local("P32 Local, none ready anywhere", "1@n1: 2@n2:", "REJECT"),
        local("P34 Local ignores hints", "1@n1:rs:b 2@n2:rs:a", "1"),
        local(
            "P36 Local, terminating and not serving here, ready elsewhere",
            "1@n1:t 2@n2:rs",
            "DROP"),
        local("P37 Local, only a remote one serving and terminating", "2@n2:st", "DROP"),
        local("Local, serving and terminating here, ready elsewhere", "1@n1:st 2@n2:rs", "1"),
        local("Local, unready here, ready elsewhere", "1@n1: 2@n2:rs", "DROP"),
        cluster("P45 all hinted", "1@n1:rs:a 2@n2:rs:b 3@n3:rs:c", "1"),
        cluster("P46 one ready without a hint", "1@n1:rs:a 2@n2:rs:b 3@n3:rs", "1 2 3"),
        cluster("P47 an unready one without a hint", "1@n1:rs:a 2@n2:rs:b 3@n3:", "1"),
        cluster("no hint for this zone", "1@n1:rs:b 2@n2:rs:c", "1 2"),
        cluster("several zones in one hint", "1@n1:rs:b,a 2@n2:rs:b", "1"),
        new Row("P50 no zone", TrafficPolicy.CLUSTER, "", "1@n1:rs:a 2@n2:rs:b", "1 2"),
        cluster("P52 node hints on all", "1@n1:rs:a:n1 2@n2:rs:a:n2", "1"),
        cluster(
            "node hints, none for this node, then the zone's", "1@n9:rs:a:n9 2@n2:rs:b:n2", "1"),
        cluster(
            "P54 node hints partly missing, zone hints complete",
            "1@n1:rs:a:n1 2@n2:rs:a 3@n3:rs:b",
            "1 2"),
        cluster("P55 both partly missing", "1@n1:rs:a:n1 2@n2:rs 3@n3:rs:b:n3", "1 2 3"),
        cluster("P56 the hinted one went, terminating ones are left", "1@n1:st 2@n2:rs:b", "2"),
        cluster("P56 nobody is ready", "1@n1:st:a 2@n2:st:b", "1 2"),
        cluster("C43 one address twice, the live one counts", "1@n2:st 1@n1:rs 2@n2:st", "1"),
        local("B9 one address twice, the local one counts", "1@n2:rs 1@n1:rs", "1"));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void usesTheEndpointsOfTheRow(Row row) {
    var endpoints = endpoints(row.endpoints());
    for (var order : List.of(endpoints, endpoints.reversed())) {
      assertThat(text(UsableEndpoints.rule(port(row.policy()), order, context(row.zone()))))
          .isEqualTo(row.expected());
    }
  }

  @Test
  void theOrderOfEndpointsDoesNotMatter() {
    long seed = System.nanoTime();
    System.out.println("UsableEndpointsTest seed " + seed);
    var random = new Random(seed);
    var endpoints = new ArrayList<>(endpoints("9@n1:rs 10@n2:rs 2@n3:rs 2@n1:st 1@n1: 7@n2:rs"));
    var expected = UsableEndpoints.rule(port(TrafficPolicy.CLUSTER), endpoints, context("a"));
    assertThat(text(expected)).isEqualTo("2 7 9 10");
    for (int i = 0; i < 20; i++) {
      Collections.shuffle(endpoints, random);
      assertThat(UsableEndpoints.rule(port(TrafficPolicy.CLUSTER), endpoints, context("a")))
          .as("seed %s", seed)
          .isEqualTo(expected);
    }
  }

  private static NodeContext context(String zone) {
    return new NodeContext("n1", Optional.of(zone), Set.of());
  }

  private static ServicePortEntry port(TrafficPolicy policy) {
    return new ServicePortEntry(
        PORT,
        List.of(Address.of("10.96.0.10")),
        80,
        Balancing.ROUND_ROBIN,
        Optional.empty(),
        policy);
  }

  private static String text(PortRule rule) {
    return rule.treatment() == Treatment.BALANCE
        ? String.join(
            " ", rule.targets().stream().map(t -> "" + (t.address().low() & 255)).toList())
        : rule.treatment().name();
  }

  private static List<EndpointEntry> endpoints(String text) {
    return text.isEmpty() ? List.of() : Stream.of(text.split(" ")).map(e -> endpoint(e)).toList();
  }

  private static EndpointEntry endpoint(String text) {
    var parts = text.split("[@:]", -1);
    return new EndpointEntry(
        new EntryKey.Endpoint(
            PORT, UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)), Family.IPV4),
        Address.of("10.244.0." + parts[0]),
        8080,
        Optional.of(parts[1]),
        Optional.empty(),
        new Endpoint.Conditions(
            parts[2].contains("r"), parts[2].contains("s"), parts[2].contains("t")),
        new Endpoint.Hints(hints(parts, 3), hints(parts, 4)));
  }

  private static SortedSet<String> hints(String[] parts, int index) {
    return parts.length > index ? new TreeSet<>(Set.of(parts[index].split(","))) : new TreeSet<>();
  }
}
