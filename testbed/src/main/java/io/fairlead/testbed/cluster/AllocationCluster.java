package io.fairlead.testbed.cluster;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.devkit.kafka.KafkaQuorum;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Ports;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * What decides on addresses, with nothing that is single: three brokers, three members of etcd,
 * three replicas of allocator-service, each a process on loopback. Needs no root. One thread at a
 * time.
 */
public final class AllocationCluster implements AutoCloseable {
  /** Of brokers, of members of etcd, of replicas: each time one of them may be away. */
  public static final int SIZE = 3;

  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Pattern MEMBER = Pattern.compile("\"member_id\":\"([0-9]+)\"");
  private static final Pattern LEADER = Pattern.compile("\"leader\":\"([0-9]+)\"");

  private final List<EmbeddedKafka.Config> kafkaConfigs;
  private final List<EtcdProcess.Config> etcdConfigs;
  private final List<KafkaProcess> brokers = new ArrayList<>();
  private final List<EtcdProcess> members = new ArrayList<>();
  private final List<Part> allocators = new ArrayList<>();
  private final List<HostPort> addresses = new ArrayList<>();

  private AllocationCluster(Path directory, int stores, List<String> options) {
    this.kafkaConfigs = KafkaQuorum.loopback(directory, stores);
    this.etcdConfigs =
        EtcdProcess.Config.loopback(directory, stores).stream()
            .map(config -> config.with(EtcdProcess.Durability.NO_FSYNC)) // no power is cut here
            .toList();
    var ports = Ports.free("127.0.0.1", 2 * SIZE);
    for (int i = 0; i < SIZE; i++) {
      var address = new HostPort("127.0.0.1", ports.get(2 * i));
      var http = "127.0.0.1:" + ports.get(2 * i + 1);
      addresses.add(address);
      allocators.add(allocator(directory, "allocator-" + i, address, http, options));
    }
  }

  private Part allocator(
      Path directory, String name, HostPort address, String http, List<String> options) {
    var all =
        Stream.concat(
                Stream.of(
                    "--replica=" + name,
                    "--kafka-bootstrap=" + kafkaBootstrap(),
                    "--etcd-endpoints=" + String.join(",", etcdUrls()),
                    "--listen=" + address,
                    "--advertise=" + address,
                    "--http-listen=" + http),
                options.stream())
            .toList();
    return new Part(
        Command.java(
            name,
            io.fairlead.allocator.Main.class,
            // lives too short for the second compiler
            List.of(Part.QUIET_LOGBACK, "-Xmx160m", "-XX:TieredStopAtLevel=1"),
            all,
            directory.resolve(name + ".log")),
        http);
  }

  /**
   * Starts everything and waits until it is ready. Nothing is left where that fails.
   *
   * @param directory for data and logs; made, and left for inspection
   * @param options added to the command line of each replica
   */
  public static AllocationCluster start(Path directory, List<String> options) {
    return start(directory, SIZE, options);
  }

  /**
   * Likewise, over one broker and one member of etcd: for what happens to the replicas.
   *
   * @param options added to the command line of each replica
   */
  public static AllocationCluster startOverSingleStores(Path directory, List<String> options) {
    return start(
        directory, 1, Stream.concat(Stream.of("--development"), options.stream()).toList());
  }

