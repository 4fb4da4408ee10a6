package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.process.Ports;
import io.fairlead.endpoints.decider.NodeLossSettings;
import io.fairlead.endpoints.stream.RebalanceSettings;
import io.fairlead.endpoints.stream.StreamSettings;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.NamespacedReadiness;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReadinessReport;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.ReadinessReports;
import io.grpc.ManagedChannel;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas over a real broker and a real etcd. */
@Tag("slow")
@Timeout(180)
class EndpointsServiceTest {
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private @TempDir Path directory = Path.of("");
  private Optional<EmbeddedKafka> kafka = Optional.empty();
  private Optional<EtcdProcess> etcd = Optional.empty();

  @BeforeEach
  void start() {
    kafka =
        Optional.of(
            opened(EmbeddedKafka.start(EmbeddedKafka.Config.in(directory.resolve("kafka")))));
    etcd =
        Optional.of(
            opened(
                EtcdProcess.start(
                    EtcdProcess.Config.in(directory.resolve("etcd"))
                        .with(EtcdProcess.Durability.NO_FSYNC))));
  }

  @AfterEach
  void close() {
    for (var resource : open.reversed()) {
      assertThatCode(resource::close).doesNotThrowAnyException();
    }
    assertThat(faults).isEmpty();
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.add(resource);
    return resource;
  }

  private EndpointsService replica(String name) {
    var address = new HostPort("127.0.0.1", Ports.free("127.0.0.1"));
    return opened(
        EndpointsService.start(
            new EndpointsConfig(
                name,
                List.of(address),
                address,
                new HostPort("127.0.0.1", 0),
                kafka.orElseThrow().bootstrapServers(),
                1,
                List.of(URI.create(etcd.orElseThrow().clientUrl())),
                List.of(),
                Duration.ofSeconds(20),
                NodeLossSettings.DEFAULT,
                StreamSettings.DEFAULT,
                RebalanceSettings.DEFAULT,
                Optional.empty(),
                Optional.empty()),
            Time.system(),
            (what, cause) -> faults.add(what + ": " + cause)));
  }

  private ManagedChannel channel(EndpointsService replica) {
    var channel = GrpcChannels.of(List.of(new HostPort("127.0.0.1", replica.grpcPort())));
    open.add(channel::shutdownNow);
    return channel;
  }

  private static LogStatusReply status(ManagedChannel channel) {
    return LogGrpc.newBlockingStub(channel)
        .withWaitForReady()
        .withDeadlineAfter(Duration.ofSeconds(20))
        .status(LogStatusRequest.getDefaultInstance());
  }

