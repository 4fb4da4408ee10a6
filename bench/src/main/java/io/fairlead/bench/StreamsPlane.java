package io.fairlead.bench;

import io.fairlead.core.run.Time;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Ports;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.runtime.HostPort;
import io.fairlead.testbed.cluster.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/** One Kafka broker, one etcd, one replica of endpoints-service: each a process, on loopback. */
final class StreamsPlane implements AutoCloseable {
  private static final String HOST = "127.0.0.1";

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Path directory;
  private final KafkaProcess kafka;
  private final EtcdProcess etcd;
  private final HostPort address;
  private final Part replica;

  private StreamsPlane(Path directory, List<String> options) {
    this.directory = directory;
    try {
      this.kafka =
          opened(
              KafkaProcess.start(
                  EmbeddedKafka.Config.in(directory.resolve("kafka")),
                  List.of("-XX:TieredStopAtLevel=4", "-Xmx512m"),
                  List.of()));
      this.etcd = opened(EtcdProcess.start(EtcdProcess.Config.in(directory.resolve("etcd"))));
      var ports = Ports.free(HOST, 2);
      this.address = new HostPort(HOST, ports.getFirst());
      var http = HOST + ":" + ports.getLast();
      this.replica =
          opened(
              new Part(
                  Command.java(
                      "endpoints-0",
                      io.fairlead.endpoints.Main.class,
                      List.of(
                          "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
                          "-XX:TieredStopAtLevel=4",
                          "-XX:+UseCompactObjectHeaders",
                          "-Xmx1g"),
                      Stream.concat(
                              Stream.of(
                                  "--replica=endpoints-0",
                                  "--kafka-bootstrap=" + kafka.bootstrapServers(),
                                  "--etcd-endpoints=" + etcd.clientUrl(),
                                  "--development",
                                  "--listen=" + address,
                                  "--advertise=" + address,
                                  "--http-listen=" + http),
                              options.stream())
                          .toList(),
                      directory.resolve("endpoints-0.log")),
                  http));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Broker and etcd; the replica is not started yet.
   *
   * @param options of the replica, besides where it listens and whom it talks to
   */
  static StreamsPlane start(Path directory, List<String> options) {
    return new StreamsPlane(directory, options);
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.push(resource);
    return resource;
  }

  KafkaEventLog log() {
    return KafkaEventLog.open(
        KafkaLogConfig.of(kafka.bootstrapServers(), "bench").withReplicationFactor(1),
        Time.system());
  }

  Part replica() {
    return replica;
  }

  HostPort address() {
    return address;
  }

  /** Processor time of the replica so far. */
  Duration replicaCpu() {
    return cpu(replica.pid());
  }

  /** Of this process. */
  static Duration ownCpu() {
    return cpu(ProcessHandle.current().pid());
  }

  private static Duration cpu(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().totalCpuDuration())
        .orElse(Duration.ZERO);
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
