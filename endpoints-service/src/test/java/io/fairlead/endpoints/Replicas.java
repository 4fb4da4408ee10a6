package io.fairlead.endpoints;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.process.Ports;
import io.fairlead.endpoints.decider.NodeLossSettings;
import io.fairlead.endpoints.stream.RebalanceSettings;
import io.fairlead.endpoints.stream.StreamSettings;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.etcd.FakeEtcd;
import io.fairlead.eventlog.log.FakeEventLog;
import io.fairlead.eventlog.log.FakeKafka;
import io.fairlead.eventlog.log.PartitionAppender;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.Health;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.runtime.Shutdown;
import io.fairlead.v1.FeatureLevelReply;
import io.fairlead.v1.FeatureLevelsGrpc;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.PodsGrpc;
import io.grpc.ManagedChannel;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;

/** Replicas of the service over one fake log and one fake etcd, reached over real gRPC. */
final class Replicas implements AutoCloseable {
  static final Partitioning PARTITIONING = new Partitioning(3);

  final FakeKafka kafka = new FakeKafka(Time.system(), PARTITIONING);
  final FakeEtcd etcd = new FakeEtcd(Time.system());
  final List<String> faults = new CopyOnWriteArrayList<>();
  private final FakeEventLog allocator = kafka.connect();
  private final PartitionAppender services = allocator.openAppender(LogPartition.SERVICES);
  private final List<Replica> replicas = new ArrayList<>();
  private StreamSettings streams =
      StreamSettings.DEFAULT
          .withLease(Duration.ofSeconds(1), Duration.ofSeconds(2))
          .withBarrierTimeout(Duration.ofSeconds(5));
  private RebalanceSettings rebalance = RebalanceSettings.DEFAULT;
  private NodeLossSettings loss =
      new NodeLossSettings(
          Duration.ofMinutes(10),
          Duration.ofMinutes(10),
          10,
          1.0 / 3,
          Duration.ofMinutes(5),
          Duration.ofMillis(50),
          Duration.ofMinutes(10));

  private FeatureLevels levels = FeatureLevels.CURRENT;

  Replicas with(FeatureLevels supported) {
    levels = supported;
    return this;
  }

  Replicas with(StreamSettings settings) {
    streams = settings;
    return this;
  }

  Replicas rebalancing(RebalanceSettings settings) {
    rebalance = settings;
    return this;
  }

  StreamSettings streams() {
    return streams;
  }

  Replicas losingNodesAfter(Duration missing) {
    loss = loss.withAfter(missing, missing);
    return this;
  }

  Replicas losingNodesAfterClose(Duration closed) {
    loss = loss.withAfter(loss.after(), closed);
    return this;
  }

  Replicas keepingPods(Duration kept) {
    loss = loss.withPodsKept(kept);
    return this;
  }

  /** One of them. */
  final class Replica implements AutoCloseable {
    final String name;
    final FakeEventLog log = kafka.connect();
    final FakeCoordination coordination = etcd.client();
    final Metrics metrics = new Metrics();
    final int port = Ports.free("127.0.0.1");
    private final Shutdown shutdown = new Shutdown();
    private final ManagedChannel channel =
        GrpcChannels.of(List.of(new HostPort("127.0.0.1", port)));

    Replica(String name) {
      this.name = name;
      EndpointsService.wire(
          shutdown,
          new EndpointsConfig(
              name,
              List.of(new HostPort("127.0.0.1", port)),
              new HostPort("127.0.0.1", port),
              new HostPort("127.0.0.1", 0),
              "unused:1",
              1,
              List.of(URI.create("http://unused:1")),
              List.of(),
              Duration.ofSeconds(10),
              loss,
              streams,
              rebalance,
              Optional.empty(),
              Optional.empty()),
          log,
          coordination,
          new Health(),
          metrics,
          Time.system(),
          RandomSource.seeded(replicas.size() + 1),
          (what, cause) -> faults.add(what + ": " + cause),
          levels,
          FaultPoints.NONE);
    }

    ManagedChannel channel() {
      return channel;
    }

    PodsGrpc.PodsBlockingStub pods() {
      return PodsGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Duration.ofSeconds(20))
          .withWaitForReady();
    }

    NodesGrpc.NodesBlockingStub nodes() {
      return NodesGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Duration.ofSeconds(20))
          .withWaitForReady();
    }

    FeatureLevelReply featureLevel() {
      return FeatureLevelsGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Duration.ofSeconds(20))
          .withWaitForReady()
          .get(GetFeatureLevelRequest.getDefaultInstance());
    }

    LogStatusReply status() {
      return LogGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Duration.ofSeconds(20))
          .withWaitForReady()
          .status(LogStatusRequest.getDefaultInstance());
    }

    /** Of a metric, with its labels as it is exported. */
    double metric(String metric) {
      return metrics
          .page("text/plain")
          .text()
          .lines()
          .filter(line -> line.startsWith(metric + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(metric.length() + 1)))
          .findFirst()
          .orElseThrow();
    }

    boolean serves() {
      return status().getPartitionsList().stream()
          .filter(p -> p.getPartition().startsWith("p"))
          .allMatch(p -> !p.getOwner().isEmpty());
    }

    /** As by kill -9: not a word to etcd. */
    void crash() {
      coordination.crash();
      kafka.cutOff(log);
      close();
    }

    /** As by SIGTERM; its callers stay. */
    void stop() {
      shutdown.close();
    }

    @Override
    public void close() {
      channel.shutdownNow();
      shutdown.close();
    }
  }

  /** Another replica; returns when every partition has an owner. */
  Replica start(String name) {
    var replica = new Replica(name);
    replicas.add(replica);
    await("every partition has an owner", replica::serves);
    return replica;
  }

  /** As the allocator would: Services and ranges into their partition. */
  void store(DomainObject... objects) {
    services.append(
        List.of(objects).stream()
            .<LogEvent>map(object -> new LogEvent.Stored(object, envelope()))
            .toList());
  }

  void delete(DomainObject object) {
    services.append(
        List.of(
            new LogEvent.Deleted(object.key(), object.uid(), envelope()),
            new LogEvent.Tombstone(object.key())));
  }

  private static Envelope envelope() {
    return new Envelope(
        RandomSource.secure().uuid7(Time.system().now()),
        Time.system().now(),
        "service:allocator",
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** What the log adds up to now, read by nobody who is under test. */
  ClusterImage image() {
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    for (var partition : PARTITIONING.all()) {
      kafka.committed(partition).forEach(delta::replay);
    }
    return delta.apply();
  }

  static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .until(condition);
  }

  @Override
  public void close() {
    replicas.forEach(Replica::close);
    allocator.close();
    etcd.close();
  }
}
