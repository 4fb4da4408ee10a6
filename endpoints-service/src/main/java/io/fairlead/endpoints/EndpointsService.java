package io.fairlead.endpoints;

import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.decider.DeciderSettings;
import io.fairlead.decider.Feed;
import io.fairlead.decider.LogStability;
import io.fairlead.decider.PartitionOwners;
import io.fairlead.decider.grpc.LogReads;
import io.fairlead.decider.grpc.PeerDigests;
import io.fairlead.decider.grpc.Peers;
import io.fairlead.decider.watch.History;
import io.fairlead.decider.watch.Watches;
import io.fairlead.endpoints.acks.AckPoints;
import io.fairlead.endpoints.acks.Acks;
import io.fairlead.endpoints.acks.Fleet;
import io.fairlead.endpoints.decider.Duties;
import io.fairlead.endpoints.decider.PodCommandPoints;
import io.fairlead.endpoints.decider.PodLeases;
import io.fairlead.endpoints.decider.PodsLogic;
import io.fairlead.endpoints.grpc.AckWaits;
import io.fairlead.endpoints.grpc.Api;
import io.fairlead.endpoints.grpc.NodeQuestions;
import io.fairlead.endpoints.grpc.PodCalls;
import io.fairlead.endpoints.stream.Contents;
import io.fairlead.endpoints.stream.EndOffsets;
import io.fairlead.endpoints.stream.NodeAgentsService;
import io.fairlead.endpoints.stream.NodeLeases;
import io.fairlead.endpoints.stream.NodeStreams;
import io.fairlead.endpoints.stream.Rebalancer;
import io.fairlead.endpoints.stream.ResetTurns;
import io.fairlead.endpoints.stream.SessionFence;
import io.fairlead.endpoints.stream.StreamStats;
import io.fairlead.endpoints.stream.UplinkPoints;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Publisher;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FollowListener.Connection;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.BuildInfo;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.Health;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.HttpEndpoints;
import io.fairlead.runtime.Metrics;
import io.fairlead.runtime.Shutdown;
import io.grpc.BindableService;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica: follows the log, decides what it owns, serves the API and the agents' streams. What
 * it holds is derived from the log; failover loses nothing. Threads: the loader's, those of the
 * decider and of the acknowledgements, two for each stream, one for each call.
 */
