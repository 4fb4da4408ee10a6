package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.decider.ShopCommand.Reply;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.etcd.EtcdProcess.Durability;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas over a real Kafka and a real etcd. */
@Tag("slow")
@Timeout(240)
class RealOwnershipTest {
  private static final LogPartition S = LogPartition.SERVICES;
  private static final Duration GIVE_UP = Duration.ofSeconds(90);

  @TempDir Path directory;
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final List<String> faults = new CopyOnWriteArrayList<>();
  private EtcdProcess.Config etcdConfig;
  private EtcdProcess etcd;
  private KafkaProcess kafka;

  private record Replica(
      String name,
      Feed feed,
      EtcdCoordination coordination,
      PartitionOwners<ShopCommand, Reply> owners) {}

  @BeforeEach
  void start() {
    etcdConfig = EtcdProcess.Config.in(directory.resolve("etcd")).with(Durability.NO_FSYNC);
    etcd = EtcdProcess.start(etcdConfig);
    kafka = KafkaProcess.start(EmbeddedKafka.Config.in(directory.resolve("kafka")));
  }

  @AfterEach
  void stop() throws Exception {
    for (var one : opened.reversed()) {
      one.close();
    }
    kafka.close();
    etcd.kill();
  }

  private Replica replica(String name) {
    var log =
        KafkaEventLog.open(
            KafkaLogConfig.of(kafka.bootstrapServers(), "shop-" + name).withReplicationFactor(1),
            Time.system());
    opened.add(log);
    var coordination =
        EtcdCoordination.connect(EtcdConfig.of(List.of(etcd.clientUrl())), Time.system());
    opened.add(coordination);
    var feed = new Feed(log.identity());
    var loader =
        Loader.start(
            log,
            List.of(S),
            List.of(feed),
            (what, cause) -> faults.add(what + ": " + cause),
            Time.system());
    opened.add(loader);
    var owners =
        PartitionOwners.start(
            DeciderSettings.of("shop", name, name + ":1", "0.1", List.of(S)),
            log,
            coordination,
            feed,
            loader::synced,
            new ShopLogic(List.of()),
            (what, cause) -> faults.add(what + ": " + cause),
            FaultPoints.NONE,
            Time.system(),
            RandomSource.secure());
    opened.add(owners);
    return new Replica(name, feed, coordination, owners);
  }

