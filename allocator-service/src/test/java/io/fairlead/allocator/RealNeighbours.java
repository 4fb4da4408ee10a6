package io.fairlead.allocator;

import io.fairlead.api.ErrorReport;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.etcd.EtcdProcess.Durability;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Ports;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceReply;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.awaitility.Awaitility;

/** Allocators as processes of their own, over a real Kafka and a real etcd. */
final class RealNeighbours implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  final EtcdProcess.Config etcdConfig;
  EtcdProcess etcd;
  final KafkaProcess kafka;
  private final Path directory;
  private final List<Allocator> allocators = new ArrayList<>();

  RealNeighbours(Path directory) {
    this.directory = directory;
    this.etcdConfig = EtcdProcess.Config.in(directory.resolve("etcd")).with(Durability.NO_FSYNC);
    this.etcd = EtcdProcess.start(etcdConfig);
    this.kafka = KafkaProcess.start(EmbeddedKafka.Config.in(directory.resolve("kafka")));
  }

  /** A process and a user of it. */
  final class Allocator {
    final String name;
    final Client client;
    final ChildProcess process;
    private final int http;

    Allocator(String name) {
      this.name = name;
      var ports = Ports.free("127.0.0.1", 2);
      this.http = ports.get(1);
      var command =
          Command.java(
              "allocator-" + name,
              Main.class,
              List.of("-Xmx160m"),
              List.of(
                  "--development",
                  "--replica=" + name,
                  "--listen=127.0.0.1:" + ports.get(0),
                  "--advertise=127.0.0.1:" + ports.get(0),
                  "--http-listen=127.0.0.1:" + http,
                  "--kafka-bootstrap=" + kafka.bootstrapServers(),
                  "--etcd-endpoints=" + etcdConfig.clientUrl()),
              directory.resolve("allocator-" + name + ".log"));
      this.process = ChildProcess.start(command.withEnvironment(Map.of("LC_ALL", "C")));
      this.client = new Client(ports.get(0));
    }

    boolean isReady() {
      try (var browser = HttpClient.newHttpClient()) {
        var request =
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http + "/readyz"))
                .timeout(Duration.ofSeconds(2))
                .build();
        return browser.send(request, BodyHandlers.ofString()).statusCode() == 200;
      } catch (IOException _) {
        return false;
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  Allocator start(String name) {
    var allocator = new Allocator(name);
    allocators.add(allocator);
    await(
        "allocator " + name + " is ready",
        () -> {
          if (!allocator.process.isAlive()) {
            throw new AssertionError("allocator ended:\n" + allocator.process.logTail(30));
          }
          return allocator.isReady();
        });
    return allocator;
  }

  static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(50))
        .until(condition);
  }

  /** "" = nobody; asked until etcd answers, as a busy machine may let a call wait too long. */
  String owner() {
    var owners = new ArrayList<String>();
    await(
        "etcd answers",
        () -> {
          try (var coordination = coordination()) {
            owners.add(coordination.owner(LogPartition.SERVICES).map(o -> o.replica()).orElse(""));
            return true;
          } catch (GatewayException _) {
            return false;
          }
        });
    return owners.getLast();
  }

  EtcdCoordination coordination() {
    return EtcdCoordination.connect(EtcdConfig.of(List.of(etcdConfig.clientUrl())), Time.system());
  }

  /** For whom addresses are claimed. */
  SortedMap<String, String> claims() {
    var claims = new TreeMap<String, String>();
    try (var coordination = coordination()) {
      coordination
          .claims()
          .forEach(
              (address, holder) -> claims.put(address.toString(), holder.service().toString()));
    }
    return claims;
  }

  /** As a client does: with one id, at one replica after the other, until it is answered. */
  static ServiceReply createUntilAnswered(List<Allocator> allocators, String id, Service service) {
    return untilAnswered(allocators, client -> client.create(id, service));
  }

  /** Likewise; a refusal is an answer. */
  static <R> R untilAnswered(List<Allocator> allocators, Function<Client, R> call) {
    long deadlineNanos = Time.system().nanoTime() + PATIENCE.toNanos();
    Throwable last = new AssertionError("never tried");
    for (int i = 0; Time.system().nanoTime() - deadlineNanos < 0; i++) {
      try {
        return call.apply(allocators.get(i % allocators.size()).client);
      } catch (StatusRuntimeException e) {
        if (!ErrorReport.of(e).isTransient()) {
          throw e;
        }
        last = e;
      }
    }
    throw new AssertionError("not answered", last);
  }

  @Override
  public void close() {
    for (var allocator : allocators) {
      allocator.client.close();
      allocator.process.kill();
    }
    kafka.close();
    etcd.kill();
  }
}
