package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Reason;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.v1.Ack;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.DeleteNodeRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.Node;
import io.fairlead.v1.NodeBehind;
import io.fairlead.v1.NodeBehind.Why;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.RefusedRule;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.SourceState;
import io.fairlead.v1.WaitAppliedReply;
import io.fairlead.v1.WaitAppliedRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(90)
class WaitAppliedTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  /** A change, and the position that has it. */
  private static io.fairlead.v1.Position change(Replica replica) {
    var name = "pod-" + UUID.randomUUID().toString().substring(0, 8);
    return replica
        .pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(ObjectMeta.newBuilder().setName(name))
                        .setSpec(
                            PodSpec.newBuilder()
                                .addContainers(
                                    Container.newBuilder().setName("main").setImage("example")))
                        .setStatus(PodStatus.newBuilder().setPodIp("10.244.0.9")))
                .build())
        .getPosition();
  }

  /** A wait that runs. */
  private static final class Waiting {
    final List<WaitAppliedReply> told = new CopyOnWriteArrayList<>();
    final CompletableFuture<WaitAppliedReply> last = new CompletableFuture<>();

    WaitAppliedReply end() throws Exception {
      return last.get(60, TimeUnit.SECONDS);
    }

    /** Whether it was told that exactly these nodes are not there. */
    boolean waitsFor(String... nodes) {
      return !told.isEmpty()
          && told.getLast().getBehindList().stream()
              .map(NodeBehind::getNode)
              .toList()
              .equals(List.of(nodes));
    }
  }

  private static Waiting wait(
      Replica replica, io.fairlead.v1.Position position, Duration timeout, ServiceName... of) {
    var request = WaitAppliedRequest.newBuilder().setPosition(position).addAllServices(List.of(of));
    request.getTimeoutBuilder().setSeconds(timeout.toSeconds()).setNanos(timeout.toNanosPart());
    var waiting = new Waiting();
    Thread.ofVirtual()
        .start(() -> {
          try {
            NodesGrpc.newBlockingStub(replica.channel())
                .withWaitForReady()
                .withDeadlineAfter(Duration.ofSeconds(60))
                .waitApplied(request.build())
                .forEachRemaining(waiting.told::add);
            waiting.last.complete(waiting.told.getLast());
          } catch (RuntimeException e) {
            waiting.last.completeExceptionally(e);
          }
        });
    return waiting;
  }

  /** One that acknowledges nothing by itself. */
  private static TestAgent silent(String node, Replica replica) {
    return connected(node, replica, Acks.NEVER);
  }

  private static TestAgent agent(String node, Replica replica) {
    return connected(node, replica, Acks.AT_ONCE);
  }

  /** Its node counts from now on. */
  private static TestAgent connected(String node, Replica replica, Acks acks) {
    var agent = TestAgent.connect(node, replica.channel(), acks, hello -> hello);
    await(node + " has everything", () -> agent.position().isPresent());
    return agent;
  }

  private static Ack.Builder ack(Position position) {
    return Ack.newBuilder().setPosition(PositionCodec.proto(position)).setFrame(1000);
  }

  private static void acknowledge(TestAgent agent, io.fairlead.v1.Position position) {
    var wanted = PositionCodec.model(position).orElseThrow();
    await("the agent has it", () -> agent.position().filter(p -> p.covers(wanted)).isPresent());
    agent.acknowledge(ack(agent.position().orElseThrow()));
  }

  private static Node node(Replica replica, String name) {
    return replica.nodes().get(GetNodeRequest.newBuilder().setName(name).build()).getNode();
  }

  private static Optional<Why> why(WaitAppliedReply reply, String node) {
    return reply.getBehindList().stream()
        .filter(behind -> behind.getNode().equals(node))
        .map(NodeBehind::getWhy)
        .findFirst();
  }

  private boolean isThere(String pod) {
    return replicas.image().pods().get(new ObjectName("shop", pod)).isPresent();
  }

  private static DeleteNodeRequest delete(String node, String id) {
    return DeleteNodeRequest.newBuilder().setRequestId(id).setName(node).build();
  }

  @Test
  void everyReplicaShowsWhatANodeAcknowledgedAndWhatItsKernelRefuses() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var agent = silent("n1", a)) {
      var position = agent.position().orElseThrow();
      agent.acknowledge(
          ack(position)
              .setError("disk is full")
              .addRefused(
                  RefusedRule.newBuilder().setFrontend("10.96.0.1:80/TCP").setReason("no memory")));
      for (var replica : List.of(a, b)) {
        await("known at " + replica.name, () -> node(replica, "n1").hasAcknowledged());
        var node = node(replica, "n1");
        assertThat(node.getAcknowledged().getOffsets()).isEqualTo(position.offsets());
        assertThat(node.getLastError()).isEqualTo("disk is full");
        assertThat(node.getRefusedList())
            .containsExactly(
                RefusedRule.newBuilder()
                    .setFrontend("10.96.0.1:80/TCP")
                    .setReason("no memory")
                    .build());
        assertThat(node.getStreamReplica()).isEqualTo("a");
      }
      change(a);
      await("it is behind", () -> node(b, "n1").getLag() > 0);
    }
  }

  @Test
  void whatANodeSaidInAnEarlierSessionDoesNotCount() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var agent = agent("n1", a)) {
      await("it has everything", () -> agent.position().isPresent());
      await("acknowledged", () -> node(b, "n1").hasAcknowledged());
      try (var again = silent("n1", a)) {
        await("a new session", () -> again.welcome().isPresent());
        await("the old one's end", () -> agent.end().isPresent());
        await("forgotten", () -> !node(b, "n1").hasAcknowledged());
      }
    }
  }

  @Test
  void answersWhenEveryNodeHasItThroughWhicheverReplica() throws Exception {
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var _ = agent("n1", a);
        var n2 = silent("n2", b)) {
      var position = change(a);
      var here = wait(a, position, Duration.ofSeconds(50));
      var there = wait(b, position, Duration.ofSeconds(50));
      await("both wait for n2", () -> here.waitsFor("n2") && there.waitsFor("n2"));
      acknowledge(n2, position);
      for (var waiting : List.of(here, there)) {
        assertThat(waiting.end().getApplied()).isTrue();
        assertThat(waiting.end().getNodes()).isEqualTo(2);
        assertThat(waiting.end().getThere()).isEqualTo(2);
      }
    }
  }

  @Test
  void aNodeThatJoinsMeanwhileIsWaitedForToo() throws Exception {
    var a = replicas.start("a");
    try (var n1 = silent("n1", a)) {
      var position = change(a);
      var waiting = wait(a, position, Duration.ofSeconds(50));
      await("it waits for n1", () -> waiting.waitsFor("n1"));
      try (var n2 = silent("n2", a)) {
        await("it waits for both", () -> waiting.waitsFor("n1", "n2"));
        acknowledge(n1, position);
        await("it waits for n2", () -> waiting.waitsFor("n2"));
        acknowledge(n2, position);
        assertThat(waiting.end().getApplied()).isTrue();
      }
    }
  }

  @Test
  void aNodeThatIsLostMeanwhileIsNamedUntilItIsDeletedAndNotWaitedFor() throws Exception {
    replicas.losingNodesAfter(Duration.ofSeconds(8)); // far longer than it takes to put the key
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var n1 = agent("n1", a)) {
      var n2 = silent("n2", a);
      n2.source(
          SourceState.newBuilder()
              .setSource("manifests/n2")
              .setSequence(1)
              .addPods(
                  Pod.newBuilder()
                      .setSource("manifests/n2")
                      .setMetadata(ObjectMeta.newBuilder().setNamespace("shop").setName("static"))
                      .setSpec(
                          PodSpec.newBuilder()
                              .setNodeName("n2")
                              .addContainers(Container.newBuilder().setName("main").setImage("x")))
                      .setStatus(PodStatus.newBuilder().setPodIp("10.244.2.9"))));
      await("its Pod is known", () -> isThere("static"));
      var waiting = wait(a, change(a), Duration.ofSeconds(50));
      await("it waits for n2", () -> waiting.waitsFor("n2"));
      n2.close();
      var end = waiting.end();
      assertThat(end.getApplied()).isTrue();
      assertThat(end.getNodes()).isEqualTo(1);
      assertThat(end.getLostList()).containsExactly("n2");
      assertThat(waiting.told).anyMatch(told -> why(told, "n2").equals(Optional.of(Why.NO_STREAM)));

      var living = ErrorReport.of(catchThrowable(() -> b.nodes().delete(delete("n1", "1"))));
      assertThat(living.reason()).contains(Reason.NODE_LIVES);
      assertThat(living.message()).contains("connected, to replica a");
      long session = node(a, "n2").getSession();
      for (var replica : List.of(a, b)) { // who owns the Nodes, and who does not; the same id
        var deleted = replica.nodes().delete(delete("n2", "2"));
        assertThat(deleted.getResult()).isEqualTo(Result.DELETED);
        assertThat(deleted.getNode().getMetadata().getName()).isEqualTo("n2");
        assertThat(deleted.getPosition().getOffsets()).contains("p0:");
      }
      await("its Pods are gone with it", () -> !isThere("static"));
      var missing = catchThrowable(() -> a.nodes().delete(delete("n2", "3")));
      assertThat(ErrorReport.of(missing).reason()).contains(Reason.NOT_FOUND);
      for (var replica : List.of(a, b)) {
        var after = wait(replica, change(a), Duration.ofSeconds(50)).end();
        assertThat(after.getApplied()).isTrue();
        assertThat(after.getLostList()).isEmpty();
        assertThat(
                replica.nodes().list(ListNodesRequest.getDefaultInstance()).getItemsList().stream()
                    .map(n -> n.getMetadata().getName()))
            .containsExactly("n1");
      }
      try (var _ = agent("n2", b)) { // it is back, as a new one
        assertThat(node(b, "n2").getSession()).isGreaterThan(session);
        assertThat(node(b, "n2").getState()).isEqualTo("Ready");
      }
      assertThat(n1.faults).isEmpty();
    }
  }

  @Test
  void saysOfEachNodeWhyItIsNotThere() throws Exception {
    replicas.store(service("web", "10.96.0.1"), service("other", "10.96.0.2"));
    var a = replicas.start("a");
    var gone = silent("gone", a);
    gone.close();
    try (var behind = silent("behind", a);
        var quarantined = silent("quarantined", a)) {
      acknowledge(behind, PositionCodec.proto(behind.position().orElseThrow()));
      await("behind has said so", () -> node(a, "behind").hasAcknowledged());
      var position = change(a);
      var wanted = PositionCodec.model(position).orElseThrow();
      await(
          "quarantined has it",
          () -> quarantined.position().filter(p -> p.covers(wanted)).isPresent());
      quarantined.acknowledge(
          ack(quarantined.position().orElseThrow())
              .addRefused(
                  RefusedRule.newBuilder().setFrontend("10.96.0.1:80/TCP").setReason("no memory")));
      await("gone has no key in etcd", () -> !replicas.etcd.client().nodes().containsKey("gone"));
      await("quarantined has said so", () -> node(a, "quarantined").getRefusedCount() == 1);

      var end = wait(a, position, Duration.ofMillis(600)).end();
      assertThat(end.getApplied()).isFalse();
      assertThat(end.getNodes()).isEqualTo(3);
      assertThat(end.getThere()).isZero();
      assertThat(why(end, "gone")).contains(Why.NO_STREAM);
      assertThat(why(end, "behind")).contains(Why.BEHIND);
      assertThat(why(end, "quarantined")).contains(Why.QUARANTINED);
      assertThat(end.getBehindList().getLast().getMessage())
          .isEqualTo("its kernel refuses 10.96.0.1:80/TCP: no memory");
      assertThat(end.getBehindList().getFirst().getLag()).isPositive();

      var ofOther = wait(a, position, Duration.ZERO, name("other")).end();
      assertThat(why(ofOther, "quarantined")).isEmpty();
      var ofWeb = wait(a, position, Duration.ZERO, name("web")).end();
      assertThat(why(ofWeb, "quarantined")).contains(Why.QUARANTINED);
    }
  }

  private static ServiceName name(String service) {
    return ServiceName.newBuilder().setNamespace("default").setName(service).build();
  }

  @Test
  void withoutTheTopicNobodyKnowsOfTheNodesOfOthersAndNothingHangs() throws Exception {
    var a = replicas.start("a");
    replicas.kafka.stopAcks();
    var b = replicas.start("b");
    try (var _ = agent("n1", a)) {
      var position = change(a);
      assertThat(wait(a, position, Duration.ofSeconds(50)).end().getApplied()).isTrue();

      var there = wait(b, position, Duration.ofMillis(300)).end();
      assertThat(there.getApplied()).isFalse();
      assertThat(there.getTrouble()).contains("fairlead.acks");
      assertThat(why(there, "n1")).contains(Why.UNKNOWN);

      var waiting = wait(b, position, Duration.ofSeconds(50));
      await("it waits", () -> waiting.waitsFor("n1"));
      replicas.kafka.startAcks();
      assertThat(waiting.end().getApplied()).isTrue();
    }
  }

  @Test
  void withoutEtcdNobodyKnowsOfStreamsButOfKernels() throws Exception {
    var a = replicas.start("a");
    try (var _ = agent("n1", a);
        var _ = silent("n2", a)) {
      var position = change(a);
      await("it is known who holds the stream", () -> node(a, "n1").getStreamReplica().equals("a"));
      replicas.etcd.down();
      await("it is not known", () -> local(a, "n1").getStreamReplica().isEmpty());
      assertThat(local(a, "n1").hasAcknowledged()).isTrue();
      var end = wait(a, position, Duration.ofMillis(500)).end();
      assertThat(end.getThere()).isEqualTo(1);
      assertThat(why(end, "n2")).contains(Why.BEHIND);
      replicas.etcd.up();
    }
  }

  private static Node local(Replica replica, String name) {
    return replica
        .nodes()
        .get(GetNodeRequest.newBuilder().setName(name).setFreshness(Freshness.LOCAL).build())
        .getNode();
  }

  @Test
  void aReplicaThatStartsKnowsWhatWasAcknowledgedBefore() throws Exception {
    var a = replicas.start("a");
    try (var _ = agent("n1", a)) {
      var position = change(a);
      assertThat(wait(a, position, Duration.ofSeconds(50)).end().getApplied()).isTrue();
      var b = replicas.start("b");
      assertThat(wait(b, position, Duration.ofSeconds(50)).end().getApplied()).isTrue();
      b.crash();
      var again = replicas.start("b");
      assertThat(wait(again, position, Duration.ofSeconds(50)).end().getApplied()).isTrue();
    }
  }

  @Test
  void withoutAPositionItWaitsForWhatIsAcceptedNow() throws Exception {
    var a = replicas.start("a");
    try (var n1 = silent("n1", a)) {
      var position = change(a);
      var waiting = wait(a, io.fairlead.v1.Position.getDefaultInstance(), Duration.ofSeconds(50));
      await("it waits", () -> waiting.waitsFor("n1"));
      acknowledge(n1, position);
      assertThat(waiting.end().getApplied()).isTrue();
    }
  }

  @Test
  void refusesWhatItCannotWaitFor() {
    var a = replicas.start("a");
    var position = change(a);
    assertThatThrownBy(() ->
            call(
                a,
                WaitAppliedRequest.newBuilder()
                    .setPosition(position.toBuilder().setLog("other.log"))))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("other.log");
    assertThatThrownBy(() ->
            call(
                a,
                WaitAppliedRequest.newBuilder()
                    .setPosition(position.toBuilder().setOffsets("nonsense"))))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("position");
    var endless = WaitAppliedRequest.newBuilder();
    endless.getTimeoutBuilder().setSeconds(3601);
    assertThatThrownBy(() -> call(a, endless))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("must be from 0 to 1 h");
  }

  private static void call(Replica replica, WaitAppliedRequest.Builder request) {
    replica.nodes().waitApplied(request.build()).forEachRemaining(_ -> {});
  }

  @Test
  void aShutdownSendsThoseWhoWaitElsewhere() {
    var a = replicas.start("a");
    try (var _ = silent("n1", a)) {
      var waiting = wait(a, change(a), Duration.ofSeconds(50));
      await("it waits", () -> waiting.waitsFor("n1"));
      a.stop();
      assertThatThrownBy(waiting::end).hasMessageContaining("UNAVAILABLE");
    }
  }
}
