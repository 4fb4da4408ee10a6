package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nodes without a key are lost after ten minutes here, and soon where their connection ended. */
@Timeout(60)
class LeftStreamTest {
  private final Replicas replicas = new Replicas();

  @BeforeEach
  void set() {
    replicas.losingNodesAfterClose(Duration.ofMillis(300));
    replicas.store(service("web", "10.96.0.1"));
  }

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static void apply(Replica replica, String name, String node, String ip) {
    var _ =
        replica
            .pods()
            .apply(
                ApplyPodRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setPod(
                        Pod.newBuilder()
                            .setMetadata(ObjectMeta.newBuilder().setName(name))
                            .setSpec(
                                PodSpec.newBuilder()
                                    .setNodeName(node)
                                    .addContainers(
                                        Container.newBuilder()
                                            .setName("main")
                                            .setImage("example/web")))
                            .setStatus(PodStatus.newBuilder().setPodIp(ip)))
                    .build());
  }

  private String state(String node) {
    return replicas.image().nodes().get(node).orElseThrow().object().state().text();
  }

  private boolean leased(String node) {
    return replicas.etcd.client().nodes().containsKey(node);
  }

  private TestAgent connect(String node, Replica replica) {
    var agent = TestAgent.connect(node, replica.channel());
    await("a frame and a key of " + node, () -> !agent.frames.isEmpty() && leased(node));
    return agent;
  }

  private void dieAndBeLost(TestAgent agent, String node) {
    agent.close();
    await(node + " is lost", () -> state(node).equals("Lost"));
  }

  @Test
  void aNodeWhoseAgentDiedIsLostSoon() {
    var replica = replicas.start("a");
    apply(replica, "web-1", "n1", "10.244.0.1");
    dieAndBeLost(connect("n1", replica), "n1");
    assertThat(replicas.image().nodes().get("n1").orElseThrow().object().reason())
        .contains("connection ended")
        .contains("no replica has its stream");
    await(
        "its Pod is unready",
        () ->
            replicas
                .image()
                .pods()
                .readiness(TestObjects.name("web-1"))
                .filter(found -> !found.object().ready())
                .isPresent());
  }

  @Test
  void anAgentThatLeavesWithAWordIsWaitedFor() {
    var replica = replicas.start("a");
    var upgraded = connect("n1", replica);
    var dead = connect("n2", replica);
    upgraded.leave();
    await("its stream is over", () -> !leased("n1"));
    dieAndBeLost(dead, "n2");
    assertThat(state("n1")).isEqualTo("Ready");
    try (var again = upgraded.reconnect(replica.channel())) {
      await("it is back", () -> leased("n1"));
      assertThat(again.faults).isEmpty();
    }
  }

  @Test
  void theAgentsOfAReplicaThatDiedAreWaitedFor() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    var _ = connect("n1", a);
    var dead = connect("n2", b);
    a.crash();
    await("the key of the replica's agent ran out", () -> !leased("n1"));
    dieAndBeLost(dead, "n2");
    assertThat(state("n1")).isEqualTo("Ready");
  }

  /** It may leave the old stream without a word: nobody could know that it goes elsewhere. */
  @Test
  void anAgentThatGoesToAnotherReplicaIsNotLost() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    var moved = connect("n1", a);
    var dead = connect("n2", b);
    try (var there = moved.reconnect(b.channel())) {
      await("it is there", () -> !there.frames.isEmpty());
      moved.close();
      dieAndBeLost(dead, "n2");
      assertThat(state("n1")).isEqualTo("Ready");
      assertThat(there.end()).isEmpty();
    }
  }
}
