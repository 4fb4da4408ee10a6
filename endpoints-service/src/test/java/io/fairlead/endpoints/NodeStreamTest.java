package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.serviceCidr;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.fairlead.api.ErrorReport;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Reason;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.core.view.PodCondition;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.etcd.Coordination.NodeLease;
import io.fairlead.v1.Ack;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.Hello;
import io.fairlead.v1.NamespacedReadiness;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReadinessReport;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.ReadinessReports;
import io.fairlead.v1.SourceState;
import io.fairlead.v1.UpdatePodStatusRequest;
import io.grpc.Status.Code;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NodeStreamTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static PodReply apply(Replica replica, String name, String node, String ip) {
    return apply(replica, pod(name, node, ip));
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

  private static Pod.Builder pod(String name, String node, String ip) {
    return Pod.newBuilder()
        .setMetadata(
            ObjectMeta.newBuilder().setNamespace("default").setName(name).putLabels("app", "web"))
        .setSpec(
            PodSpec.newBuilder()
                .setNodeName(node)
                .addContainers(Container.newBuilder().setName("main").setImage("example/web")))
        .setStatus(PodStatus.newBuilder().setPodIp(ip));
  }

  private static void delete(Replica replica, String name) {
    replica
        .pods()
        .delete(
            DeletePodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setNamespace("default")
                .setName(name)
                .build());
  }

  /** What the node should know by now: every entry, but of Pods only its own. */
  private Map<EntryKey, Entry> expected(String node) {
    var entries = new HashMap<>(Entries.of(replicas.image()));
    entries
        .values()
        .removeIf(entry ->
            entry instanceof Entry.PodEntry pod
                && !pod.pod().spec().nodeName().equals(Optional.of(node)));
    return entries;
  }

  private void awaitEqual(TestAgent agent, String node) {
    await("entries of " + node, () -> agent.entries().equals(expected(node)) && atEnd(agent));
    assertThat(agent.faults).isEmpty();
  }

  /** The session that holds the node's key. */
  private Optional<Long> leased(String node) {
    return Optional.ofNullable(replicas.etcd.client().nodes().get(node)).map(NodeLease::session);
  }

  /** Whether it stands at the end of the log. */
  private boolean atEnd(TestAgent agent) {
    var ends = replicas.kafka.connect().endOffsets(Replicas.PARTITIONING.all());
    return agent.position().filter(p -> p.coversOffsets(ends)).isPresent();
  }

  @Test
  void beginsWithEverything() {
    replicas.store(service("web", "10.96.0.1"), serviceCidr("default", "10.96.0.0/16"));
    var replica = replicas.start("a");
    apply(replica, "web-1", "n1", "10.244.0.1");
    apply(replica, "web-2", "n2", "10.244.1.1");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      awaitEqual(agent, "n1");
      assertThat(agent.frames.getFirst().reset()).isTrue();
      assertThat(agent.entries()).containsKey(new EntryKey.Pod(name("web-1")));
      assertThat(agent.entries()).doesNotContainKey(new EntryKey.Pod(name("web-2")));
      var welcome = agent.welcome().orElseThrow();
      assertThat(welcome.getReplica()).isEqualTo("a");
      assertThat(replicas.image().nodes().get("n1").orElseThrow().offset())
          .isEqualTo(welcome.getSession());
      await("its key", () -> leased("n1").equals(Optional.of(welcome.getSession())));
    }
  }

  @Test
  void oneChangedPodIsOneEntry() {
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      for (int i = 1; i <= 20; i++) {
        apply(replica, "web-" + i, "n2", "10.244.1." + i);
      }
      awaitEqual(agent, "n1");
      int before = agent.frames.size();
      delete(replica, "web-7");
      awaitEqual(agent, "n1");
      assertThat(agent.frames.subList(before, agent.frames.size()))
          .containsExactly(new TestAgent.Frame(false, 0, 1, 1));
    }
  }

  @Test
  void bookmarksMoveThePositionWhereNothingConcernsTheNode() {
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      awaitEqual(agent, "n1");
      int frames = agent.frames.size();
      var position = apply(replica, "web-1", "n2", "10.244.1.1").getPosition();
      var written = PositionCodec.model(position).orElseThrow();
      await(
          "acknowledged",
          () -> acknowledged(replica, "n1").filter(p -> p.covers(written)).isPresent());
      assertThat(agent.frames).hasSize(frames);
      assertThat(agent.bookmarks).isNotEmpty();
      assertThat(agent.bookmarks.getLast().next().size())
          .as("only changed components")
          .isLessThan(agent.position().orElseThrow().next().size());
    }
  }

  private static Optional<Position> acknowledged(Replica replica, String node) {
    var reply = replica.nodes().get(GetNodeRequest.newBuilder().setName(node).build());
    return PositionCodec.model(reply.getNode().getAcknowledged());
  }

  @Test
  void showsWhatKeepsANodeFromGoingOn() {
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel(), Acks.NEVER, hello -> hello)) {
      await("a frame", () -> agent.position().isPresent());
      agent.acknowledge(
          Ack.newBuilder()
              .setPosition(PositionCodec.proto(agent.position().orElseThrow()))
              .setFrame(1)
              .setError("no nftables"));
      await(
          "error",
          () ->
              replica
                  .nodes()
                  .get(GetNodeRequest.newBuilder().setName("n1").build())
                  .getNode()
                  .getLastError()
                  .equals("no nftables"));
    }
  }

  @Test
  void comesBackWithADifference() {
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    var agent = TestAgent.connect("n1", replica.channel());
    apply(replica, "web-1", "n2", "10.244.1.1");
    awaitEqual(agent, "n1");
    agent.close();
    apply(replica, "web-2", "n2", "10.244.1.2");
    delete(replica, "web-1");
    try (var again = agent.reconnect(replica.channel())) {
      awaitEqual(again, "n1");
      assertThat(again.frames.getFirst()).isEqualTo(new TestAgent.Frame(false, 1, 1, 1));
      assertThat(again.welcome().orElseThrow().getSession())
          .isGreaterThan(agent.welcome().orElseThrow().getSession());
    }
  }

  @Test
  void comesToAnotherReplicaWithADifference() {
    replicas.store(service("web", "10.96.0.1"));
    var a = replicas.start("a");
    var b = replicas.start("b");
    var agent = TestAgent.connect("n1", a.channel());
    apply(a, "web-1", "n2", "10.244.1.1");
    awaitEqual(agent, "n1");
    agent.close();
    apply(a, "web-2", "n2", "10.244.1.2");
    try (var again = agent.reconnect(b.channel())) {
      awaitEqual(again, "n1");
      assertThat(again.frames).noneMatch(TestAgent.Frame::reset);
    }
  }

  @Test
  void beginsAnewWhereTheJournalHasForgotten() {
    replicas.with(replicas.streams().withJournal(3));
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    var agent = TestAgent.connect("n1", replica.channel());
    awaitEqual(agent, "n1");
    agent.close();
    for (int i = 1; i <= 5; i++) {
      apply(replica, "web-" + i, "n2", "10.244.1." + i);
    }
    try (var again = agent.reconnect(replica.channel())) {
      awaitEqual(again, "n1");
      assertThat(again.frames.getFirst().reset()).isTrue();
    }
  }

  @Test
  void sendsLargeContentInChunks() {
    replicas.with(replicas.streams().withChunkBytes(200));
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    for (int i = 1; i <= 30; i++) {
      apply(replica, "web-" + i, "n2", "10.244.1." + i);
    }
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      awaitEqual(agent, "n1");
      assertThat(agent.frames.getFirst().chunks()).isGreaterThan(5);
    }
  }

  /** Makes one change for each frame, however fast the stream is; the last frame's number. */
  private int untilItMustAnswer(Replica replica, TestAgent agent) {
    int unanswered = replicas.streams().unacknowledged();
    for (int i = 1; i <= unanswered; i++) {
      int frames = i;
      await("frame " + frames, () -> agent.frames.size() == frames);
      if (i < unanswered) {
        apply(replica, "before-" + i, "n2", "10.244.2." + i);
      }
    }
    return unanswered;
  }

  /** Whoever does not answer is sent a few frames; then all that happened meanwhile in one. */
  @Test
  void conflatesForASlowAgent() {
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel(), Acks.NEVER, hello -> hello)) {
      int unanswered = untilItMustAnswer(replica, agent);
      for (int i = 0; i < 30; i++) {
        apply(replica, "web-1", "n2", "10.244.1." + (1 + i));
      }
      agent.acknowledge(
          Ack.newBuilder()
              .setPosition(PositionCodec.proto(agent.position().orElseThrow()))
              .setFrame(unanswered));
      awaitEqual(agent, "n1");
      assertThat(agent.frames).hasSize(unanswered + 1);
      assertThat(agent.frames.getLast().set()).isEqualTo(1);
    }
  }

  @Test
  void aSlowAgentThatFallsBehindTheJournalIsSentEverything() {
    replicas.with(replicas.streams().withJournal(6));
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel(), Acks.NEVER, hello -> hello)) {
      int unanswered = untilItMustAnswer(replica, agent);
      for (int i = 1; i <= 20; i++) {
        apply(replica, "web-" + i, "n2", "10.244.1." + i);
      }
      agent.acknowledge(
          Ack.newBuilder()
              .setPosition(PositionCodec.proto(agent.position().orElseThrow()))
              .setFrame(unanswered));
      awaitEqual(agent, "n1");
      assertThat(agent.frames).hasSize(unanswered + 1);
      assertThat(agent.frames.getLast().reset()).isTrue();
    }
  }

  @Test
  void sendsNothingBeforeItKnowsWhatTheAgentKnows() {
    replicas.with(replicas.streams().withBarrierTimeout(Duration.ofSeconds(1)));
    var replica = replicas.start("a");
    var identity = replicas.kafka.connect().identity();
    var ahead = new Position(identity, new TreeMap<>(Map.of(LogPartition.SERVICES, 1000L)));
    try (var agent =
        TestAgent.connect(
            "n1",
            replica.channel(),
            Acks.AT_ONCE,
            hello -> hello.setPosition(PositionCodec.proto(ahead)))) {
      await("the end", () -> agent.end().isPresent());
      assertThat(agent.welcome()).isPresent();
      assertThat(agent.frames).isEmpty();
      assertThat(reason(agent)).contains(Reason.NOT_SYNCED);
    }
  }

  private static Optional<Reason> reason(TestAgent agent) {
    return agent.error().flatMap(error -> ErrorReport.of(error).reason());
  }

  @Test
  void refusesAnotherLogUnlessTheAgentAdoptsIt() {
    var replica = replicas.start("a");
    var other = Position.start(new LogIdentity("x", "y")).with(LogPartition.SERVICES, 5);
    try (var agent =
        TestAgent.connect(
            "n1",
            replica.channel(),
            Acks.AT_ONCE,
            hello -> hello.setPosition(PositionCodec.proto(other)))) {
      await("the end", () -> agent.end().isPresent());
      assertThat(reason(agent)).contains(Reason.FOREIGN_LOG);
    }
    try (var agent =
        TestAgent.connect(
            "n1",
            replica.channel(),
            Acks.AT_ONCE,
            hello -> hello.setPosition(PositionCodec.proto(other)).setAdoptLog(true))) {
      awaitEqual(agent, "n1");
      assertThat(agent.frames.getFirst().reset()).isTrue();
    }
  }

  @Test
  void refusesAProtocolItDoesNotSpeak() {
    var replica = replicas.start("a");
    try (var agent =
        TestAgent.connect("n1", replica.channel(), Acks.AT_ONCE, hello -> hello.setProtocol(0))) {
      await("the end", () -> agent.end().isPresent());
      assertThat(reason(agent)).contains(Reason.UNSUPPORTED_PROTOCOL);
    }
  }

  @Test
  void anAgentOfAnOlderReleaseIsSpokenToInItsProtocol() {
    replicas.store(service("web", "10.96.0.1"), serviceCidr("default", "10.96.0.0/16"));
    var replica = replicas.start("a");
    apply(replica, "web-1", "n1", "10.244.0.1");
    try (var agent =
        TestAgent.connect("n1", replica.channel(), Acks.AT_ONCE, hello -> hello.setProtocol(1))) {
      awaitEqual(agent, "n1");
      assertThat(agent.welcome().orElseThrow().getProtocol()).isEqualTo(1);
      apply(replica, "web-2", "n2", "10.244.1.1");
      awaitEqual(agent, "n1");
      delete(replica, "web-1");
      awaitEqual(agent, "n1");
      assertThat(agent.frames.getLast().reset()).isFalse();
    }
  }

  @Test
  void toANewerAgentTheNewestThatThisReplicaKnowsIsSpoken() {
    var replica = replicas.start("a");
    try (var agent =
        TestAgent.connect("n1", replica.channel(), Acks.AT_ONCE, hello -> hello.setProtocol(9))) {
      awaitEqual(agent, "n1");
      assertThat(agent.welcome().orElseThrow().getProtocol()).isEqualTo(4);
    }
    assertThat(firstFrames(replica, "everything", "no_position")).isEqualTo(1);
  }

  private static double firstFrames(Replica replica, String sent, String why) {
    return replica.metric(
        "fairlead_streams_first_frames_total{sent=\"%s\",why=\"%s\"}".formatted(sent, why));
  }

  @Test // P120
  void aDeltaSaysWhenTheFirstOfItsChangesWasAccepted() {
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      awaitEqual(agent, "n1");
      assertThat(agent.accepted).as("everything at once is no change").isEmpty();
      var before = Time.system().now().minusMillis(1); // the log counts whole ones
      replicas.store(service("web", "10.96.0.1"));
      await("the change", () -> !agent.accepted.isEmpty());
      assertThat(agent.accepted.getFirst()).isBetween(before, Time.system().now());
    }
  }

  @Test
  void refusesANodeWithoutAName() {
    var replica = replicas.start("a");
    try (var agent =
        TestAgent.connect(
            "n1",
            replica.channel(),
            Acks.AT_ONCE,
            hello -> {
              hello.getNodeBuilder().clearMetadata();
              return hello;
            })) {
      await("the end", () -> agent.end().isPresent());
      assertThat(agent.end().orElseThrow().getCode()).isEqualTo(Code.INVALID_ARGUMENT);
    }
  }

  /** A session that nobody is in would end the one of an agent that came back meanwhile. */
  @Test
  void aSessionIsNotOpenedForAnAgentThatWentWhileItWaited() {
    var replica = replicas.start("a");
    double before = replica.metric("fairlead_decider_batches_total");
    replicas.kafka.hideCommits();
    try (var _ = TestAgent.connect("n1", replica.channel())) {
      await(
          "the first is decided", () -> replica.metric("fairlead_decider_batches_total") > before);
      var second = TestAgent.connect("n2", replica.channel());
      await("the second waits", () -> replica.metric("fairlead_decider_queued_requests") == 1);
      second.close();
      await("it is withdrawn", () -> replica.metric("fairlead_streams_left_early_total") == 1);
      replicas.kafka.showCommits();
      try (var third = TestAgent.connect("n3", replica.channel())) {
        awaitEqual(third, "n3"); // decided after what was there before it
      }
      assertThat(replicas.image().nodes().get("n2")).isEmpty();
    }
  }

  @Test
  void ofTwoAgentsWithOneNameTheOlderIsToldThatItIsNotWanted() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    var older = TestAgent.connect("n1", a.channel(), Acks.AT_ONCE, as("older", 0));
    awaitEqual(older, "n1");
    long had = older.welcome().orElseThrow().getSession();
    try (var newer = TestAgent.connect("n1", b.channel(), Acks.AT_ONCE, as("newer", 0))) {
      await("the older is ended", () -> older.end().isPresent());
      awaitEqual(newer, "n1");
      try (var again = TestAgent.connect("n1", a.channel(), Acks.AT_ONCE, as("older", had))) {
        await("it is refused", () -> again.end().isPresent());
        assertThat(reason(again)).contains(Reason.SUPERSEDED);
      }
      assertThat(newer.end()).isEmpty();
    }
  }

  private static UnaryOperator<Hello.Builder> as(String instance, long previousSession) {
    return hello -> hello.setInstance(instance).setPreviousSession(previousSession);
  }

  @Test
  void ofTwoSessionsTheNewestWins() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    var first = TestAgent.connect("n1", a.channel());
    awaitEqual(first, "n1");
    try (var second = TestAgent.connect("n1", a.channel())) {
      await("the first is ended", () -> first.end().isPresent());
      assertThat(reason(first)).contains(Reason.OLD_SESSION);
      awaitEqual(second, "n1");
      try (var third = TestAgent.connect("n1", b.channel())) {
        await("the second is ended, elsewhere", () -> second.end().isPresent());
        assertThat(reason(second)).contains(Reason.OLD_SESSION);
        awaitEqual(third, "n1");
        await(
            "the key of the third",
            () -> leased("n1").equals(Optional.of(third.welcome().orElseThrow().getSession())));
      }
    }
  }

  @Test
  void bringsReadinessToTheOwnerAndBack() {
    replicas.store(service("web", "10.96.0.1"));
    replicas.start("a");
    var b = replicas.start("b");
    try (var agent = TestAgent.connect("n1", b.channel())) {
      var uid = apply(b, "web-1", "n1", "10.244.0.1").getPod().getMetadata().getUid();
      awaitEqual(agent, "n1");
      agent.report(reports(1, "web-1", uid, false));
      await("unready", () -> !ready("web-1"));
      agent.report(reports(2, "web-1", uid, true));
      await("ready", () -> ready("web-1"));
      awaitEqual(agent, "n1");
      var entry = (Entry.PodEntry) agent.entries().get(new EntryKey.Pod(name("web-1")));
      assertThat(Optional.ofNullable(entry).orElseThrow().readiness().orElseThrow().sequence())
          .isEqualTo(2);
    }
  }

  @Test
  void e10ARunOfAContainerIsReadyOnlyByAReportAboutItself() {
    replicas.start("a");
    var b = replicas.start("b");
    try (var agent = TestAgent.connect("n1", b.channel())) {
      await("welcome", () -> agent.welcome().isPresent());
      var pod = run(b, "web-0", 1_000);
      report(agent, 1, pod, 1_000);
      await("ready", () -> ready("web-0"));
      assertThat(run(b, "web-0", 2_000).getStatus().getReadyReason())
          .isEqualTo("started again, not probed since");
      report(agent, 2, pod, 1_000);
      report(agent, 3, pod, 2_000);
      await("ready again", () -> ready("web-0"));
      var status = run(b, "web-0", 2_000).getStatus();
      assertThat(status.getReadinessTurns()).isEqualTo(2);
      assertThat(status.getLatestReadinessTurnsList()).hasSize(2);
    }
  }

  private static void report(TestAgent agent, long sequence, Pod pod, long began) {
    var reports = reports(sequence, pod.getMetadata().getName(), pod.getMetadata().getUid(), true);
    reports
        .getReportsBuilder(0)
        .getReportBuilder()
        .putRuns("main", Timestamp.newBuilder().setSeconds(began).build());
    agent.report(reports);
  }

  /** A probed Pod on n1 whose container runs since then. */
  private static Pod run(Replica replica, String name, long began) {
    var container = Container.newBuilder().setName("main");
    container.getReadinessProbeBuilder().getTcpSocketBuilder().setPort("80");
    var meta = ObjectMeta.newBuilder().setNamespace("default").setName(name);
    var applied =
        replica
            .pods()
            .apply(
                ApplyPodRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setPod(
                        Pod.newBuilder()
                            .setMetadata(meta)
                            .setSpec(
                                PodSpec.newBuilder().setNodeName("n1").addContainers(container)))
                    .build())
            .getPod();
    var status = PodStatus.newBuilder().setPhase("Running").addPodIps("10.244.1.4");
    status
        .addContainerStatusesBuilder()
        .setName("main")
        .getStateBuilder()
        .getRunningBuilder()
        .setStartedAt(Timestamp.newBuilder().setSeconds(began));
    return replica
        .pods()
        .updateStatus(
            UpdatePodStatusRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setNamespace("default")
                .setName(name)
                .setUid(applied.getMetadata().getUid())
                .setStatus(status)
                .build())
        .getPod();
  }

  private static ReadinessReports.Builder reports(
      long sequence, String pod, String uid, boolean ready) {
    return ReadinessReports.newBuilder()
        .setSequence(sequence)
        .addReports(
            NamespacedReadiness.newBuilder()
                .setNamespace("default")
                .setReport(
                    PodReadinessReport.newBuilder()
                        .setName(pod)
                        .setPodUid(uid)
                        .setReady(ready)
                        .setReason("test")));
  }

  private boolean ready(String pod) {
    var pods = replicas.image().pods();
    return PodCondition.of(pods, pods.get(name(pod)).orElseThrow().object()).ready();
  }

  @Test
  void reconcilesASource() {
    replicas.start("a");
    var b = replicas.start("b");
    try (var agent = TestAgent.connect("n1", b.channel())) {
      await("welcome", () -> agent.welcome().isPresent());
      apply(b, "foreign", "n1", "10.244.0.9");
      agent.source(
          source(1)
              .addPods(pod("web-1", "n1", "10.244.0.1").setSource("manifests/n1"))
              .addPods(pod("foreign", "n1", "10.244.0.2").setSource("manifests/n1")));
      await("a result", () -> agent.results.size() == 1);
      assertThat(agent.results.getFirst().getRefusedList())
          .extracting(r -> r.getName())
          .containsExactly("foreign");
      assertThat(replicas.image().pods().get(name("web-1"))).isPresent();
      agent.source(source(2));
      await("a second result", () -> agent.results.size() == 2);
      assertThat(replicas.image().pods().get(name("web-1"))).isEmpty();
      assertThat(replicas.image().pods().get(name("foreign"))).isPresent();
    }
  }

  @Test
  void whatIsRefusedInOneNamespaceDoesNotKeepTheOthersWaiting() {
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      await("welcome", () -> agent.welcome().isPresent());
      var large = pod("large", "n1", "10.244.0.1").setSource("manifests/n1");
      large.getMetadataBuilder().setNamespace("aaa");
      large.getSpecBuilder().getContainersBuilder(0).setImage("x".repeat(300_000));
      var good = pod("good", "n1", "10.244.0.2").setSource("manifests/n1");
      good.getMetadataBuilder().setNamespace("bbb");
      agent.source(source(1).addPods(large).addPods(good));
      await("result", () -> !agent.results.isEmpty());
      assertThat(agent.results.getFirst().getRefusedList())
          .singleElement()
          .satisfies(refused -> {
            assertThat(refused.getNamespace()).isEqualTo("aaa");
            assertThat(refused.getName()).isEqualTo("large");
            assertThat(refused.getReason()).contains("must be at most 262144");
          });
      assertThat(replicas.image().pods().get(new ObjectName("bbb", "good"))).isPresent();
      assertThat(replicas.image().pods().get(new ObjectName("aaa", "large"))).isEmpty();
      assertThat(agent.end()).isEmpty();
    }
  }

  @Test
  void aSourceThatNamesNothingAnyMoreLosesItsPodsOfThisNodeInEveryNamespace() {
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      await("welcome", () -> agent.welcome().isPresent());
      apply(replica, pod("elsewhere", "n2", "10.244.0.9").setSource("manifests/n1"));
      agent.source(
          source(1)
              .addPods(pod("web-1", "n1", "10.244.0.1").setSource("manifests/n1"))
              .addPods(inShop(pod("web-2", "n1", "10.244.0.2").setSource("manifests/n1"))));
      await("a result", () -> agent.results.size() == 1);
      assertThat(agent.results.getFirst().getRefusedList()).isEmpty();
      await(
          "applied",
          () ->
              replicas.image().pods().get(new ObjectName("shop", "web-2")).isPresent()
                  && replicas.image().pods().get(name("web-1")).isPresent());
      awaitEqual(agent, "n1");
      agent.source(source(2));
      await("a second result", () -> agent.results.size() == 2);
      assertThat(replicas.image().pods().all())
          .extracting(p -> p.object().name().name())
          .containsExactly("elsewhere");
    }
  }

  private static Pod.Builder inShop(Pod.Builder pod) {
    pod.getMetadataBuilder().setNamespace("shop");
    return pod;
  }

  private static SourceState.Builder source(long sequence) {
    return SourceState.newBuilder().setSource("manifests/n1").setSequence(sequence);
  }

  @Test
  void aNodeWithoutALeaseIsLostAndComesBack() {
    replicas.with(replicas.streams().withLease(Duration.ofMillis(300), Duration.ofSeconds(5)));
    replicas.losingNodesAfter(Duration.ofSeconds(8)); // far longer than it takes to put the key
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    var agent = TestAgent.connect("n1", replica.channel());
    awaitEqual(agent, "n1");
    apply(replica, "web-1", "n1", "10.244.0.1");
    assertThat(ready("web-1")).isTrue();
    agent.close();
    await("unready", () -> !ready("web-1"));
    await("lost", () -> state("n1").equals("Lost"));
    assertThat(replicas.image().pods().readiness(name("web-1")).orElseThrow().object().reason())
        .isEqualTo("node lost");
    try (var again = agent.reconnect(replica.channel())) {
      awaitEqual(again, "n1");
      assertThat(state("n1")).isEqualTo("Ready");
    }
  }

  private String state(String node) {
    return replicas.image().nodes().get(node).orElseThrow().object().state().text();
  }

  @Test
  void closesTheStreamWhoseLeaseCannotBeKept() {
    replicas.with(replicas.streams().withLease(Duration.ofMillis(300), Duration.ofSeconds(3)));
    var replica = replicas.start("a");
    try (var agent = TestAgent.connect("n1", replica.channel())) {
      awaitEqual(agent, "n1");
      await("a key", () -> replicas.etcd.client().nodes().containsKey("n1"));
      replica.coordination.cutOff();
      await("the end", () -> agent.end().isPresent());
      assertThat(reason(agent)).contains(Reason.DEPENDENCY_UNAVAILABLE);
    }
    replica.coordination.reconnect();
  }

  @Test
  void aShutdownSendsTheAgentsElsewhere() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    var agent = TestAgent.connect("n1", a.channel());
    awaitEqual(agent, "n1");
    Thread.ofVirtual().start(a::close);
    await("the end", () -> agent.end().isPresent());
    try (var again = agent.reconnect(b.channel())) {
      awaitEqual(again, "n1");
    }
  }
}
