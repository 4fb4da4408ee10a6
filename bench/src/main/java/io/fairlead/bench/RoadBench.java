package io.fairlead.bench;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.NodeLease;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.testbed.cluster.Api;
import io.fairlead.testbed.cluster.Cluster;
import io.fairlead.testbed.cluster.ClusterSpec;
import io.fairlead.testbed.cluster.Part;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.Node;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReadinessReport;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Probe;
import io.fairlead.v1.ReportReadinessRequest;
import io.fairlead.v1.TcpSocketAction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * From the moment a report "this Pod is ready" (or is not) was accepted to the moment the kernels
 * of all three nodes say that its rule stands; one change at a time, beside few other Services or
 * many. Then the memory of each process.
 */
final class RoadBench implements Bench.Scenario {
  private static final int WARM_UP = 200;
  private static final int CHANGES = 1_000;
  private static final String NODE = "bench-node";
  private static final ObjectName POD = new ObjectName("default", "bench-1");
  private static final Target STEADY = new Target(Address.of("10.244.200.1"), 8080);
  private static final Target MOVING = new Target(Address.of("10.244.200.2"), 8080);
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final int FILLERS = 32;
  private static final Duration LISTENING = Duration.ofSeconds(5);
  private static final int TRIES = 24; // beside many Services the first rules take their time

  @Override
  public String options() {
    return RoadOptions.HELP;
  }

  @Override
  public List<Figure> run(List<String> words, Bench.Progress progress) throws Exception {
    var options = RoadOptions.parse(words);
    progress.say("starting a cluster of three nodes");
    var directory = Files.createTempDirectory("fairlead-bench");
    var spec = ClusterSpec.of("benchr", directory).withHeaps(options.heaps());
    try (var cluster = Cluster.start(spec);
        var api = new Api(cluster);
        var etcd =
            EtcdCoordination.connect(EtcdConfig.of(List.of(cluster.etcdUrl())), Time.system());
        var lease = etcd.openLease(Duration.ofSeconds(10), () -> {});
        var log =
            KafkaEventLog.open(
                KafkaLogConfig.of(cluster.kafkaBootstrap(), "bench").withReplicationFactor(1),
                Time.system())) {
      var accepted = new Acceptances();
      try (var _ =
          log.follow(
              log.partitioning().all(),
              io.fairlead.core.model.Position.start(log.identity()),
              accepted)) {
        return measure(cluster, api, etcd, lease, accepted, options, directory, progress);
      }
    }
  }

  /** When each report was accepted, as the log tells. */
  private static final class Acceptances implements FollowListener {
    private final ConcurrentHashMap<Long, CompletableFuture<Instant>> bySequence =
        new ConcurrentHashMap<>();

    CompletableFuture<Instant> of(long sequence) {
      return bySequence.computeIfAbsent(sequence, _ -> new CompletableFuture<>());
    }

    @Override
    public void onEntries(List<LogEntry> entries, io.fairlead.core.model.Position applied) {
      for (var entry : entries) {
        if (entry.event() instanceof LogEvent.Stored(PodReadiness report, var envelope)
            && report.node().equals(NODE)
            && report.pod().equals(POD)) {
          of(report.sequence()).complete(envelope.accepted());
        }
      }
    }

    @Override
    public void onConnection(Connection state) {}

    @Override
    public void onFault(Throwable cause) {
      System.err.println("the bench's reader of the log stopped: " + cause);
    }
  }

