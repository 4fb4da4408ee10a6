package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.v1.Ack;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodReply.Verdict;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.MarkDrainingRequest;
import io.fairlead.v1.NodeBehind;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.RefusedRule;
import io.fairlead.v1.ServiceName;
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
class DrainTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static Pod.Builder pod(String name, String ip) {
    return Pod.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setName(name).putLabels("app", "web"))
        .setSpec(
            PodSpec.newBuilder()
                .setNodeName("n1")
                .addContainers(Container.newBuilder().setName("main").setImage("example")))
        .setStatus(PodStatus.newBuilder().setPodIp(ip));
  }

  private static PodReply apply(Replica replica, Pod.Builder pod) {
    return replica
        .pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(pod)
                .build());
  }

  /** A drain that runs. */
  private static final class Draining {
    final List<DrainPodReply> told = new CopyOnWriteArrayList<>();
    final CompletableFuture<DrainPodReply> last = new CompletableFuture<>();

    DrainPodReply end() throws Exception {
      return last.get(60, TimeUnit.SECONDS);
    }

    boolean waitsFor(String... nodes) {
      return !told.isEmpty()
          && told.getLast().getBehindList().stream()
              .map(NodeBehind::getNode)
              .toList()
              .equals(List.of(nodes));
    }
  }

  private static Draining drain(Replica replica, String pod, Duration timeout) {
    var request =
        DrainPodRequest.newBuilder().setRequestId(UUID.randomUUID().toString()).setName(pod);
    request.getTimeoutBuilder().setSeconds(timeout.toSeconds()).setNanos(timeout.toNanosPart());
    var draining = new Draining();
    Thread.ofVirtual()
        .start(() -> {
          try {
            PodsGrpc.newBlockingStub(replica.channel())
                .withWaitForReady()
                .withDeadlineAfter(Duration.ofSeconds(60))
                .drain(request.build())
                .forEachRemaining(draining.told::add);
            draining.last.complete(draining.told.getLast());
          } catch (RuntimeException e) {
            draining.last.completeExceptionally(e);
          }
        });
    return draining;
  }

  private static Pod get(Replica replica, String pod) {
    return replica.pods().get(GetPodRequest.newBuilder().setName(pod).build()).getPod();
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

  private static void acknowledge(TestAgent agent, Position wanted, RefusedRule... refused) {
    await("the agent has it", () -> agent.position().filter(p -> p.covers(wanted)).isPresent());
    agent.acknowledge(
        Ack.newBuilder()
            .setPosition(PositionCodec.proto(agent.position().orElseThrow()))
            .setFrame(1000)
            .addAllRefused(List.of(refused)));
  }

  /** Of whichever replica is asked: its agent's log is not where people look. */
  @Test
  void whatIsRefusedOfANodesManifestsIsSeenAtEveryReplica() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var agent = silent("n1", a)) {
      agent.acknowledge(
          Ack.newBuilder()
              .setPosition(PositionCodec.proto(agent.position().orElseThrow()))
              .setFrame(1000)
              .setRefusedManifests(2)
              .setManifestError("web.yaml:3: no name"));
      for (var replica : List.of(a, b)) {
        await(
            "seen at " + replica.name,
            () -> {
              var node = replica.nodes().get(GetNodeRequest.newBuilder().setName("n1").build());
              return node.getNode().getRefusedManifests() == 2
                  && node.getNode().getManifestError().equals("web.yaml:3: no name");
            });
      }
    }
  }

  private static Position mark(Draining draining) {
    return PositionCodec.model(draining.told.getLast().getPosition()).orElseThrow();
  }

  @Test
  void isSafeWhenEveryNodeHasAcknowledgedAViewThatDoesNotUseIt() throws Exception {
    replicas.store(service("web", "10.96.0.1"));
    var a = replicas.start("a");
    var b = replicas.start("b");
    apply(a, pod("one", "10.244.0.1"));
    apply(a, pod("two", "10.244.0.2"));
    try (var _ = agent("n1", a);
        var n2 = silent("n2", b)) {
      var draining = drain(a, "one", Duration.ofSeconds(50));
      await("it waits for n2", () -> draining.waitsFor("n2"));
      assertThat(get(a, "one").getMetadata().getAnnotationsMap())
          .containsEntry("fairlead.io/draining", "true");
      assertThat(get(a, "one").getMetadata().hasDeletionTimestamp()).isFalse();
      acknowledge(n2, mark(draining));
      assertThat(draining.end().getVerdict()).isEqualTo(Verdict.SAFE);
      assertThat(draining.end().getClear()).isEqualTo(2);
    }
  }

  @Test
  void theLastEndpointOfAServiceIsNamedAndStillServes() throws Exception {
    replicas.store(service("web", "10.96.0.1"));
    var a = replicas.start("a");
    apply(a, pod("one", "10.244.0.1"));
    try (var _ = agent("n1", a)) {
      var end = drain(a, "one", Duration.ofSeconds(50)).end();
      assertThat(end.getVerdict()).isEqualTo(Verdict.LAST_ENDPOINT);
      assertThat(end.getServicesList())
          .containsExactly(ServiceName.newBuilder().setNamespace("default").setName("web").build());
      // with another one it is not any more
      apply(a, pod("two", "10.244.0.2"));
      assertThat(drain(a, "one", Duration.ofSeconds(50)).end().getVerdict())
          .isEqualTo(Verdict.SAFE);
    }
  }

  @Test
  void nodesThatAreLostAreNamed() throws Exception {
    replicas.losingNodesAfter(Duration.ofSeconds(8)); // far longer than it takes to put the key
    replicas.store(service("web", "10.96.0.1"));
    var a = replicas.start("a");
    apply(a, pod("one", "10.244.0.1"));
    apply(
        a,
        pod("two", "10.244.0.2")
            .setSpec(
                PodSpec.newBuilder()
                    .addContainers(Container.newBuilder().setName("main").setImage("example"))));
    try (var n2 = agent("n2", a)) {
      await("n2 is there", () -> n2.position().isPresent());
      var gone = silent("gone", a);
      var draining = drain(a, "one", Duration.ofSeconds(50));
      await("it waits for gone", () -> draining.waitsFor("gone"));
      gone.close();
      var end = draining.end();
      assertThat(end.getVerdict()).isEqualTo(Verdict.SAFE_EXCEPT);
      assertThat(end.getLostList()).containsExactly("gone");
    }
  }

  @Test
  void aKernelThatRefusesRulesOfItsServicesIsNotSafe() throws Exception {
    replicas.store(service("web", "10.96.0.1"));
    var a = replicas.start("a");
    apply(a, pod("one", "10.244.0.1"));
    apply(a, pod("two", "10.244.0.2"));
    try (var n1 = silent("n1", a)) {
      var draining = drain(a, "one", Duration.ofSeconds(50));
      await("it waits for n1", () -> draining.waitsFor("n1"));
      acknowledge(
          n1,
          mark(draining),
          RefusedRule.newBuilder().setFrontend("10.96.0.1:80/TCP").setReason("no memory").build());
      await(
          "it says why",
          () -> draining.told.getLast().getBehind(0).getMessage().contains("no memory"));
      acknowledge(n1, mark(draining));
      assertThat(draining.end().getVerdict()).isEqualTo(Verdict.SAFE);
    }
  }

  @Test
  void whatAHeadlessServiceToldInDnsIsWaitedFor() throws Exception {
    replicas.store(
        TestObjects.with(service("web", "10.96.0.1"), spec -> spec.exposure(Exposure.HEADLESS)));
    var a = replicas.start("a");
    apply(a, pod("one", "10.244.0.1"));
    apply(a, pod("two", "10.244.0.2"));
    try (var _ = agent("n1", a);
        var dns = replicas.kafka.connect()) {
      dns.acks().publish(List.of(word(1, Optional.empty())));
      var draining = drain(a, "one", Duration.ofSeconds(50));
      await(
          "it waits for the server",
          () ->
              !draining.told.isEmpty()
                  && draining
                      .told
                      .getLast()
                      .getDnsList()
                      .equals(List.of("dns-1 has not acknowledged it")));
      long said = System.nanoTime();
      dns.acks().publish(List.of(word(2, Optional.of(mark(draining)))));
      assertThat(draining.end().getVerdict()).isEqualTo(Verdict.SAFE);
      assertThat(Duration.ofNanos(System.nanoTime() - said)).isGreaterThanOrEqualTo(TTL);
    }
  }

  private static final Duration TTL = Duration.ofSeconds(1);

  private static Acknowledgement word(long sequence, Optional<Position> position) {
    return new Acknowledgement(
        new Member(Role.DNS, "dns-1"), 0, sequence, position, "", List.of(), TTL);
  }

  @Test
  void withoutTheTopicNobodyKnowsAndNothingHangs() throws Exception {
    replicas.store(service("web", "10.96.0.1"));
    var a = replicas.start("a");
    replicas.kafka.stopAcks();
    var b = replicas.start("b");
    apply(a, pod("one", "10.244.0.1"));
    apply(a, pod("two", "10.244.0.2"));
    try (var _ = agent("n1", a)) {
      var end = drain(b, "one", Duration.ofSeconds(3)).end();
      assertThat(end.getVerdict()).isEqualTo(Verdict.NOT_SAFE);
      assertThat(end.getBehind(0).getWhy()).isEqualTo(NodeBehind.Why.UNKNOWN);
      assertThat(drain(a, "one", Duration.ofSeconds(50)).end().getVerdict())
          .isEqualTo(Verdict.SAFE);
    }
  }

  @Test
  void manifestsNeitherSetNorRemoveTheMark() {
    var a = replicas.start("a");
    apply(a, pod("one", "10.244.0.1"));
    mark(a, "one", true);
    apply(a, pod("one", "10.244.0.1"));
    assertThat(isMarked(a, "one")).isTrue();
    mark(a, "one", false);
    assertThat(isMarked(a, "one")).isFalse();
    var claiming = pod("two", "10.244.0.2");
    claiming.getMetadataBuilder().putAnnotations("fairlead.io/draining", "true");
    apply(a, claiming);
    assertThat(isMarked(a, "two")).isFalse();
    assertThatThrownBy(() -> mark(a, "three", true)).hasMessageContaining("NOT_FOUND");
  }

  private static boolean isMarked(Replica replica, String pod) {
    return get(replica, pod).getMetadata().containsAnnotations("fairlead.io/draining");
  }

  private static void mark(Replica replica, String pod, boolean draining) {
    replica
        .pods()
        .markDraining(
            MarkDrainingRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setName(pod)
                .setDraining(draining)
                .build());
  }
}
