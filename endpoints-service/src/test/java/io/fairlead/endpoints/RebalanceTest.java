package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.endpoints.stream.RebalanceSettings;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.Coordination.NodeLease;
import io.fairlead.v1.Move;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Replicas that share agents, which do what the protocol says. */
@Timeout(60)
class RebalanceTest {
  private final Replicas replicas = new Replicas();
  private final Map<String, Replica> running = new HashMap<>();
  private final Map<String, TestAgent> agents = new TreeMap<>();

  /** All that they opened after the first, which must not be sent everything again. */
  private final List<TestAgent> later = new ArrayList<>();

  private int moves;

  @BeforeEach
  void set() {
    // a stalled machine is no replica without agents
    var _ =
        replicas.with(replicas.streams().withLease(Duration.ofSeconds(30), Duration.ofSeconds(60)));
    replicas.rebalancing(
        RebalanceSettings.DEFAULT
            .withPerSecond(100)
            .withTimes(Duration.ofMillis(200), Duration.ofMillis(50)));
    replicas.store(service("web", "10.96.0.1"));
  }

  @AfterEach
  void close() {
    agents.values().forEach(TestAgent::close);
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private Replica start(String name) {
    var replica = replicas.start(name);
    running.put(name, replica);
    return replica;
  }

  private void connect(String node, Replica replica, int protocol) {
    var agent =
        TestAgent.connect(
            node, replica.channel(), Acks.AT_ONCE, hello -> hello.setProtocol(protocol));
    await(node + " is sent everything", () -> !agent.frames.isEmpty());
    agents.put(node, agent);
  }

  private void reconnect(String node, Replica replica) {
    var agent = requireNonNull(agents.get(node)).reconnect(replica.channel());
    await(node + " has its stream", () -> !agent.frames.isEmpty());
    later.add(agent);
    agents.put(node, agent);
  }

  /** What agents do that are asked to go. */
  private void move() {
    for (var entry : List.copyOf(agents.entrySet())) {
      var agent = entry.getValue();
      if (!agent.moves.isEmpty()) {
        var to = agent.moves.removeFirst().getTo(0);
        var there = Optional.ofNullable(running.get(to.getReplica()));
        if (there.isEmpty()) {
          continue; // it died, which is not noticed at once: who cannot reach it stays
        }
        moves++;
        assertThat(to.getAddress()).isEqualTo("127.0.0.1:" + there.get().port);
        reconnect(entry.getKey(), there.get());
        agent.leave();
      }
    }
  }

  private Map<String, Integer> held() {
    var held = new TreeMap<String, Integer>();
    replicas.etcd.client().nodes().values().stream()
        .map(NodeLease::replica)
        .forEach(replica -> held.merge(replica, 1, Integer::sum));
    return held;
  }

  private void awaitHeld(Map<String, Integer> wanted) {
    await(
        wanted + " agents",
        () -> {
          move();
          return held().equals(wanted);
        });
  }

  @Test
  void aReplicaThatComesBackGetsItsShareAndNobodyIsSentEverythingAgainOrLost() {
    replicas.losingNodesAfterClose(Duration.ofSeconds(1));
    var a = start("a");
    var b = start("b");
    for (int i = 0; i < 10; i++) {
      connect("n" + i, i % 2 == 0 ? a : b, 3);
    }
    awaitHeld(Map.of("a", 5, "b", 5));
    assertThat(moves).isZero();

    running.remove("b");
    b.crash();
    await("it is no member", () -> !replicas.etcd.client().members("endpoints").containsKey("b"));
    for (int i = 1; i < 10; i += 2) {
      reconnect("n" + i, a);
    }
    awaitHeld(Map.of("a", 10));
    start("b");
    awaitHeld(Map.of("a", 5, "b", 5));
    assertThat(moves).isEqualTo(5);
    assertThat(later).allSatisfy(agent -> assertThat(agent.frames.getFirst().reset()).isFalse());
    assertThat(agents.values()).allSatisfy(agent -> assertThat(agent.faults).isEmpty());
    assertThat(replicas.image().nodes().all())
        .hasSize(10)
        .allSatisfy(node -> assertThat(node.object().state().text()).isEqualTo("Ready"));
  }

  @Test
  void agentsThatDoNotUnderstandAreLeftAloneAndNobodyIsSentToAReplicaThatIsNotReady() {
    var a = start("a");
    for (int i = 0; i < 6; i++) {
      connect("old" + i, a, 2);
    }
    for (int i = 0; i < 3; i++) {
      connect("new" + i, a, 3);
    }
    var etcd = replicas.etcd.client();
    var lease = etcd.openLease(Duration.ofSeconds(60), () -> {});
    etcd.putMember("endpoints", new Member("c", "127.0.0.1:1", "test", false), lease);
    start("b");
    awaitHeld(Map.of("a", 6, "b", 3)); // 5 and 4 would be fair
    assertThat(agents.entrySet())
        .filteredOn(entry -> entry.getKey().startsWith("old"))
        .allSatisfy(entry -> assertThat(entry.getValue().moves).isEmpty());
    lease.close();
  }

  /** One that was asked is not asked again soon, whatever it did. */
  @Test
  void whoDoesNotGoIsNotAskedAgainAndAnotherOneIs() {
    replicas.rebalancing(
        new RebalanceSettings(
            100,
            Duration.ofMillis(200),
            0.1,
            Duration.ofMinutes(10),
            Duration.ofMillis(200),
            Duration.ofMillis(50)));
    var a = start("a");
    for (int i = 0; i < 8; i++) {
      connect("n" + i, a, 3);
    }
    start("b");
    await(
        "all were asked, as none goes",
        () -> agents.values().stream().noneMatch(agent -> agent.moves.isEmpty()));
    List<Move> asked = agents.values().stream().flatMap(agent -> agent.moves.stream()).toList();
    assertThat(asked).allSatisfy(move -> assertThat(move.getTo(0).getReplica()).isEqualTo("b"));
  }
}