  private static List<Figure> measure(
      Cluster cluster,
      Api api,
      EtcdCoordination etcd,
      Coordination.Lease lease,
      Acceptances accepted,
      RoadOptions options,
      Path directory,
      Bench.Progress progress)
      throws Exception {
    long session = openNode(cluster);
    var _ = etcd.putNodes(List.of(new NodeLease(NODE, session, "bench")), lease);
    var vip =
        Address.of(
            api.apply(
                    """
                    apiVersion: v1
                    kind: Service
                    metadata:
                      name: bench
                      annotations: {fairlead.io/load-balancing: %s}
                    spec:
                      selector: {app: bench}
                      ports: [{port: 80, targetPort: 8080}]
                    """
                        .formatted(options.balancing().annotation()))
                .getFirst()
                .getService()
                .getSpec()
                .getClusterIp());
    fill(api, options, progress); // after it: the others may use up the limit of round-robin
    var moving = applyPod(api, POD.name(), MOVING);
    long sequence = 1;
    var watches = new ArrayList<KernelWatch>();
    try {
      for (var node : cluster.fabric().nodes()) {
        watches.add(new KernelWatch(node, new Frontend(vip, Protocol.TCP, 80), directory));
      }
      progress.say("waiting for the first rule");
      sequence = listen(api, session, sequence, watches);
      var samples = new Samples();
      for (int i = 0; i < WARM_UP + CHANGES; i++) {
        boolean ready = i % 2 == 0;
        var number = sequence++;
        report(api, session, number, POD.name(), moving, ready);
        var seen = awaitAll(watches, ready ? Set.of(STEADY, MOVING) : Set.of(STEADY));
        var start = accepted.of(number).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        if (i >= WARM_UP) {
          samples.add(Duration.between(start, seen));
        }
        if (i % 200 == 0) {
          progress.say(i + " of " + (WARM_UP + CHANGES) + " changes");
        }
      }
      requireRead(watches, Set.of(STEADY));
      var figures = new ArrayList<>(samples.figures("road.rule" + options.suffix()));
      figures.addAll(memory(cluster));
      return figures;
    } finally {
      for (var watch : watches) {
        watch.close();
      }
    }
  }

  /** Services of one namespace, each with its Pods, none of which is probed. */
  private static void fill(Api api, RoadOptions options, Bench.Progress progress) throws Exception {
    if (options.services() == 0) {
      return;
    }
    progress.say("%d Services of %d Pods".formatted(options.services(), options.pods()));
    Clients.run(
        FILLERS,
        options.services(),
        new Samples(),
        i -> {
          var _ =
              api.create(
                  """
                  apiVersion: v1
                  kind: Service
                  metadata: {name: filler-%d}
                  spec:
                    selector: {app: filler-%d}
                    ports: [{port: 80, targetPort: 8080}]
                  """
                      .formatted(i, i));
        });
    int pods = options.services() * options.pods();
    Clients.run(
        FILLERS,
        pods,
        new Samples(),
        i -> {
          var _ = api.pods().apply(filler(i, i / options.pods()));
          if (i % 10_000 == 0) {
            progress.say("%d of %d Pods".formatted(i, pods));
          }
        });
  }

  private static ApplyPodRequest filler(int number, int service) {
    var address = "10.%d.%d.%d".formatted(128 + (number >> 16), number >> 8 & 0xff, number & 0xff);
    return ApplyPodRequest.newBuilder()
        .setRequestId(UUID.randomUUID().toString())
        .setPod(
            Pod.newBuilder()
                .setMetadata(
                    ObjectMeta.newBuilder()
                        .setNamespace(POD.namespace())
                        .setName("filler-" + number)
                        .putLabels("app", "filler-" + service))
                .setSpec(
                    PodSpec.newBuilder()
                        .setNodeName("node-a")
                        .addContainers(
                            Container.newBuilder()
                                .setName("main")
                                .setImage("none")
                                .addPorts(ContainerPort.newBuilder().setContainerPort(8080))))
                .setStatus(PodStatus.newBuilder().setPhase("Running").setPodIp(address)))
        .build();
  }

  /**
   * Makes the first Pod ready and unready until all kernels tell, because {@code nft} does not say
   * from when on it listens; it is ready in the end. The next sequence.
   */
  private static long listen(Api api, long session, long first, List<KernelWatch> watches) {
    var steady = applyPod(api, "bench-0", STEADY);
    long sequence = first;
    for (int i = 0; i < TRIES; i++) {
      report(api, session, sequence++, "bench-0", steady, true);
      if (allSee(watches, Set.of(STEADY), LISTENING)) {
        return sequence;
      }
      report(api, session, sequence++, "bench-0", steady, false);
      allSee(watches, Set.of(), LISTENING);
    }
    throw new IllegalStateException("not all kernels tell of " + STEADY + ": " + watches);
  }