  private static String apply(ManagedChannel channel, String name, String node, String ip) {
    return PodsGrpc.newBlockingStub(channel)
        .withWaitForReady()
        .withDeadlineAfter(Duration.ofSeconds(30))
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(
                            ObjectMeta.newBuilder()
                                .setNamespace("default")
                                .setName(name)
                                .putLabels("app", "web"))
                        .setSpec(
                            PodSpec.newBuilder()
                                .setNodeName(node)
                                .addContainers(
                                    Container.newBuilder().setName("main").setImage("example/web")))
                        .setStatus(PodStatus.newBuilder().setPodIp(ip)))
                .build())
        .getPod()
        .getMetadata()
        .getUid();
  }

  private void storeService() {
    try (var log =
            KafkaEventLog.open(
                KafkaLogConfig.of(kafka.orElseThrow().bootstrapServers(), "test")
                    .withReplicationFactor(1),
                Time.system());
        var appender = log.openAppender(LogPartition.SERVICES)) {
      var now = Time.system().now();
      appender.append(
          List.of(
              new LogEvent.Stored(
                  service("web", "10.96.0.1"),
                  new Envelope(
                      RandomSource.secure().uuid7(now),
                      now,
                      "service:allocator",
                      Optional.empty(),
                      Optional.empty(),
                      Optional.empty()))));
    }
  }

  /** A report of one node reaches another node; both ways are measured together. */
  @Test
  void whatOneNodeReportsReachesTheOthers() throws Exception {
    storeService();
    var a = channel(replica("a"));
    var b = channel(replica("b"));
    await("both own something", () -> owners(a) == 2);
    var uid = apply(a, "web-1", "n1", "10.244.0.1");
    try (var reporter = TestAgent.connect("n1", a);
        var other = TestAgent.connect("n2", b)) {
      var key = endpoint(uid);
      await("the endpoint at both", () -> ready(reporter, key) && ready(other, key));
      var millis = new ArrayList<Double>();
      var time = Time.system();
      for (int i = 1; i <= 200; i++) {
        boolean ready = i % 2 == 0;
        long begin = time.nanoTime();
        reporter.report(
            ReadinessReports.newBuilder()
                .setSequence(i)
                .addReports(
                    NamespacedReadiness.newBuilder()
                        .setNamespace("default")
                        .setReport(
                            PodReadinessReport.newBuilder()
                                .setName("web-1")
                                .setPodUid(uid)
                                .setReady(ready))));
        while (ready(other, key) != ready) {
          assertThat(other.awaitMessage(Duration.ofSeconds(20))).isTrue();
        }
        millis.add((time.nanoTime() - begin) / 1e6);
      }
      millis.sort(Double::compare);
      System.out.printf(
          "report to the other node's stream: p50 %.1f ms, p99 %.1f ms, of %d%n",
          millis.get(100), millis.get(198), millis.size());
      assertThat(other.faults).isEmpty();
      assertThat(reporter.faults).isEmpty();
    }
    await("equal digests", () -> digests(a).equals(digests(b)));
  }

  private static EntryKey.Endpoint endpoint(String uid) {
    return new EntryKey.Endpoint(
        new EntryKey.ServicePort(name("web"), "", Protocol.TCP), UUID.fromString(uid), Family.IPV4);
  }

  private static boolean ready(TestAgent agent, EntryKey.Endpoint key) {
    return Optional.ofNullable(agent.entries().get(key))
        .map(entry -> ((Entry.EndpointEntry) entry).conditions().ready())
        .orElse(false);
  }

  private static long owners(ManagedChannel channel) {
    return status(channel).getPartitionsList().stream()
        .filter(p -> p.getPartition().startsWith("p") && !p.getOwner().isEmpty())
        .map(p -> p.getOwner())
        .distinct()
        .count();
  }

  private static List<String> digests(ManagedChannel channel) {
    return status(channel).getPartitionsList().stream()
        .map(p -> p.getPartition() + " " + p.getNext() + " " + p.getDigest())
        .toList();
  }

  /** The control plane goes and comes back; agents go on where they were. */
  @Test
  void goesOnWhereItWas() throws Exception {
    storeService();
    var first = replica("a");
    var before = channel(first);
    await("owned", () -> owners(before) == 1);
    apply(before, "web-1", "n1", "10.244.0.1");
    var agent = TestAgent.connect("n1", before);
    await("a frame", () -> agent.entries().size() == 3);
    var digests = status(before).getPartitionsList();
    first.close();
    open.remove(first);
    await("the stream is ended", () -> agent.end().isPresent());
    var after = channel(replica("a"));
    try (var again = agent.reconnect(after)) {
      await("entries", () -> !again.frames.isEmpty());
      assertThat(again.entries()).isEqualTo(agent.entries());
      assertThat(again.faults).isEmpty();
    }
    assertThat(status(after).getPartitionsList().getFirst().getDigest())
        .isEqualTo(digests.getFirst().getDigest());
  }

  @Test
  void withEtcdAwayChangesStillReachTheNodes() {
    storeService();
    var a = channel(replica("a"));
    await("owned", () -> owners(a) == 1);
    try (var agent = TestAgent.connect("n1", a)) {
      await("a frame", () -> !agent.frames.isEmpty());
      etcd.orElseThrow().pause();
      try {
        var uid = apply(a, "web-1", "n2", "10.244.1.1");
        await("the endpoint", () -> ready(agent, endpoint(uid)));
      } finally {
        etcd.orElseThrow().resume();
      }
    }
  }
}
