package io.fairlead.allocator;

import io.fairlead.allocator.decider.FreshlyFreed;
import io.fairlead.allocator.decider.ReservationEnds;
import io.fairlead.allocator.decider.ServiceJournal;
import io.fairlead.allocator.decider.ServicesLogic;
import io.fairlead.allocator.grpc.Api;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
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
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica: follows the services partition, decides it where it owns it, serves the API. What it
 * holds is derived from the log; failover loses nothing that was answered. Threads, all virtual:
 * the loader's, those of the decider, one for each call.
 */
public final class AllocatorService implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AllocatorService.class);
  private static final Duration DRAIN = Duration.ofSeconds(5);
  private static final Duration READINESS_CHECK = Duration.ofMillis(100);
  private static final List<LogPartition> PARTITIONS = List.of(LogPartition.SERVICES);

  /** Whose members the replicas are. */
  private static final String SERVICE = "allocator";

  private final Shutdown shutdown;
  private final int grpcPort;
  private final int httpPort;

  private AllocatorService(Shutdown shutdown, int grpcPort, int httpPort) {
    this.shutdown = shutdown;
    this.grpcPort = grpcPort;
    this.httpPort = httpPort;
  }

  /** Over Kafka and etcd. Blocks until Kafka was reached once; etcd may come later. */
  public static AllocatorService start(AllocatorConfig config, Time time, FaultHandler faults) {
    var shutdown = new Shutdown();
    var points = FaultPointDirectory.of(config.faultPoints(), time);
    try {
      var metrics = Metrics.ofProcess("allocator");
      var health = new Health();
      var starting = health.starting("the log");
      var http = shutdown.opened("http", HttpEndpoints.start(config.httpListen(), health, metrics));
      var eventLog = shutdown.opened("log", openLog(config, time, points));
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
              points,
              FeatureLevels.CURRENT);
      starting.done();
      log.atInfo()
          .addKeyValue("event", "process.started")
          .addKeyValue("replica", config.replica())
          .addKeyValue("grpc", grpc.port())
          .addKeyValue("http", http.port())
          .log("Allocator service started");
      return new AllocatorService(shutdown, grpc.port(), http.port());
    } catch (RuntimeException e) {
      shutdown.close();
      throw e;
    }
  }

  /** Waits as long as it takes: a control plane that starts before its Kafka is no fault. */
  private static EventLog openLog(AllocatorConfig config, Time time, FaultPoints points) {
    var kafka =
        KafkaLogConfig.of(config.kafkaBootstrap(), "fairlead-allocator-" + config.replica())
            .withReplicationFactor(config.replicationFactor());
    while (true) {
      try {
        return KafkaEventLog.open(kafka, time, points);
      } catch (GatewayException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw e;
        }
        log.atWarn().setCause(e).log("Log cannot be opened yet, trying again");
      }
    }
  }

  /**
   * Everything but the connections to Kafka and etcd; what it opens is closed by {@code shutdown}.
   */
  static GrpcServer wire(
      Shutdown shutdown,
      AllocatorConfig config,
      EventLog eventLog,
      Coordination coordination,
      Health health,
      Metrics metrics,
      Time time,
      RandomSource random,
      FaultHandler faults,
      FaultPoints points,
      FeatureLevels levels) {
    var feed = new Feed(eventLog.identity());
    var freed = new FreshlyFreed(time);
    var journal = new ServiceJournal();
    var history = new History(eventLog.identity(), eventLog.completeSince());
    var watches = new Watches(eventLog.identity(), history, time);
    var logReads = new LogReads(eventLog, PARTITIONS);
    List<Publisher> publishers =
        List.of(
            freed, journal, history, watches,
            feed); // last: what others derive is there when it answers
    var snapshots = new Snapshots(config.snapshots(), eventLog, PARTITIONS, time);
    var kept = snapshots.read();
    kept.ifPresent(snapshot -> feed.remember(snapshot.entries()));
    var loader =
        shutdown.opened(
            "loader",
            Loader.start(
                eventLog,
                PARTITIONS,
                publishers,
                faults,
                time,
                kept.map(Snapshots.Kept::restored),
                levels));
    snapshots.keep(loader, feed::requests);
    shutdown.opened("snapshots", snapshots); // closed when nothing comes any more
    PartitionOwners<ServiceCommand, ServiceOutcome> owners =
        shutdown.opened(
            "decider",
            PartitionOwners.start(
                DeciderSettings.of(
                        SERVICE,
                        config.replica(),
                        config.advertise().toString(),
                        BuildInfo.version(),
                        PARTITIONS)
                    .withLeaseTtl(config.leaseTtl())
                    .withLevels(levels),
                eventLog,
                coordination,
                feed,
                loader::synced,
                new ServicesLogic(config.serviceCidrs(), config.services(), freed),
                faults,
                points,
                time,
                random));
    var ends =
        shutdown.opened(
            "reservations",
            ReservationEnds.start(
                owners,
                () -> owners.serving().contains(LogPartition.SERVICES),
                coordination,
                () -> feed.current().image(),
                time));
    var stability =
        shutdown.opened("log stability", LogStability.start(eventLog, PARTITIONS, time));
    journal.writeWhile(() -> loader.synced() && !owners.serving().isEmpty());
    var peers =
        shutdown.opened(
            "peers", new Peers(address -> GrpcChannels.of(List.of(HostPort.of(address)))));
    var digests =
        shutdown.opened(
            "digests",
            PeerDigests.start(
                SERVICE,
                config.replica(),
                List.of(SERVICE, "endpoints"),
                loader,
                coordination,
                peers,
                time));
    var grpc =
        shutdown.opened(
            "grpc",
            GrpcServer.start(
                GrpcServer.Settings.listening(config.listen()).withDrain(DRAIN),
                Api.services(
                    config.replica(),
                    PARTITIONS,
                    owners,
                    peers,
                    loader,
                    history,
                    watches,
                    logReads,
                    coordination,
                    () -> feed.current().image(),
                    config.callTimeout(),
                    time),
                Api.interceptors(),
                metrics));
    shutdown.onClose("watches", watches);
    shutdown.onClose("log readers", logReads);
    shutdown.onClose("ownership", owners::drain); // while gRPC still answers what was taken
    shutdown.onClose(
        "readiness",
        () -> {
          health.drain();
          grpc.readiness(GrpcServer.Readiness.NOT_READY);
        });
    health.ready("log", () -> trouble(loader));
    health.ready("etcd", () -> owners.etcdAway() ? Optional.of("not reached") : Optional.empty());
    health.ready(
        "owner", () -> owners.ready() ? Optional.empty() : Optional.of("nobody owns the services"));
    health.live("image", () -> loader.fault().map(cause -> "frozen: " + cause.getMessage()));
    AllocatorMetrics.register(
        metrics,
        loader,
        snapshots,
        stability,
        coordination,
        feed,
        owners,
        ends,
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
        time.sleep(READINESS_CHECK);
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

  /** Turns not ready, lets go of the partition, waits for running calls, then closes the rest. */
  @Override
  public void close() {
    shutdown.close();
  }
}