  /** What the kernels told is what is in them. */
  private static void requireRead(List<KernelWatch> watches, Set<Target> targets) {
    for (var watch : watches) {
      var read = watch.read();
      if (!read.equals(targets)) {
        throw new IllegalStateException(
            "the kernel of %s told of %s, and has %s".formatted(watch, targets, read));
      }
    }
  }

  private static long openNode(Cluster cluster) {
    var channel = GrpcChannels.of(cluster.endpointsServiceAddresses());
    try {
      return NodesGrpc.newBlockingStub(channel)
          .withDeadlineAfter(LIMIT.toSeconds(), TimeUnit.SECONDS)
          .open(
              OpenNodeRequest.newBuilder()
                  .setRequestId(UUID.randomUUID().toString())
                  .setNode(
                      Node.newBuilder()
                          .setMetadata(ObjectMeta.newBuilder().setName(NODE))
                          .addAddresses("10.244.200.254")
                          .setAgentVersion("bench"))
                  .build())
          .getNode()
          .getSession();
    } finally {
      channel.shutdownNow();
    }
  }

  /** The uid it was given. */
  private static String applyPod(Api api, String name, Target target) {
    return api.pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(
                            ObjectMeta.newBuilder()
                                .setNamespace(POD.namespace())
                                .setName(name)
                                .putLabels("app", "bench"))
                        .setSpec(
                            PodSpec.newBuilder()
                                .setNodeName(NODE)
                                .addContainers(
                                    Container.newBuilder()
                                        .setName("main")
                                        .setImage("none")
                                        .addPorts(
                                            ContainerPort.newBuilder()
                                                .setContainerPort(target.port()))
                                        .setReadinessProbe(
                                            Probe.newBuilder()
                                                .setTcpSocket(
                                                    TcpSocketAction.newBuilder()
                                                        .setPort(
                                                            Integer.toString(target.port()))))))
                        .setStatus(
                            PodStatus.newBuilder()
                                .setPhase("Running")
                                .setPodIp(target.address().toString())))
                .build())
        .getPod()
        .getMetadata()
        .getUid();
  }

  private static void report(
      Api api, long session, long sequence, String pod, String uid, boolean ready) {
    api.pods()
        .reportReadiness(
            ReportReadinessRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setNamespace(POD.namespace())
                .setNode(NODE)
                .setSession(session)
                .setSequence(sequence)
                .addReports(
                    PodReadinessReport.newBuilder()
                        .setName(pod)
                        .setPodUid(uid)
                        .setReady(ready)
                        .setReason(ready ? "ok" : "refused"))
                .build());
  }

  /** When the last node had exactly these targets. */
  private static Instant awaitAll(List<KernelWatch> watches, Set<Target> targets) {
    if (!allSee(watches, targets, LIMIT)) {
      throw new IllegalStateException(
          "not all kernels had %s within %s: %s"
              .formatted(targets, LIMIT, watches.stream().map(KernelWatch::last).toList()));
    }
    return watches.stream()
        .map(watch -> watch.last().orElseThrow().seen())
        .max(Instant::compareTo)
        .orElseThrow();
  }

  private static boolean allSee(List<KernelWatch> watches, Set<Target> targets, Duration limit) {
    long giveUp = System.nanoTime() + limit.toNanos();
    while (!watches.stream()
        .allMatch(w -> w.last().filter(s -> s.targets().equals(targets)).isPresent())) {
      if (System.nanoTime() - giveUp > 0) {
        return false;
      }
      LockSupport.parkNanos(200_000);
    }
    return true;
  }

  private static List<Figure> memory(Cluster cluster) {
    return Stream.concat(cluster.controlPlane().stream(), cluster.agents().values().stream())
        .sorted(java.util.Comparator.comparing(Part::name))
        .map(p -> new Figure("road.rss." + p.name(), p.residentBytes() / 1e6, "MB", 1))
        .toList();
  }
}
