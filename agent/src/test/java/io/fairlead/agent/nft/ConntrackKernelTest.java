package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.posix.Libc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Flows over UDP through the node of a {@link Lab}. Names in parentheses are rows of the data
 * plane's conformance table.
 */
@Tag("kernel")
@Timeout(120)
class ConntrackKernelTest {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static Lab lab;

  private final Map<Frontend, PortRule> ports = new HashMap<>();
  private DataPlane plane;
  private Conntrack conntrack;
  private int clientPort = 20_000;

  @BeforeAll
  static void build() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Libc.effectiveUserId() == 0, "network namespaces and nftables need root");
    lab = Lab.create();
    for (int i = 1; i <= Lab.PODS; i++) {
      lab.serveDatagrams(lab.pod(i), 5353, "pod" + i);
      lab.serve(lab.pod(i), 5353, "pod" + i);
    }
  }

  @AfterAll
  static void tearDown() {
    if (lab != null) {
      lab.close();
    }
  }

  @BeforeEach
  void open() throws IOException, InterruptedException {
    var config = DataPlaneConfig.of("node-a").in(lab.nodeFile());
    plane = DataPlane.open(config);
    conntrack = Conntrack.open(config);
    Lab.run("ip", "netns", "exec", lab.node(), "conntrack", "-F");
  }

  @AfterEach
  void close() {
    conntrack.close();
    plane.uninstall();
    plane.close();
  }

  @ParameterizedTest // (P70, P71, P72)
  @EnumSource(Family.class)
  void aFlowStaysWithItsEndpointUntilThatIsGone(Family family) throws IOException {
    ports.put(dns(family), to(family, 1));
    apply();
    assertThat(ask(family)).isEqualTo("pod1");
    ports.put(dns(family), to(family, 2));
    apply();
    assertThat(ask(family)).as("rules see only the first packet").isEqualTo("pod1");
    // no longer used for new flows, but it serves still
    assertThat(conntrack.clean(Map.of(dns(family), endpoints(family, 1, 2))).deleted()).isZero();
    assertThat(ask(family)).isEqualTo("pod1");
    var cleaned = conntrack.clean(Map.of(dns(family), endpoints(family, 2)));
    assertThat(cleaned.deleted()).isEqualTo(1);
    assertThat(cleaned.read()).isPositive();
    assertThat(cleaned.complete()).isTrue();
    assertThat(ask(family)).isEqualTo("pod2");
    assertThat(conntrack.clean(Map.of(dns(family), endpoints(family, 2))).deleted())
        .as("nothing left (P82)")
        .isZero();
  }

  @Test // (P74, P75)
  void withoutEndpointsAllFlowsEndAndTheNextDatagramIsRefused() throws IOException {
    ports.put(dns(Family.IPV4), to(Family.IPV4, 1));
    apply();
    assertThat(ask(Family.IPV4)).isEqualTo("pod1");
    ports.put(dns(Family.IPV4), Views.reject());
    apply();
    assertThat(conntrack.clean(Map.of(dns(Family.IPV4), Set.of())).deleted()).isEqualTo(1);
    assertThatThrownBy(() -> ask(Family.IPV4)).isInstanceOf(PortUnreachableException.class);
  }

  @Test // (P73)
  void aFlowThatIsOlderThanItsFrontendEnds() throws Exception {
    // routed to a machine that answers nothing: conntrack remembers the flow untranslated
    Lab.run("ip", "-n", lab.node(), "route", "add", "10.96.0.0/16", "via", "192.168.77.2");
    try {
      assertThatThrownBy(
              () -> Lab.askFrom(lab.pod(4), clientPort, "10.96.0.10", 53, Duration.ofMillis(300)))
          .isInstanceOf(IOException.class);
      ports.put(dns(Family.IPV4), to(Family.IPV4, 1));
      apply();
      assertThat(conntrack.clean(Map.of(dns(Family.IPV4), endpoints(Family.IPV4, 1))).deleted())
          .isEqualTo(1);
      assertThat(ask(Family.IPV4)).isEqualTo("pod1");
    } finally {
      Lab.run("ip", "-n", lab.node(), "route", "delete", "10.96.0.0/16");
    }
  }

  @Test // (P77, P78)
  void flowsToOthersAreLeft() throws IOException {
    var other = new Frontend(vip(Family.IPV4), Protocol.UDP, 54);
    ports.put(other, to(Family.IPV4, 1));
    apply();
    assertThat(Lab.askFrom(lab.pod(4), ++clientPort, "10.96.0.10", 54, LIMIT)).isEqualTo("pod1");
    assertThat(Lab.askFrom(lab.pod(4), ++clientPort, Lab.v4(2), 5353, LIMIT)).isEqualTo("pod2");
    assertThat(conntrack.clean(Map.of(dns(Family.IPV4), Set.of())).deleted()).isZero();
  }

  @Test // (P80)
  void otherProtocolsAreNoneOfItsBusiness() throws IOException {
    var sctp = new Frontend(vip(Family.IPV4), Protocol.SCTP, 53);
    var cleaned = conntrack.clean(Map.of(sctp, Set.of()));
    assertThat(cleaned.read()).as("not even looked for").isZero();
    assertThat(cleaned.deleted()).isZero();
  }

  @Test // (P84)
  void oneStaleFlowIsFoundAmongManyOthers() throws Exception {
    ports.put(dns(Family.IPV4), to(Family.IPV4, 1));
    apply();
    assertThat(ask(Family.IPV4)).isEqualTo("pod1");
    var entries = new StringBuilder();
    for (int i = 0; i < 5_000; i++) {
      entries
          .append("-I -p udp -s 10.1.")
          .append(i >> 8)
          .append('.')
          .append(i & 255)
          .append(" -d 10.2.0.1 --sport 1000 --dport 53 -t 60\n");
    }
    var file = java.nio.file.Files.createTempFile("flows", ".txt");
    try {
      java.nio.file.Files.writeString(file, entries);
      Lab.run("ip", "netns", "exec", lab.node(), "conntrack", "-R", file.toString());
    } finally {
      java.nio.file.Files.delete(file);
    }
    var cleaned = conntrack.clean(Map.of(dns(Family.IPV4), Set.of()));
    assertThat(cleaned.read()).isGreaterThan(5_000);
    assertThat(cleaned.deleted()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void saysWhereAFlowReallyGoesThoughRulesHaveChanged(Family family) throws IOException {
    ports.put(dns(family), to(family, 1));
    apply();
    assertThat(ask(family)).isEqualTo("pod1");
    ports.put(dns(family), to(family, 2));
    apply();
    var client = new Target(Address.of(pod(family, 4)), clientPort);
    var flow = find(family, client.address(), 0).flows().getFirst();
    assertThat(flow.frontend()).isEqualTo(dns(family));
    assertThat(flow.client()).isEqualTo(client);
    assertThat(flow.to()).isEqualTo(new Target(Address.of(pod(family, 1)), 5353));
    assertThat(flow.seenAs()).isEqualTo(client);
    assertThat(flow.state()).isEqualTo("ANSWERED");
    assertThat(flow.timeout()).isPositive();
    assertThat(find(family, client.address(), 1).flows()).isEmpty();
    assertThat(find(family, Address.of(pod(family, 3)), 0).flows()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void saysAsWhomAnEndpointSeesAClientFromOutside(Family family) throws IOException {
    var web = new Frontend(vip(family), Protocol.TCP, 80);
    ports.put(web, to(family, 1));
    apply();
    var seen = Lab.ask(lab.outside(), vip(family).toString(), 80, LIMIT).client();
    var outside = Address.of(family == Family.IPV4 ? "192.168.77.2" : "fd00:77::2");
    var flow = find(family, outside, 0).flows().getFirst();
    assertThat(flow.frontend()).isEqualTo(web);
    assertThat(flow.seenAs().address().toString())
        .isEqualTo(family == Family.IPV4 ? "10.244.1.1" : "fd00:244:1::1");
    assertThat(Address.of(seen.replace("::ffff:", "").replaceAll("%.*", "")))
        .isEqualTo(flow.seenAs().address());
    assertThat(flow.state()).isNotIn("NONE", "UNKNOWN");
    Lab.ask(lab.outside(), vip(family).toString(), 80, LIMIT);
    var all = new FlowGateway.Query(Optional.of(Protocol.TCP), outside, 0, vip(family), 80, 1);
    assertThat(conntrack.find(all).flows()).hasSize(1);
    assertThat(conntrack.find(all).more()).isTrue();
  }

  private FlowGateway.Found find(Family family, Address client, int clientPort) {
    return conntrack.find(
        new FlowGateway.Query(Optional.empty(), client, clientPort, vip(family), 0, 10));
  }

  private static String pod(Family family, int pod) {
    return family == Family.IPV4 ? Lab.v4(pod) : Lab.v6(pod);
  }

  @ParameterizedTest
  @CsvSource({"IPV4,pod", "IPV6,pod", "IPV4,host", "IPV6,host"})
  void aConnectionToAnEndpointThatIsGoneIsResetWhereThatIsAskedFor(Family family, String where)
      throws Exception {
    var web = new Frontend(vip(family), Protocol.TCP, 81);
    route(family, "add");
    try (var server = NetnsSockets.listen(lab.pod(1), new InetSocketAddress("::", 5354))) {
      ports.put(web, to(family, 1, 5354));
      apply();
      try (var client =
          NetnsSockets.connect(
              where.equals("pod") ? lab.pod(4) : lab.node(),
              new InetSocketAddress(vip(family).toString(), 81),
              LIMIT)) {
        try (var accepted = server.accept()) {
          client.write(ByteBuffer.wrap(new byte[] {1}));
          assertThat(accepted.read(ByteBuffer.allocate(1))).isEqualTo(1);
          // from now on nothing gets to the Pod, as if it were not there
          Lab.run(
              "ip",
              "netns",
              "exec",
              lab.pod(1),
              "nft",
              "add table inet gone; add chain inet gone in { type filter hook input priority 0; policy drop; }");
          ports.put(web, to(family, 2));
          apply();
          var gone = new Target(Address.of(pod(family, 1)), 5354);
          var other = new Target(Address.of(pod(family, 2)), 5353);
          // it is an endpoint yet, in whatever condition; or nobody asks for it
          assertThat(conntrack.clean(Map.of(web, Set.of(gone, other))).deleted()).isZero();
          assertThat(conntrack.clean(Map.of(dns(family), Set.of())).deleted()).isZero();
          client.socket().setSoTimeout(200);
          client.write(ByteBuffer.wrap(new byte[] {2}));
          assertThatThrownBy(() -> client.socket().getInputStream().read())
              .as("it hangs")
              .isInstanceOf(SocketTimeoutException.class);
          assertThat(conntrack.clean(Map.of(web, Set.of(other))).deleted()).isEqualTo(1);
          client.socket().setSoTimeout((int) LIMIT.toMillis());
          // what was sent again meanwhile may have been answered already
          assertThatThrownBy(
                  () -> {
                    client.write(ByteBuffer.wrap(new byte[] {3}));
                    var _ = client.socket().getInputStream().read();
                  })
              .isInstanceOf(IOException.class)
              .hasMessageContaining("reset");
        }
      }
    } finally {
      Lab.run("ip", "netns", "exec", lab.pod(1), "nft", "flush ruleset");
      route(family, "delete");
    }
  }

  /** For processes of the host, which need one. */
  private static void route(Family family, String verb) throws Exception {
    var range = family == Family.IPV4 ? "10.96.0.0/16" : "fd00:96::/112";
    var via = family == Family.IPV4 ? "192.168.77.2" : "fd00:77::2";
    Lab.run("ip", "-n", lab.node(), "route", verb, range, "via", via);
  }

  /** Always from the same port: one flow. */
  private String ask(Family family) throws IOException {
    return Lab.askFrom(lab.pod(4), clientPort, vip(family).toString(), 53, LIMIT);
  }

  private void apply() {
    var view =
        new NodeRules(
            Views.view(ports).ports(),
            Set.of(),
            Set.of(Cidr.of("10.244.0.0/16"), Cidr.of("fd00:244::/32")));
    assertThat(plane.apply(view, Views.at(1)).committed()).isTrue();
  }

  private static Frontend dns(Family family) {
    return new Frontend(vip(family), Protocol.UDP, 53);
  }

  private static Address vip(Family family) {
    return Address.of(family == Family.IPV4 ? "10.96.0.10" : "fd00:96::10");
  }

  private static PortRule to(Family family, int pod) {
    return to(family, pod, 5353);
  }

  private static PortRule to(Family family, int pod, int port) {
    return Views.to(Balancing.RANDOM, "[" + pod(family, pod) + "]:" + port);
  }

  private static Set<Target> endpoints(Family family, int... pods) {
    var endpoints = new java.util.HashSet<Target>();
    for (int pod : pods) {
      endpoints.add(
          new Target(Address.of(family == Family.IPV4 ? Lab.v4(pod) : Lab.v6(pod)), 5353));
    }
    return endpoints;
  }
}
