package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.agent.AgentConfig;
import io.fairlead.agent.ruleset.PositionCodec;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.core.view.NodeContext;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeView;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.posix.Libc;
import java.io.IOException;
import java.net.ConnectException;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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
 * Real packets through what the data plane programs. Names in parentheses are rows of the data
 * plane's conformance table.
 */
@Tag("kernel")
@Timeout(120)
class DataPlaneKernelTest {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final Duration SHORT =
      Duration.ofMillis(1500); // shorter than two SYNs, so a timeout is a drop
  private static Lab lab;

  private final Map<Frontend, PortRule> ports = new HashMap<>();
  private Set<Cidr> pods = Set.of(Cidr.of("10.244.0.0/16"), Cidr.of("fd00:244::/32"));
  private DataPlane plane;
  private long offset;

  @BeforeAll
  static void build() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Libc.effectiveUserId() == 0, "network namespaces and nftables need root");
    lab = Lab.create();
    for (int i = 1; i <= Lab.PODS; i++) {
      lab.serve(lab.pod(i), 8080, "pod" + i);
      lab.serveDatagrams(lab.pod(i), 5353, "pod" + i);
    }
  }

  @AfterAll
  static void tearDown() {
    if (lab != null) {
      lab.close();
    }
  }

  @BeforeEach
  void open() {
    plane = DataPlane.open(DataPlaneConfig.of("node-a").in(lab.nodeFile()));
  }

  @AfterEach
  void uninstall() {
    plane.uninstall();
    plane.close();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void roundRobinIsExact(Family family) throws IOException {
    ports.put(web(family), to(family, Balancing.ROUND_ROBIN, 8080, 1, 2, 3));
    apply();
    assertThat(counts(lab.pod(4), family, 30))
        .isEqualTo(Map.of("pod1", 10, "pod2", 10, "pod3", 10));
    // from elsewhere the same rule goes on: it counts for the node, not for the client
    assertThat(counts(lab.outside(), family, 3)).isEqualTo(Map.of("pod1", 1, "pod2", 1, "pod3", 1));
  }

  @Test // (P2)
  void randomUsesAllWithinTolerance() throws IOException {
    ports.put(web(Family.IPV4), to(Family.IPV4, Balancing.RANDOM, 8080, 1, 2));
    apply();
    // binomial(400, 1/2): outside of these bounds once in some million runs
    assertThat(counts(lab.pod(4), Family.IPV4, 400).values())
        .hasSize(2)
        .allMatch(n -> n > 150 && n < 250);
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void sourceHashKeepsAClientWithItsEndpointAcrossRestarts(Family family) throws IOException {
    ports.put(web(family), to(family, Balancing.SOURCE_HASH, 8080, 1, 2, 3));
    apply();
    var first = counts(lab.pod(4), family, 10);
    assertThat(first).hasSize(1);
    plane.uninstall();
    apply();
    assertThat(counts(lab.pod(4), family, 10)).isEqualTo(first);
  }

  @Test // (P1, P4)
  void datagramsAndConnectionsHaveTheirOwnTargets() throws IOException {
    for (var family : Family.values()) {
      ports.put(
          new Frontend(vip(family), Protocol.UDP, 53),
          to(family, Balancing.ROUND_ROBIN, 5353, 1, 2));
      ports.put(
          new Frontend(vip(family), Protocol.TCP, 53), to(family, Balancing.ROUND_ROBIN, 8080, 3));
    }
    apply();
    for (var family : Family.values()) {
      var servers = new HashSet<String>();
      for (int i = 0; i < 4; i++) {
        servers.add(Lab.askDatagram(lab.pod(4), vip(family).toString(), 53, LIMIT).server());
      }
      assertThat(servers).containsExactlyInAnyOrder("pod1", "pod2");
      assertThat(Lab.ask(lab.pod(4), vip(family).toString(), 53, LIMIT))
          .isEqualTo(new Lab.Answer("pod3", pod(family, 4)));
    }
  }

  @ParameterizedTest(name = "{0}: {1} to port {2}")
  @CsvSource({
    "no endpoints (P11), IPV4, 80",
    "undefined port (P6), IPV4, 81",
    "no endpoints (P11), IPV6, 80",
    "undefined port (P6), IPV6, 81"
  })
  void refusesAtOnce(String why, Family family, int port) {
    ports.put(new Frontend(vip(family), Protocol.TCP, 80), Views.reject());
    ports.put(new Frontend(vip(family), Protocol.UDP, 80), Views.reject());
    apply();
    for (var from : List.of(lab.pod(1), lab.outside())) {
      assertThatThrownBy(() -> Lab.ask(from, vip(family).toString(), port, LIMIT))
          .as(why)
          .isInstanceOf(ConnectException.class)
          .hasMessageContaining("refused");
      assertThatThrownBy(() -> Lab.askDatagram(from, vip(family).toString(), port, LIMIT))
          .as(why) // (P16)
          .isInstanceOf(PortUnreachableException.class);
    }
  }

  @Test // (P6; P18: there is no route to the VIP on the node but the one for a process of its own)
  void refusesProcessesOfTheNodeAtOnce() throws IOException, InterruptedException {
    Lab.run("ip", "-n", lab.node(), "route", "add", "10.96.0.0/16", "via", "192.168.77.2");
    try {
      ports.put(web(Family.IPV4), Views.reject());
      apply();
      assertThatThrownBy(() -> Lab.ask(lab.node(), vip(Family.IPV4).toString(), 80, LIMIT))
          .isInstanceOf(ConnectException.class)
          .hasMessageContaining("refused");
      assertThatThrownBy(
              () -> Lab.askDatagram(lab.node(), vip(Family.IPV4).toString(), 99, LIMIT)) // (P17)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("not permitted");
    } finally {
      Lab.run("ip", "-n", lab.node(), "route", "delete", "10.96.0.0/16");
    }
  }

  @Test // (P8, P31)
  void dropsWhatIsUnassignedOrNotForThisNode() throws IOException {
    ports.put(web(Family.IPV4), Views.drop());
    ports.put(web(Family.IPV6), Views.drop());
    apply();
    for (var address :
        List.of(
            "10.96.0.99",
            "fd00:96::99",
            vip(Family.IPV4).toString(),
            vip(Family.IPV6).toString())) {
      assertThatThrownBy(() -> Lab.ask(lab.pod(1), address, 80, SHORT))
          .isInstanceOf(SocketTimeoutException.class);
    }
  }

  @Test // (P9, P10)
  void unknownRangesAreLeftAlone() throws IOException {
    ports.put(web(Family.IPV4), to(Family.IPV4, Balancing.RANDOM, 8080, 1));
    plane.apply(new NodeRules(Views.view(ports).ports(), Set.of(), pods), Views.at(++offset));
    // goes by the node's routes, which have no such network: said at once, not by silence
    assertThatThrownBy(() -> Lab.ask(lab.pod(1), "10.96.0.99", 80, SHORT))
        .isNotInstanceOf(SocketTimeoutException.class);
    apply();
    assertThatThrownBy(() -> Lab.ask(lab.pod(1), "10.96.0.99", 80, SHORT))
        .isInstanceOf(SocketTimeoutException.class);
  }

  @ParameterizedTest // (P13, P14; P117: with one endpoint)
  @EnumSource(Family.class)
  void endpointsComeAndGo(Family family) throws IOException {
    ports.put(web(family), Views.reject());
    apply();
    assertThatThrownBy(() -> ask(lab.pod(4), family)).isInstanceOf(ConnectException.class);
    ports.put(web(family), to(family, Balancing.ROUND_ROBIN, 8080, 1));
    apply();
    assertThat(ask(lab.pod(4), family).server()).isEqualTo("pod1");
    ports.put(web(family), Views.reject());
    apply();
    assertThatThrownBy(() -> ask(lab.pod(4), family)).isInstanceOf(ConnectException.class);
    ports.clear();
    apply();
    assertThatThrownBy(() -> Lab.ask(lab.pod(4), vip(family).toString(), 80, SHORT))
        .isInstanceOf(SocketTimeoutException.class);
  }

  @ParameterizedTest // (P21, P23, P24, P25)
  @EnumSource(Family.class)
  void masqueradesWhatIsNoPodAndNobodyElse(Family family) throws IOException, InterruptedException {
    ports.put(web(family), to(family, Balancing.ROUND_ROBIN, 8080, 1));
    apply();
    assertThat(ask(lab.pod(4), family).client()).as("a Pod").isEqualTo(pod(family, 4));
    assertThat(ask(lab.outside(), family).client())
        .as("a machine outside")
        .isEqualTo(node(family, 1));
    assertThat(ask(lab.pod(1), family).client())
        .as("a Pod that meets itself")
        .isEqualTo(node(family, 1));
    route(family, "add");
    try {
      assertThat(ask(lab.node(), family).client())
          .as("a process of the node")
          .isEqualTo(node(family, 1));
    } finally {
      route(family, "delete");
    }
  }

  @ParameterizedTest // (P26)
  @EnumSource(Family.class)
  void masqueradesOnlyHairpinsWhereItCannotTellPods(Family family) throws IOException {
    pods = Set.of();
    ports.put(web(family), to(family, Balancing.RANDOM, 8080, 1));
    apply();
    assertThat(ask(lab.outside(), family).client())
        .isEqualTo(family == Family.IPV4 ? "192.168.77.2" : v6("fd00:77::2"));
    assertThat(ask(lab.pod(1), family).client()).isEqualTo(node(family, 1));
  }

  @Test // (P118)
  void oneClientPortServesTwoVipsOfOneEndpoint() throws IOException {
    ports.put(Views.tcp("10.96.0.10", 80), to(Family.IPV4, Balancing.RANDOM, 8080, 1));
    ports.put(Views.tcp("10.96.0.11", 80), to(Family.IPV4, Balancing.RANDOM, 8080, 1));
    apply();
    assertThat(Lab.askFromPort(lab.pod(4), 40_000, List.of("10.96.0.10", "10.96.0.11"), 80, LIMIT))
        .isEqualTo(List.of("pod1", "pod1"));
  }

  @ParameterizedTest // (P59, P62, P63, P64, P66)
  @EnumSource(Family.class)
  void affinityKeepsAClientWithItsEndpointWhileItLives(Family family) throws IOException {
    var other = new Frontend(vip(family), Protocol.TCP, 81);
    ports.put(web(family), affine(family, Duration.ofHours(3), 1, 2));
    ports.put(other, affine(family, Duration.ofHours(3), 1, 2));
    apply();
    var first = counts(lab.pod(4), family, 6);
    assertThat(first).hasSize(1);
    // round robin among clients: the second one gets the other endpoint
    var second = counts(lab.outside(), family, 6);
    assertThat(second).hasSize(1).isNotEqualTo(first);

    ports.put(web(family), affine(family, Duration.ofHours(3), 1, 2, 3));
    apply();
    assertThat(counts(lab.pod(4), family, 6)).as("an endpoint more").isEqualTo(first);

    ports.put(web(family), affine(family, Duration.ofHours(1), 1, 2, 3));
    apply();
    assertThat(counts(lab.pod(4), family, 6)).as("another time-out").isEqualTo(first);

    int left = first.containsKey("pod1") ? 2 : 1;
    ports.put(web(family), affine(family, Duration.ofHours(1), left, 3));
    apply();
    var moved = counts(lab.pod(4), family, 6);
    assertThat(moved).as("its endpoint is gone").hasSize(1).isNotEqualTo(first);
    assertThat(counts(lab.pod(4), family, 6)).as("and stays where it went").isEqualTo(moved);

    ports.put(web(family), to(family, Balancing.ROUND_ROBIN, 8080, left, 3));
    apply();
    assertThat(counts(lab.pod(4), family, 6)).as("affinity off").hasSize(2);
  }

  @Test // (P60)
  void affinityEndsWithItsTimeout() throws IOException, InterruptedException {
    ports.put(web(Family.IPV4), affine(Family.IPV4, Duration.ofSeconds(1), 1, 2));
    apply();
    var servers = new HashSet<String>();
    // the kernel forgets in its own time: asked in longer and longer intervals until somebody else
    // answers
    for (long pause = 800; servers.size() < 2 && pause < 10_000; pause += 400) {
      servers.add(ask(lab.pod(4), Family.IPV4).server());
      new java.util.concurrent.CountDownLatch(1)
          .await(pause, java.util.concurrent.TimeUnit.MILLISECONDS);
    }
    assertThat(servers).hasSize(2);
  }

  @ParameterizedTest // (P116; invariant 6)
  @EnumSource(Balancing.class)
  void noConnectionFailsWhileEndpointsComeAndGo(Balancing balancing) throws Exception {
    ports.put(web(Family.IPV4), to(Family.IPV4, balancing, 8080, 1, 2));
    apply();
    var stop = new AtomicBoolean();
    var made = new AtomicInteger();
    var failures = new CopyOnWriteArrayList<Throwable>();
    var client =
        Thread.ofVirtual()
            .start(() -> {
              while (!stop.get() && failures.isEmpty()) {
                try {
                  // shorter than the wait before a second SYN: a lost first one is a failure
                  Lab.ask(lab.pod(4), vip(Family.IPV4).toString(), 80, Duration.ofMillis(900));
                  made.incrementAndGet();
                } catch (IOException | RuntimeException e) {
                  failures.add(e);
                }
              }
            });
    var sets =
        List.of(
            new int[] {1, 2, 3},
            new int[] {2},
            new int[] {2, 3},
            new int[] {3, 1, 2},
            new int[] {1, 3});
    for (int round = 0; round < 60 || made.get() <= 60 && failures.isEmpty(); round++) {
      ports.put(web(Family.IPV4), to(Family.IPV4, balancing, 8080, sets.get(round % sets.size())));
      apply();
      if (round % 10 == 9) { // (P109)
        plane.close();
        open();
      }
    }
    stop.set(true);
    client.join();
    assertThat(failures).as("after %s connections", made.get()).isEmpty();
    assertThat(made.get()).isGreaterThan(20);
  }

  @Test // (P106, P109)
  void aRestartAdoptsWhatIsThereWithoutAChange() throws Exception {
    everything();
    var view = view();
    var position = Views.at(++offset);
    plane.apply(view, position);
    var before = lab.nft("list", "ruleset");
    plane.close();
    plane = DataPlane.open(DataPlaneConfig.of("node-a").in(lab.nodeFile()));
    assertThat(plane.position()).contains(position);
    assertThat(plane.apply(view, position).transactions()).isZero();
    assertThat(lab.nft("list", "ruleset")).isEqualTo(before);
    assertThat(plane.read().differencesFrom(view, Set.of())).isEmpty();
  }

  @ParameterizedTest // (P5, P7)
  @EnumSource(Family.class)
  void aPortIsServedOnItsOwnVipAndProtocolOnly(Family family) throws IOException {
    ports.put(web(family), to(family, Balancing.RANDOM, 8080, 1));
    var other = family == Family.IPV4 ? "10.96.0.11" : "fd00:96::11";
    ports.put(Views.tcp(other, 81), to(family, Balancing.RANDOM, 8080, 2));
    apply();
    assertThat(ask(lab.pod(4), family).server()).isEqualTo("pod1");
    assertThat(Lab.ask(lab.pod(4), other, 81, LIMIT).server()).isEqualTo("pod2");
    assertThatThrownBy(() -> Lab.askDatagram(lab.pod(4), vip(family).toString(), 80, LIMIT))
        .as("over UDP to a port of TCP")
        .isInstanceOf(PortUnreachableException.class);
    assertThatThrownBy(() -> Lab.ask(lab.pod(4), vip(family).toString(), 81, LIMIT))
        .as("a port of another Service")
        .isInstanceOf(ConnectException.class)
        .hasMessageContaining("refused");
  }

  @ParameterizedTest // (P28)
  @EnumSource(Family.class)
  void masqueradesEverybodyWhereNoSourceIsAPod(Family family)
      throws IOException, InterruptedException {
    pods = AgentConfig.NOWHERE;
    ports.put(web(family), to(family, Balancing.RANDOM, 8080, 1));
    apply();
    route(family, "add");
    try {
      for (var from : List.of(lab.pod(4), lab.outside(), lab.node())) {
        assertThat(ask(from, family).client()).as(from).isEqualTo(node(family, 1));
      }
    } finally {
      route(family, "delete");
    }
  }

  @ParameterizedTest // (P29)
  @EnumSource(Family.class)
  void leavesNothingOnPackets(Family family) throws Exception {
    ports.put(web(family), affine(family, Duration.ofHours(1), 1, 2));
    ports.put(
        new Frontend(vip(family), Protocol.TCP, 81), to(family, Balancing.ROUND_ROBIN, 8080, 1, 2));
    apply();
    lab.nft(
        "add table inet others; add chain inet others c"
            + " { type filter hook postrouting priority 300; };"
            + " add rule inet others c ct status dnat counter comment \"seen\";"
            + " add rule inet others c ct status dnat meta mark != 0 counter comment \"marked\";"
            + " add rule inet others c ct status dnat meta priority != 0 counter comment \"marked\"");
    try {
      for (var from : List.of(lab.pod(1), lab.pod(4), lab.outside())) {
        ask(from, family);
        ask(from, family);
        Lab.ask(from, vip(family).toString(), 81, LIMIT);
      }
      var counters = lab.nft("list", "chain", "inet", "others", "c").lines().toList();
      assertThat(counters).anyMatch(line -> line.contains("seen") && !line.contains("packets 0 "));
      assertThat(counters.stream().filter(line -> line.contains("marked")))
          .hasSize(2)
          .allMatch(line -> line.contains("packets 0 "));
    } finally {
      lab.nft("delete table inet others");
    }
  }

  @Test // (P33)
  void aProcessOfTheNodeReachesTheLocalEndpointOfALocalService()
      throws IOException, InterruptedException {
    var key = new EntryKey.ServicePort(new ObjectName("default", "web"), "http", Protocol.TCP);
    var entries =
        new ArrayList<Entry>(
            List.of(
                new Entry.ServicePortEntry(
                    key,
                    List.of(vip(Family.IPV4)),
                    80,
                    Balancing.ROUND_ROBIN,
                    Optional.empty(),
                    TrafficPolicy.LOCAL)));
    for (int pod : List.of(1, 2)) {
      entries.add(
          new Entry.EndpointEntry(
              new EntryKey.Endpoint(key, new java.util.UUID(0, pod), Family.IPV4),
              Address.of(Lab.v4(pod)),
              8080,
              Optional.of(pod == 1 ? "node-a" : "node-b"),
              Optional.empty(),
              new Endpoint.Conditions(true, true, false),
              new Endpoint.Hints(new java.util.TreeSet<>(), new java.util.TreeSet<>())));
    }
    var view = NodeView.of(entries, new NodeContext("node-a", Optional.empty(), pods));
    assertThat(plane.apply(view.rules(), Views.at(++offset)).committed()).isTrue();
    route(Family.IPV4, "add");
    try {
      for (int i = 0; i < 4; i++) {
        assertThat(ask(lab.node(), Family.IPV4)).isEqualTo(new Lab.Answer("pod1", "10.244.1.1"));
      }
    } finally {
      route(Family.IPV4, "delete");
    }
  }

  @Test // (P107)
  void aRestartWritesOnlyWhatDiffers() {
    everything();
    ports.put(Views.tcp("10.96.0.20", 80), Views.reject());
    plane.apply(view(), Views.at(++offset));
    plane.close();
    plane = DataPlane.open(DataPlaneConfig.of("node-a").in(lab.nodeFile()));
    ports.remove(Views.tcp("10.96.0.20", 80));
    ports.put(Views.tcp("10.96.0.21", 80), Views.reject());
    var result = plane.apply(view(), Views.at(offset));
    assertThat(result.families().get(Family.IPV6))
        .isInstanceOfSatisfying(
            ApplyResult.FamilyResult.Committed.class, c -> assertThat(c.commands()).isZero());
    assertThat(result.families().get(Family.IPV4))
        .isInstanceOfSatisfying(
            ApplyResult.FamilyResult.Committed.class,
            c -> assertThat(c.commands()).as("each with its VIP").isEqualTo(4));
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
  }

  @Test // (P108)
  void anotherPriorityOfAnotherVersionIsAppliedWhileAllElementsServe() throws Exception {
    ports.put(web(Family.IPV4), to(Family.IPV4, Balancing.ROUND_ROBIN, 8080, 1));
    apply();
    var word = PositionCodec.HOOKS;
    lab.nft(
        "delete chain ip fairlead prerouting;"
            + " add chain ip fairlead prerouting { type nat hook prerouting priority -90; };"
            + " add rule ip fairlead prerouting goto services;"
            + " delete element ip fairlead log_position { %d };".formatted(word)
            + " add element ip fairlead log_position { %d : 1 }".formatted(word));
    long before = generation();
    plane.close();
    plane = DataPlane.open(DataPlaneConfig.of("node-a").in(lab.nodeFile()));
    assertThat(generation()).as("one transaction").isEqualTo(before + 1);
    assertThat(lab.nft("list", "chain", "ip", "fairlead", "prerouting"))
        .contains("priority dstnat;")
        .contains("goto services");
    assertThat(ask(lab.pod(4), Family.IPV4).server()).isEqualTo("pod1");
    assertThat(plane.apply(view(), Views.at(offset)).transactions()).isZero();
  }

  private static long generation() {
    return NetnsSockets.call(
        lab.node(),
        () -> {
          try (var reader = KernelReader.open()) {
            return reader.generation().orElseThrow();
          }
        });
  }

  @Test
  void othersReadThePosition() throws Exception {
    var position = Views.at(1L << 33 | 7);
    plane.apply(view(), position);
    var words = new TreeMap<Long, Long>();
    for (var family : List.of("ip", "ip6")) {
      words.clear();
      var matcher =
          java.util.regex.Pattern.compile("\\[(\\d+), (\\d+)\\]")
              .matcher(lab.nft("-j", "list", "map", family, "fairlead", "log_position"));
      while (matcher.find()) {
        words.put(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)));
      }
      assertThat(io.fairlead.agent.ruleset.PositionCodec.decode(words)).contains(position);
    }
  }

  @ParameterizedTest(name = "{0}") // (P23, P110, P111)
  @CsvSource({
    "flush ruleset",
    "delete table ip fairlead",
    "flush table ip fairlead",
    "flush chain ip fairlead services",
    "flush map ip fairlead endpoints_tcp",
    "delete element ip fairlead vips { 10.96.0.10 }",
    "delete chain ip6 fairlead prerouting"
  })
  void restoresWhatSomebodyElseTookAway(String command) throws Exception {
    everything();
    var view = view();
    plane.apply(view, Views.at(++offset));
    assertThat(plane.check().families()).isEmpty();
    lab.nft(command.split(" ", -1));
    var restored = plane.check();
    assertThat(restored.transactions()).isPositive();
    assertThat(restored.committed()).isTrue();
    assertThat(plane.read().differencesFrom(view, Set.of())).isEmpty();
    assertThat(plane.position()).contains(Views.at(offset));
    assertThat(ask(lab.pod(4), Family.IPV4).server()).startsWith("pod");
  }

  @Test // (P119)
  void foreignTablesStayAsTheyAre() throws Exception {
    lab.nft(
        "add table ip others; add chain ip others c { type filter hook input priority 0; }; add table inet more");
    try {
      var before = lab.nft("list", "table", "ip", "others");
      everything();
      apply();
      plane.uninstall();
      assertThat(lab.nft("list", "table", "ip", "others")).isEqualTo(before);
      assertThat(lab.nft("list", "tables").lines())
          .containsExactlyInAnyOrder("table ip others", "table inet more");
    } finally {
      lab.nft("delete table ip others; delete table inet more");
    }
  }

  @Test // (P113)
  void whatTheKernelRefusesDoesNotStopTheRest() throws Exception {
    everything();
    apply();
    // somebody's element in the way: the kernel says "exists"
    lab.nft("add element ip fairlead endpoints_tcp { 10.96.0.77 . 80 . 0 : 10.9.9.9 . 9 }");
    var bad = Views.tcp("10.96.0.77", 80);
    ports.put(bad, to(Family.IPV4, Balancing.RANDOM, 8080, 1));
    ports.put(Views.tcp("10.96.0.78", 80), to(Family.IPV4, Balancing.RANDOM, 8080, 2));
    var result = plane.apply(view(), Set.of(bad, Views.tcp("10.96.0.78", 80)), Views.at(++offset));
    assertThat(result.committed()).isTrue();
    assertThat(plane.quarantined())
        .singleElement()
        .satisfies(refused -> {
          assertThat(refused.frontend()).isEqualTo(bad);
          assertThat(refused.words()).contains("exists");
        });
    assertThat(plane.position()).contains(Views.at(offset));
    assertThat(Lab.ask(lab.pod(4), "10.96.0.78", 80, LIMIT).server()).isEqualTo("pod2");
  }

  @Test // (P68)
  void fullMemoryOfClientsOnlyEndsAffinity() throws Exception {
    ports.put(web(Family.IPV4), affine(Family.IPV4, Duration.ofHours(1), 1, 2));
    apply();
    var clients = new StringBuilder("add element ip fairlead affinity_1 { ");
    for (int i = 0; i < io.fairlead.agent.ruleset.Layout.AFFINITY_SIZE; i++) {
      clients
          .append(i == 0 ? "" : ", ")
          .append("11.0.")
          .append(i >> 8)
          .append('.')
          .append(i & 255)
          .append(" : 0:1");
    }
    var file = java.nio.file.Files.createTempFile("clients", ".nft");
    try {
      java.nio.file.Files.writeString(file, clients.append(" }\n"));
      lab.nft("-f", file.toString());
    } finally {
      java.nio.file.Files.delete(file);
    }
    assertThat(counts(lab.pod(4), Family.IPV4, 6))
        .as("round robin")
        .isEqualTo(Map.of("pod1", 3, "pod2", 3));
  }

  @Test
  void packetsWithAPriorityOfTheirOwnAreLeftAlone() throws Exception {
    ports.put(web(Family.IPV4), Views.reject());
    apply();
    // 0:2 is the number of the program that drops
    lab.nft(
        "add table ip others; add chain ip others c { type filter hook prerouting priority -150; };"
            + " add rule ip others c meta priority set 0:2");
    try {
      assertThat(Lab.ask(lab.pod(4), Lab.v4(1), 8080, LIMIT).server()).isEqualTo("pod1");
    } finally {
      lab.nft("delete table ip others");
    }
  }

  @Test
  void saysWhatOfTheHostIsInTheWay() throws Exception {
    assertThat(bad())
        .containsExactly("WARNING route for 10.96.0.0/16", "WARNING route for fd00:96::/112");
    route(Family.IPV4, "add");
    route(Family.IPV6, "add");
    try {
      assertThat(bad()).isEmpty();
      Lab.run("ip", "netns", "exec", lab.node(), "sysctl", "-qw", "net.ipv4.ip_forward=0");
      assertThat(bad()).containsExactly("ERROR net.ipv4.ip_forward");
    } finally {
      Lab.run("ip", "netns", "exec", lab.node(), "sysctl", "-qw", "net.ipv4.ip_forward=1");
      route(Family.IPV4, "delete");
      route(Family.IPV6, "delete");
    }
  }

  /** What is named of forwarding and routes: the rest is this machine's. */
  private List<String> bad() {
    var ranges =
        new HostCheck.Ranges(
            Set.of(Cidr.of("10.96.0.0/16"), Cidr.of("fd00:96::/112")),
            Set.of(Cidr.of("10.244.0.0/16"), Cidr.of("fd00:244::/32")));
    return plane.checkHost(ranges).stream()
        .filter(finding -> finding.level() != HostCheck.Level.OK)
        .map(finding -> finding.level() + " " + finding.what())
        .filter(text -> text.contains("forward") || text.contains("route"))
        .toList();
  }

  @Test
  void saysWhatIsMissing() {
    assertThatThrownBy(() ->
            DataPlane.open(
                DataPlaneConfig.of("n").in(java.nio.file.Path.of("/run/netns/nft-none"))))
        .hasMessageContaining("nft-none")
        .hasMessageContaining("cannot be entered");
  }

  private void everything() {
    for (var family : Family.values()) {
      ports.put(web(family), to(family, Balancing.ROUND_ROBIN, 8080, 1, 2));
      ports.put(
          new Frontend(vip(family), Protocol.UDP, 53), to(family, Balancing.RANDOM, 5353, 1, 2, 3));
      ports.put(
          new Frontend(vip(family), Protocol.SCTP, 9),
          affine(family, Duration.ofHours(1), 1, 2, 3));
      ports.put(
          new Frontend(vip(family), Protocol.TCP, 82),
          to(family, Balancing.SOURCE_HASH, 8080, 1, 2, 3));
      ports.put(new Frontend(vip(family), Protocol.TCP, 83), Views.reject());
      ports.put(new Frontend(vip(family), Protocol.TCP, 84), Views.drop());
    }
  }

  private NodeRules view() {
    return new NodeRules(Views.view(ports).ports(), Views.view(ports).serviceCidrs(), pods);
  }

  private Position apply() {
    var position = Views.at(++offset);
    var result = plane.apply(view(), position);
    assertThat(result.committed()).as("%s", result).isTrue();
    assertThat(plane.quarantined()).isEmpty();
    return position;
  }

  private static Frontend web(Family family) {
    return new Frontend(vip(family), Protocol.TCP, 80);
  }

  private static Address vip(Family family) {
    return Address.of(family == Family.IPV4 ? "10.96.0.10" : "fd00:96::10");
  }

  private static PortRule to(Family family, Balancing balancing, int port, int... pods) {
    return Views.to(balancing, names(family, port, pods));
  }

  private static PortRule affine(Family family, Duration timeout, int... pods) {
    return Views.sticky(timeout, Balancing.ROUND_ROBIN, names(family, 8080, pods));
  }

  private static String[] names(Family family, int port, int... pods) {
    return java.util.Arrays.stream(pods)
        .mapToObj(i -> (family == Family.IPV4 ? Lab.v4(i) : "[" + Lab.v6(i) + "]") + ":" + port)
        .toArray(String[]::new);
  }

  private static Lab.Answer ask(String from, Family family) throws IOException {
    return Lab.ask(from, vip(family).toString(), 80, LIMIT);
  }

  private static Map<String, Integer> counts(String from, Family family, int connections)
      throws IOException {
    var counts = new TreeMap<String, Integer>();
    for (int i = 0; i < connections; i++) {
      counts.merge(ask(from, family).server(), 1, Integer::sum);
    }
    return counts;
  }

  private static String pod(Family family, int i) {
    return family == Family.IPV4 ? Lab.v4(i) : v6(Lab.v6(i));
  }

  private static String node(Family family, int link) {
    return family == Family.IPV4 ? "10.244." + link + ".1" : v6("fd00:244:" + link + "::1");
  }

  /** As Java spells it. */
  private static String v6(String address) {
    return new java.net.InetSocketAddress(address, 0).getAddress().getHostAddress();
  }

  private static void route(Family family, String verb) throws IOException, InterruptedException {
    if (family == Family.IPV4) {
      Lab.run("ip", "-n", lab.node(), "route", verb, "10.96.0.0/16", "via", "192.168.77.2");
    } else {
      Lab.run("ip", "-n", lab.node(), "route", verb, "fd00:96::/112", "via", "fd00:77::2");
    }
  }
}