  private static AllocationCluster start(Path directory, int stores, List<String> options) {
    var cluster = new AllocationCluster(directory, stores, options);
    try {
      cluster.members.addAll(cluster.etcdConfigs.stream().map(EtcdProcess::launch).toList());
      // at once with the brokers, for which they wait: most of a start is the start of the JVMs
      cluster.allocators.forEach(Part::launch);
      var starting =
          cluster.kafkaConfigs.stream()
              .<Callable<KafkaProcess>>map(config -> () -> startBroker(config))
              .toList();
      cluster.brokers.addAll(Together.run(starting));
      cluster.awaitReady(cluster.allocators); // one that ended at once fails it
      return cluster;
    } catch (RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private static KafkaProcess startBroker(EmbeddedKafka.Config config) {
    return KafkaProcess.start(config, List.of("-Xmx200m"), List.of());
  }

  /** Waits until etcd agrees and every replica that runs says that it is ready. */
  public void awaitReady() {
    awaitReady(allocators.stream().filter(Part::isAlive).toList());
  }

  private void awaitReady(List<Part> replicas) {
    members.stream().filter(EtcdProcess::isAlive).forEach(m -> m.awaitHealthy(LIMIT));
    replicas.forEach(Part::awaitReady);
  }

  public String kafkaBootstrap() {
    return kafkaConfigs.stream()
        .map(EmbeddedKafka.Config::bootstrapServers)
        .collect(Collectors.joining(","));
  }

  public List<String> etcdUrls() {
    return etcdConfigs.stream().map(EtcdProcess.Config::clientUrl).toList();
  }

  public Stores stores() {
    return new Stores(kafkaBootstrap(), kafkaConfigs.size(), etcdUrls(), addresses);
  }

  /** The replicas of allocator-service. */
  public List<Part> allocators() {
    return List.copyOf(allocators);
  }

  /** Where each replica listens, in the order of {@link #allocators}. */
  public List<HostPort> addresses() {
    return List.copyOf(addresses);
  }

  /** A reader of etcd that the caller closes. */
  public Coordination coordination() {
    return EtcdCoordination.connect(EtcdConfig.of(etcdUrls()), Time.system());
  }

  /** Index of the replica that owns the services now; waits until one does. */
  public int owner() {
    return await("somebody owns the services", this::findOwner);
  }

  /** Waits until a replica other than that one owns. */
  public int ownerOtherThan(int index) {
    return await(
        "another one than " + allocators.get(index) + " owns the services",
        () -> findOwner().filter(owner -> owner != index));
  }

  private Optional<Integer> findOwner() {
    try (var etcd = coordination()) {
      return etcd.owner(LogPartition.SERVICES)
          .flatMap(owner ->
              IntStream.range(0, SIZE)
                  .boxed()
                  .filter(i -> allocators.get(i).name().equals(owner.replica()))
                  .findFirst());
    } catch (GatewayException _) {
      return Optional.empty();
    }
  }

  private static <T> T await(String what, Callable<Optional<T>> question) {
    return Awaitility.await(what)
        .atMost(LIMIT)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .until(question, Optional::isPresent)
        .orElseThrow();
  }

  // --- Kafka

  /** SIGKILL. */
  public void killBroker(int index) {
    brokers.get(index).kill();
  }

  /** Starts those that are dead, on the same data, side by side. */
  public void restartBrokers() {
    var dead =
        IntStream.range(0, brokers.size()).filter(i -> !brokers.get(i).isAlive()).boxed().toList();
    var started =
        Together.run(
            dead.stream()
                .<Callable<KafkaProcess>>map(i -> () -> startBroker(kafkaConfigs.get(i)))
                .toList());
    for (int i = 0; i < dead.size(); i++) {
      brokers.set(dead.get(i), started.get(i));
    }
  }

  /** SIGSTOP. */
  public void pauseBroker(int index) {
    brokers.get(index).pause();
  }

  public void resumeBroker(int index) {
    brokers.get(index).resume();
  }

  // --- etcd

  /** Index of the member that leads; waits until there is one. */
  public int etcdLeader() {
    return await(
        "etcd has a leader",
        () ->
            IntStream.range(0, members.size())
                .boxed()
                .filter(i -> members.get(i).isAlive() && leads(members.get(i)))
                .findFirst());
  }

  private static boolean leads(EtcdProcess member) {
    try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build()) {
      var question =
          HttpRequest.newBuilder(URI.create(member.clientUrl() + "/v3/maintenance/status"))
              .timeout(Duration.ofSeconds(2))
              .POST(HttpRequest.BodyPublishers.ofString("{}"))
              .build();
      var body = client.send(question, HttpResponse.BodyHandlers.ofString()).body();
      var self = MEMBER.matcher(body);
      var leader = LEADER.matcher(body);
      return self.find() && leader.find() && self.group(1).equals(leader.group(1));
    } catch (IOException _) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** SIGKILL. */
  public void killEtcd(int index) {
    members.get(index).kill();
  }

  /** Starts those members that are dead, on the same data, and waits until etcd agrees. */
  public void restartEtcd() {
    for (int i = 0; i < members.size(); i++) {
      if (!members.get(i).isAlive()) {
        members.set(i, EtcdProcess.launch(etcdConfigs.get(i)));
      }
    }
    members.forEach(member -> member.awaitHealthy(LIMIT));
  }

  /** Kills all members, and starts them without what they held: an etcd with the same id. */
  public void wipeEtcd() {
    members.forEach(EtcdProcess::kill);
    etcdConfigs.forEach(config -> delete(config.dataDirectory().resolve("data")));
    restartEtcd();
  }

  /** Kills all members, keeps a copy of what they held, and starts them again. */
  public Path backUpEtcd(Path directory) {
    members.forEach(EtcdProcess::kill);
    for (var config : etcdConfigs) {
      copy(config.dataDirectory().resolve("data"), directory.resolve(config.name()));
    }
    restartEtcd();
    return directory;
  }

  /**
   * Kills all members, and starts them with what {@link #backUpEtcd} kept: an etcd with the same
   * id, which issues revisions a second time.
   */
  public void restoreEtcd(Path backup) {
    members.forEach(EtcdProcess::kill);
    for (var config : etcdConfigs) {
      delete(config.dataDirectory().resolve("data"));
      copy(backup.resolve(config.name()), config.dataDirectory().resolve("data"));
    }
    restartEtcd();
  }

  private static void copy(Path from, Path to) {
    try (var files = Files.walk(from)) {
      for (var file : files.toList()) {
        var target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path directory) {
    try (var files = Files.walk(directory)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Everything runs again and is ready, whatever was done to it. */
  public void heal() {
    for (var broker : brokers) {
      if (broker.isAlive()) {
        broker.resume();
      }
    }
    restartBrokers();
    restartEtcd();
    for (var allocator : allocators) {
      if (allocator.isAlive()) {
        allocator.resume();
      } else {
        allocator.launch();
      }
    }
    awaitReady(allocators);
  }

  /** Ends all processes. */
  @Override
  public void close() {
    allocators.forEach(Part::kill);
    brokers.forEach(KafkaProcess::kill);
    members.forEach(EtcdProcess::kill);
  }
}
