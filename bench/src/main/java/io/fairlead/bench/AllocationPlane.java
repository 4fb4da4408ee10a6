package io.fairlead.bench;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Ports;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.runtime.HostPort;
import io.fairlead.testbed.cluster.Part;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One Kafka broker, one etcd that waits for its disk, two replicas of allocator-service: each a
 * process, on loopback, the second replica only when asked for. One thread at a time.
 */
final class AllocationPlane implements AutoCloseable {
  private static final String HOST = "127.0.0.1";

  /** The compiler for what runs long, and a heap that holds what is put into it. */
  private static final List<String> LONG_RUNNING =
      List.of("-XX:TieredStopAtLevel=4", "-XX:+UseCompactObjectHeaders", "-Xmx512m");

  private static final Pattern PHASE =
      Pattern.compile("fairlead_decider_phase_seconds_(sum|count)\\{phase=\"([a-z]+)\"\\} (\\S+)");

  /** The last line of a histogram of classes: how many objects, how many bytes. */
  private static final Pattern TOTAL = Pattern.compile("(?m)^Total\\s+\\d+\\s+(\\d+)");

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Path directory;
  private final KafkaProcess kafka;
  private final EtcdProcess etcd;
  private final EtcdCoordination coordination;
  private final List<HostPort> addresses = new ArrayList<>();
  private final List<Part> replicas = new ArrayList<>();

  private AllocationPlane(Path directory, List<String> jvm) {
    this.directory = directory;
    try {
      this.kafka =
          opened(
              KafkaProcess.start(
                  EmbeddedKafka.Config.in(directory.resolve("kafka")),
                  List.of("-XX:TieredStopAtLevel=4", "-Xmx512m"),
                  List.of()));
      this.etcd = opened(EtcdProcess.start(EtcdProcess.Config.in(directory.resolve("etcd"))));
      this.coordination =
          opened(
              EtcdCoordination.connect(
                  new EtcdConfig(List.of(etcd.clientUrl()), Duration.ofSeconds(10)),
                  Time.system()));
      for (int i = 0; i < 2; i++) {
        replicas.add(opened(replica(i, jvm)));
      }
      replica(0).launch().awaitReady();
      awaitOwner();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  static AllocationPlane start(Path directory, List<String> jvm) {
    return new AllocationPlane(directory, jvm);
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.push(resource);
    return resource;
  }

  private Part replica(int number, List<String> jvm) {
    var ports = Ports.free(HOST, 2);
    var address = new HostPort(HOST, ports.getFirst());
    addresses.add(address);
    var name = "allocator-" + number;
    var http = HOST + ":" + ports.getLast();
    var command =
        Command.java(
            name,
            io.fairlead.allocator.Main.class,
            Stream.of(
                    List.of(
                        "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener"),
                    LONG_RUNNING,
                    jvm)
                .flatMap(List::stream)
                .toList(),
            List.of(
                "--replica=" + name,
                "--kafka-bootstrap=" + kafka.bootstrapServers(),
                "--etcd-endpoints=" + etcd.clientUrl(),
                "--development",
                "--service-cidrs=10.96.0.0/12",
                "--listen=" + address,
                "--advertise=" + address,
                "--http-listen=" + http),
            directory.resolve(name + ".log"));
    return new Part(command, http);
  }

  Part replica(int number) {
    return replicas.get(number);
  }

  List<HostPort> addresses() {
    return List.copyOf(addresses);
  }

  String kafkaBootstrap() {
    return kafka.bootstrapServers();
  }

  String etcdUrl() {
    return etcd.clientUrl();
  }

  EtcdCoordination coordination() {
    return coordination;
  }

  Optional<Owner> owner() {
    return coordination.owner(LogPartition.SERVICES);
  }

  /** The number of the replica that owns; waits for it. */
  int awaitOwner() {
    long giveUp = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (System.nanoTime() < giveUp) {
      var owner = owner();
      if (owner.isPresent()) {
        return addresses.indexOf(HostPort.of(owner.get().address()));
      }
      LockSupport.parkNanos(10_000_000);
    }
    throw new IllegalStateException("nobody owns the services");
  }

  /** Waits until both replicas are ready and the partition has stayed where it is for a while. */
  int awaitSettled() {
    replicas.forEach(Part::awaitReady);
    long giveUp = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    var last = owner();
    long sinceNanos = System.nanoTime();
    while (System.nanoTime() < giveUp) {
      var now = owner();
      if (!now.equals(last) || now.isEmpty()) {
        last = now;
        sinceNanos = System.nanoTime();
      } else if (System.nanoTime() - sinceNanos > Duration.ofSeconds(4).toNanos()) {
        return awaitOwner();
      }
      LockSupport.parkNanos(50_000_000);
    }
    throw new IllegalStateException("the services change hands again and again");
  }

  /** Processor time used so far, by role; of the processes that run. */
  Map<String, Duration> cpu() {
    var used = new TreeMap<String, Duration>();
    used.put("client", cpu(ProcessHandle.current().pid()));
    used.put("kafka", cpu(kafka.pid()));
    used.put("etcd", cpu(etcd.pid()));
    var allocators = Duration.ZERO;
    for (var replica : replicas) {
      if (replica.isAlive()) {
        allocators = allocators.plus(cpu(replica.pid()));
      }
    }
    used.put("allocator", allocators);
    return used;
  }

  private static Duration cpu(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().totalCpuDuration())
        .orElse(Duration.ZERO);
  }

  /** Sum in seconds and number of what a replica measured of a phase. */
  record Phase(double seconds, double count) {
    Phase since(Phase before) {
      return new Phase(seconds - before.seconds, count - before.count);
    }

    Phase plus(Phase other) {
      return new Phase(seconds + other.seconds, count + other.count);
    }
  }

  /** What the first replica exports of its phases, by name. */
  Map<String, Phase> phases() {
    var phases = new TreeMap<String, Phase>();
    var found = PHASE.matcher(replica(0).get("/metrics").body());
    while (found.find()) {
      double value = Double.parseDouble(found.group(3));
      phases.merge(
          found.group(2),
          found.group(1).equals("sum") ? new Phase(value, 0) : new Phase(0, value),
          Phase::plus);
    }
    return phases;
  }

  /** Bytes of the first replica's heap that are in use after a collection. */
  long heapAfterCollection() {
    var jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    try {
      var process =
          new ProcessBuilder(jcmd, Long.toString(replica(0).pid()), "GC.class_histogram")
              .redirectErrorStream(true)
              .start();
      String output;
      try (var stream = process.getInputStream()) {
        output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      }
      var total = TOTAL.matcher(output);
      if (!total.find()) {
        throw new IllegalStateException("jcmd says nothing of the heap: " + output);
      }
      return Long.parseLong(total.group(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    for (var resource : open) {
      try {
        resource.close();
      } catch (Exception e) {
        System.err.println("closing " + resource + ": " + e);
      }
    }
    open.clear();
    try (var files = Files.walk(directory)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      System.err.println("removing " + directory + ": " + e);
    }
  }
}