public final class EndpointsService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EndpointsService.class);

  /** Whose members the replicas are. */
  private static final String SERVICE = "endpoints";

  private static final Duration DRAIN = Duration.ofSeconds(5);

  private final Shutdown shutdown;
  private final int grpcPort;
  private final int httpPort;

  private EndpointsService(Shutdown shutdown, int grpcPort, int httpPort) {
    this.shutdown = shutdown;
    this.grpcPort = grpcPort;
    this.httpPort = httpPort;
  }

  /** Over Kafka and etcd. Blocks until both were reached once. */
  public static EndpointsService start(EndpointsConfig config, Time time, FaultHandler faults) {
    var shutdown = new Shutdown();
    var points = FaultPointDirectory.of(config.faultPoints(), time);
    try {
      var metrics = Metrics.ofProcess("endpoints");
      var health = new Health();
      var starting = health.starting("the log");
      var http = shutdown.opened("http", HttpEndpoints.start(config.httpListen(), health, metrics));
      var eventLog =
          shutdown.opened(
              "log",
              KafkaEventLog.open(
                  KafkaLogConfig.of(
                          config.kafkaBootstrap(), "fairlead-endpoints-" + config.replica())
                      .withReplicationFactor(config.replicationFactor()),
                  time,
                  points));
      var coordination =
          shutdown.opened(
              "etcd",
              EtcdCoordination.connect(
                  EtcdConfig.of(config.etcdEndpoints().stream().map(URI::toString).toList()),
                  time,
                  points));
      var grpc =
          wire(
              shutdown,
              config,
              eventLog,
              coordination,
              health,
              metrics,
              time,
              RandomSource.secure(),
              faults,
              FeatureLevels.CURRENT,
              points);
      starting.done();
      log.atInfo()
          .addKeyValue("event", "process.started")
          .addKeyValue("replica", config.replica())
          .addKeyValue("grpc", grpc.port())
          .addKeyValue("http", http.port())
          .log("Endpoints service started");
      return new EndpointsService(shutdown, grpc.port(), http.port());
    } catch (RuntimeException e) {
      shutdown.close();
      throw e;
    }
  }

  /**
   * Everything but the connections to Kafka and etcd; what it opens is closed by {@code shutdown}.
   */
  static GrpcServer wire(
      Shutdown shutdown,
      EndpointsConfig config,
      EventLog eventLog,
      Coordination coordination,
      Health health,
      Metrics metrics,
      Time time,
      RandomSource random,
      FaultHandler faults,
      FeatureLevels levels,
      FaultPoints points) {
    var partitions = eventLog.partitioning().all();
    var owned = partitions.stream().filter(p -> p.topic() == Topic.PODS).toList();
    var contents =
        new Contents(
            eventLog.identity(),
            config.streams().journal(),
            () -> eventLog.completeSince().plus(Loader.SKEW));
    var streams = new NodeStreams();
    var turns = new ResetTurns(config.streams().resets(), time);
    var stats = new StreamStats();
    var leases = new PodLeases();
    var inbox = new Duties.Inbox(leases, time);
    var history = new History(eventLog.identity(), eventLog.completeSince());
    var watches = new Watches(eventLog.identity(), history, time);
    var logReads = new LogReads(eventLog, partitions);
    var feed = new Feed(eventLog.identity());
    List<Publisher> publishers =
        List.of(
            (delta, image, manifest) -> inbox.update(delta, image, manifest.entries()),
            (delta, image, manifest) -> streams.update(delta, image),
            contents,
            history,
            watches,
            feed); // last: who is answered finds the record on the streams, too
    var snapshots = new Snapshots(config.snapshots(), eventLog, partitions, time, points);
    var kept = snapshots.read();
    kept.ifPresent(snapshot -> feed.remember(snapshot.entries()));
    var loader =
        shutdown.opened(
            "loader",
            Loader.start(
                eventLog,
                partitions,
                publishers,
                faults,
                time,
                kept.map(Snapshots.Kept::restored),
                levels));
    snapshots.keep(loader, feed::requests);
    shutdown.opened("snapshots", snapshots); // closed when nothing comes any more
    PartitionOwners<PodCommand, PodOutcome> owners =
        shutdown.opened(
            "decider",
            PartitionOwners.start(
                DeciderSettings.of(
                        SERVICE,
                        config.replica(),
                        config.advertise().toString(),
                        BuildInfo.version(),
                        owned)
                    .withLevels(levels),
                eventLog,
                coordination,
                feed,
                loader::synced,
                new PodsLogic(leases, time),
                faults,
                points,
                time,
                random));
    var stability = shutdown.opened("log stability", LogStability.start(eventLog, owned, time));
    var ends = new EndOffsets(() -> eventLog.endOffsets(partitions));
    var fence = new SessionFence(new PodCommandPoints(owners, points), ends, loader);
    var duties =
        shutdown.opened(
            "duties",
            Duties.start(
                config.replica(),
                eventLog.partitioning(),
                fence,
                coordination,
                () -> feed.current().image(),
                inbox,
                config.nodeLoss(),
                time));
    var peers =
        shutdown.opened(
            "peers", new Peers(address -> GrpcChannels.of(List.of(HostPort.of(address)))));
    var digests =
        shutdown.opened(
            "digests",
            PeerDigests.start(
                SERVICE,
                config.replica(),
                List.of("allocator", SERVICE),
                loader,
                coordination,
                peers,
                time));
    var calls =
        new PodCalls(
            fence, peers, eventLog.partitioning(), () -> feed.current().image(), leases, time);
    var acks =
        shutdown.opened(
            "acks", Acks.start(config.replica(), new AckPoints(eventLog.acks(), points), time));
    var fleet = new Fleet(config.replica(), acks, coordination, time);
    var waits = new AckWaits(acks, points, time);
    var nodeLeases =
        shutdown.opened(
            "node leases",
            NodeLeases.start(
                config.replica(), coordination, config.streams(), stats, points, time));
    var services = new ArrayList<BindableService>();
    services.addAll(
        Api.services(
            config.replica(),
            partitions,
            calls,
            loader,
            fleet,
            acks,
            waits,
            new NodeQuestions(
                SERVICE,
                streams,
                fleet,
                peers,
                coordination,
                eventLog.partitioning(),
                () -> feed.current().image(),
                time),
            history,
            watches,
            logReads,
            coordination,
            config.callTimeout(),
            time));
    services.add(
        new NodeAgentsService(
            config.replica(),
            eventLog.identity(),
            contents,
            ends,
            turns,
            streams,
            new UplinkPoints(calls.uplink(config.streams().callTimeout()), points),
            () -> feed.current().image(),
            acks,
            nodeLeases,
            config.streams(),
            stats,
            points,
            random::uuid,
            time));
    var grpc =
        shutdown.opened(
            "grpc",
            GrpcServer.start(
                GrpcServer.Settings.listening(config.listen())
                    .withDrain(DRAIN)
                    .withAllowFrom(config.allowFrom()),
                services,
                Api.interceptors(),
                metrics));
    shutdown.opened(
        "rebalancer",
        Rebalancer.start(
            SERVICE,
            config.replica(),
            streams,
            coordination,
            config.rebalance(),
            stats,
            time,
            random));
    shutdown.onClose("streams", streams);
    shutdown.onClose("watches", watches);
    shutdown.onClose("waits", waits);
    shutdown.onClose("log readers", logReads);
    shutdown.onClose("ownership", owners::drain);
    shutdown.onClose(
        "readiness",
        () -> {
          health.drain();
          grpc.readiness(GrpcServer.Readiness.NOT_READY);
        });
    health.ready("log", () -> trouble(loader));
    health.ready("etcd", () -> owners.etcdAway() ? Optional.of("not reached") : Optional.empty());
    health.live("image", () -> loader.fault().map(cause -> "frozen: " + cause.getMessage()));
    EndpointsMetrics.register(
        metrics,
        loader,
        snapshots,
        stability,
        coordination,
        feed,
        owners,
        duties,
        contents,
        streams,
        turns,
        stats,
        acks,
        waits,
        history,
        watches,
        logReads,
        digests);
    Thread.ofVirtual().name("grpc-ready").start(() -> turnReady(shutdown, loader, grpc, time));
    return grpc;
  }

  private static Optional<String> trouble(Loader loader) {
    if (loader.fault().isPresent()) {
      return Optional.of("the image is frozen");
    }
    if (!loader.synced()) {
      return Optional.of("still being read");
    }
    return loader.connection() == Connection.CONNECTED
        ? Optional.empty()
        : Optional.of("not reached");
  }

  /** The gRPC health of the start; later troubles show in the answers and in /readyz. */
  private static void turnReady(Shutdown shutdown, Loader loader, GrpcServer grpc, Time time) {
    try {
      while (!shutdown.isStopping()) {
        if (loader.synced()) {
          grpc.readiness(GrpcServer.Readiness.READY);
          return;
        }
        time.sleep(Duration.ofMillis(50));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Where gRPC listens. */
  public int grpcPort() {
    return grpcPort;
  }

  /** Where health and metrics are. */
  public int httpPort() {
    return httpPort;
  }

  /** Waits for SIGTERM. Only for {@code main}. */
  public void awaitStopped() throws InterruptedException {
    shutdown.awaitStopped();
  }

  /**
   * Turns not ready, lets go of the partitions, ends the streams, waits for running calls, then
   * closes the rest.
   */
  @Override
  public void close() {
    shutdown.close();
  }
}
