package io.fairlead.allocator;

import io.fairlead.api.ErrorReport;
import io.fairlead.core.decide.ServiceSettings;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.process.Ports;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.etcd.FakeEtcd;
import io.fairlead.eventlog.log.FakeEventLog;
import io.fairlead.eventlog.log.FakeKafka;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.Health;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.runtime.Shutdown;
import io.grpc.StatusRuntimeException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.awaitility.Awaitility;

/** Replicas as they are wired, over a fake log and a fake etcd, with gRPC over the network. */
final class FakeNeighbours implements AutoCloseable {
  final FakeKafka kafka = new FakeKafka(Time.system());
  final FakeEtcd etcd = new FakeEtcd(Time.system());
  final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<Replica> replicas = new ArrayList<>();
  private final List<Cidr> cidrs;

  /** Of those that start from now on. */
  Optional<Snapshots.Settings> snapshots = Optional.empty();

  /** Of those that start from now on. */
  FeatureLevels levels = FeatureLevels.CURRENT;

  FakeNeighbours(String... cidrs) {
    this.cidrs = List.of(cidrs).stream().map(Cidr::of).toList();
  }

  /** One allocator and a user of it. */
  final class Replica {
    final String name;
    final FakeEventLog log = kafka.connect();
    final FakeCoordination coordination = etcd.client();
    final Shutdown shutdown = new Shutdown();
    final Health health = new Health();
    final Metrics metrics = new Metrics();
    final Client client;

    Replica(String name) {
      this.name = name;
      int port = Ports.free("127.0.0.1");
      var listen = new HostPort("127.0.0.1", port);
      var config =
          new AllocatorConfig(
              name,
              List.of(listen),
              listen,
              new HostPort("127.0.0.1", 0),
              "unused:1",
              1,
              List.of(URI.create("http://127.0.0.1:1")),
              cidrs,
              ServiceSettings.DEFAULT,
              Duration.ofSeconds(5),
              Duration.ofSeconds(5),
              Optional.empty(),
              snapshots);
      var _ =
          AllocatorService.wire(
              shutdown,
              config,
              log,
              coordination,
              health,
              metrics,
              Time.system(),
              RandomSource.seeded(replicas.size() + 41),
              (what, cause) -> faults.add(what + ": " + cause),
              FaultPoints.NONE,
              levels);
      this.client = new Client(port);
    }

    boolean owns() {
      return etcdOwner().equals(name);
    }

    /** As by kill -9: it says no word to anybody any more, and nothing it says counts. */
    void crash() {
      coordination.crash();
      kafka.cutOff(log);
    }

    void stop() {
      client.close();
      shutdown.close();
      log.close();
    }
  }

  /** A replica that may never be ready. */
  Replica startWithoutWaiting(String name) {
    var replica = new Replica(name);
    replicas.add(replica);
    return replica;
  }

  /** A replica that is ready. */
  Replica start(String name) {
    var replica = startWithoutWaiting(name);
    await(name + " is ready", replica.health::isReady);
    // an owner is known before it has written what every log begins with
    await("the log has its beginning", () -> events().size() >= 3);
    return replica;
  }

  String etcdOwner() {
    try (var client = etcd.client()) {
      return client.owner(LogPartition.SERVICES).map(owner -> owner.replica()).orElse("");
    }
  }

  static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(30))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(condition);
  }

  /** Asks again while the answer is that it cannot be answered now. */
  static <R> R untilAnswered(Supplier<R> call) {
    var answers = new ArrayList<R>();
    await(
        "an answer",
        () -> {
          try {
            answers.add(call.get());
            return true;
          } catch (StatusRuntimeException e) {
            if (!ErrorReport.of(e).isTransient()) {
              throw e;
            }
            return false;
          }
        });
    return answers.getLast();
  }

  List<LogEvent> events() {
    return kafka.committed(LogPartition.SERVICES).stream().map(LogEntry::event).toList();
  }

  /** Names of the Services of namespace shop that were stored, in the order of the log. */
  List<String> stored() {
    return events().stream()
        .filter(LogEvent.Stored.class::isInstance)
        .map(LogEvent::key)
        .filter(key -> key.namespace().equals("shop"))
        .map(key -> key.name())
        .toList();
  }

  /** For whom addresses are claimed. */
  SortedMap<String, String> claims() {
    var claims = new TreeMap<String, String>();
    try (var client = etcd.client()) {
      client
          .claims()
          .forEach(
              (address, holder) -> claims.put(address.toString(), holder.service().toString()));
    }
    return claims;
  }

  /** Ends the lease of a reservation, as its ttl does. */
  void expire(String reservation) {
    try (var client = etcd.client()) {
      etcd.expire(client.reservation(UUID.fromString(reservation)).orElseThrow().lease());
    }
  }

  /**
   * Runs what an owner that crashes at that moment leaves in etcd: it holds the key.
   *
   * @param crash given the client and the owner's take-over
   */
  void asOwner(BiConsumer<FakeCoordination, UUID> crash) {
    try (var client = etcd.client()) {
      crash.accept(client, client.owner(LogPartition.SERVICES).orElseThrow().takeover());
    }
  }

  @Override
  public void close() {
    etcd.up();
    kafka.start();
    replicas.forEach(Replica::stop);
    etcd.close();
  }
}