  private static Reply create(List<Replica> replicas, String name, String id) {
    var command = ShopCommand.any(name);
    var request =
        Request.of(
            "user:alice", new RequestStamp(id, Replicas.hash(command)), (ShopCommand) command);
    long deadlineNanos = Time.system().nanoTime() + GIVE_UP.toNanos();
    while (Time.system().nanoTime() < deadlineNanos) {
      for (var replica : replicas) {
        try {
          var answer = replica.owners.submit(S, request).get(30, TimeUnit.SECONDS);
          if (answer instanceof Answer.Decided<Reply>(var reply, _)) {
            return reply;
          }
          Time.system().sleep(Duration.ofMillis(20));
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
          throw new AssertionError(e);
        }
      }
    }
    throw new AssertionError("no answer for " + name + " within " + GIVE_UP);
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what).atMost(Duration.ofSeconds(60)).until(condition);
  }

  private String etcdctl(String... words) throws IOException, InterruptedException {
    var command =
        Stream.concat(Stream.of("etcdctl", "--endpoints", etcd.clientUrl()), Stream.of(words))
            .toList();
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("ETCDCTL_API", "3");
    var process = builder.start();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  /** Ends the lease of whoever owns, who learns of it only later. */
  private void killTheOwnersLease() throws IOException, InterruptedException {
    var fields = etcdctl("get", "-w", "fields", "/fairlead/v1/owners/fairlead.services/0");
    var lease =
        fields
            .lines()
            .filter(line -> line.startsWith("\"Lease\""))
            .findFirst()
            .map(line -> Long.parseLong(line.substring(line.indexOf(':') + 1).strip()))
            .orElseThrow();
    etcdctl("lease", "revoke", Long.toHexString(lease));
  }

  @Test
  void nothingIsLostOrDoubledWhenOwnersLoseTheirLeasesAndEtcdIsKilled() throws Exception {
    var replicas = List.of(replica("a"), replica("b"));
    await("served", () -> replicas.stream().anyMatch(r -> !r.owners.serving().isEmpty()));
    int clients = 16;
    int each = 60;
    var replies = new ConcurrentLinkedQueue<Reply>();
    var done = new ArrayList<CompletableFuture<Integer>>();
    long fromNanos = Time.system().nanoTime();
    for (int c = 0; c < clients; c++) {
      int client = c;
      var finished = new CompletableFuture<Integer>();
      done.add(finished);
      Thread.ofVirtual()
          .start(() -> {
            try {
              for (int i = 0; i < each; i++) {
                var name = "svc-" + client + "-" + i;
                replies.add(create(replicas, name, "id-" + name));
              }
              finished.complete(each);
            } catch (AssertionError e) {
              finished.completeExceptionally(e);
            }
          });
    }
    await("some created", () -> replies.size() > clients * each / 5);
    killTheOwnersLease();
    await("more created", () -> replies.size() > clients * each * 2 / 5);
    etcd.kill();
    etcd = EtcdProcess.start(etcdConfig);
    await("still more created", () -> replies.size() > clients * each * 3 / 5);
    killTheOwnersLease();
    for (var finished : done) {
      assertThat(finished.get(120, TimeUnit.SECONDS)).isEqualTo(each);
    }
    System.out.printf(
        "%d creates by %d clients in %d ms, two leases and one etcd killed%n",
        replies.size(), clients, Duration.ofNanos(Time.system().nanoTime() - fromNanos).toMillis());
    assertThat(replies).extracting(Reply::what).containsOnly("created");
    assertThat(faults).isEmpty();

    await(
        "both replicas have all",
        () ->
            replicas.stream()
                .allMatch(r -> r.feed.current().image().services().all().size() == clients * each));
    var images = replicas.stream().map(r -> r.feed.current().image()).toList();
    assertThat(images.getFirst().digest(S)).isEqualTo(images.getLast().digest(S));
    assertThat(images.getFirst().services().conflicts()).isEmpty();
    assertThat(written())
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, clients)
                .boxed()
                .flatMap(c -> IntStream.range(0, each).mapToObj(i -> "svc-" + c + "-" + i))
                .toList());
    // claims = Services
    var services = images.getFirst().services();
    await(
        "claims are those of the Services",
        () -> replicas.getFirst().coordination.claims().keySet().equals(services.clusterIps()));
    replicas
        .getFirst()
        .coordination
        .claims()
        .forEach(
            (address, holder) -> assertThat(services.holder(address)).contains(holder.service()));
  }

  /** Names of all Services that the log stores, each as often as it does. */
  private List<String> written() throws InterruptedException, ExecutionException, TimeoutException {
    var names = new CopyOnWriteArrayList<String>();
    try (var log =
            KafkaEventLog.open(
                KafkaLogConfig.of(kafka.bootstrapServers(), "reader").withReplicationFactor(1),
                Time.system());
        var loader =
            Loader.start(
                log,
                List.of(S),
                List.of((_, _, manifest) ->
                    manifest.entries().stream()
                        .map(entry -> entry.event())
                        .filter(LogEvent.Stored.class::isInstance)
                        .map(event -> event.key())
                        .filter(key -> !key.namespace().isEmpty())
                        .forEach(key -> names.add(key.name()))),
                (what, cause) -> faults.add(what + ": " + cause),
                Time.system())) {
      var _ = loader.applied(log.endOffsets(List.of(S))).get(30, TimeUnit.SECONDS);
    }
    return List.copyOf(names);
  }
}
