package io.fairlead.devkit.kafka;

import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Stdout;
import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A broker in a child JVM, so that it can be killed, paused, and live in another network namespace.
 * Its log is {@code kafka.log} beside the data directory. Start it again with the same {@link
 * EmbeddedKafka.Config} to go on with the same log.
 */
public final class KafkaProcess implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  private final EmbeddedKafka.Config config;
  private final ChildProcess child;

  private KafkaProcess(EmbeddedKafka.Config config, ChildProcess child) {
    this.config = config;
    this.child = child;
  }

  /**
   * As {@link #start(EmbeddedKafka.Config, List, List)} in this namespace with a heap of 256 MB.
   */
  public static KafkaProcess start(EmbeddedKafka.Config config) {
    return start(config, List.of("-Xmx256m"), List.of());
  }

  /**
   * Returns when the broker serves clients; of several, not before a majority of them runs.
   *
   * @param jvmOptions of the child
   * @param prefix a program that runs its arguments in its own place, such as {@code
   *     Fabric.prefix(namespace)}; may be empty
   * @throws LaunchException when it does not start, with the end of its log
   */
  public static KafkaProcess start(
      EmbeddedKafka.Config config, List<String> jvmOptions, List<String> prefix) {
    var log = config.dataDirectory().toAbsolutePath().resolveSibling("kafka.log");
    var command =
        Command.java("kafka", EmbeddedKafkaMain.class, jvmOptions, arguments(config), log)
            .withStdout(Stdout.PIPE)
            .through(prefix);
    var child = ChildProcess.start(command);
    try {
      awaitReady(child);
    } catch (LaunchException e) {
      child.kill();
      throw e;
    }
    return new KafkaProcess(config, child);
  }

  private static List<String> arguments(EmbeddedKafka.Config config) {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("--data-dir", config.dataDirectory().toAbsolutePath().toString()));
    arguments.addAll(List.of("--host", config.host()));
    arguments.addAll(List.of("--port", Integer.toString(config.port())));
    arguments.addAll(List.of("--controller-port", Integer.toString(config.controllerPort())));
    config
        .quorum()
        .ifPresent(quorum ->
            arguments.addAll(
                List.of(
                    "--cluster-id",
                    quorum.clusterId(),
                    "--node-id",
                    Integer.toString(quorum.nodeId()),
                    "--voters",
                    quorum.votersSetting())));
    config
        .overrides()
        .forEach((name, value) -> arguments.addAll(List.of("--set", name + "=" + value)));
    return arguments;
  }

  private static void awaitReady(ChildProcess child) {
    var first = new CompletableFuture<Optional<String>>();
    var reader = child.process().inputReader();
    // reading from a pipe holds a virtual thread's carrier: three brokers held all of two cores
    Thread.ofPlatform().daemon().name("kafka-stdout").start(() -> read(reader, first));
    try {
      var line = first.get(START_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      if (line.filter(text -> text.startsWith("ready ")).isEmpty()) {
        throw new LaunchException("Kafka did not start; end of its log:\n" + child.logTail(20));
      }
    } catch (TimeoutException e) {
      throw new LaunchException(
          "Kafka was not ready within %s; end of its log:%n%s"
              .formatted(START_LIMIT, child.logTail(20)),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LaunchException("interrupted while Kafka started", e);
    } catch (ExecutionException e) {
      throw new LaunchException("cannot read what Kafka prints", e);
    }
  }

  /** Reads on after the first line, so that the child never blocks on a full pipe. */
  private static void read(BufferedReader reader, CompletableFuture<Optional<String>> first) {
    try (reader) {
      first.complete(Optional.ofNullable(reader.readLine()));
      reader.transferTo(java.io.Writer.nullWriter());
    } catch (IOException e) {
      first.completeExceptionally(e);
    }
  }

  public EmbeddedKafka.Config config() {
    return config;
  }

  public String bootstrapServers() {
    return config.bootstrapServers();
  }

  public long pid() {
    return child.pid();
  }

  public boolean isAlive() {
    return child.isAlive();
  }

  /** SIGKILL; what was not on disk of the operating system is lost, nothing else. */
  public void kill() {
    child.kill();
  }

  /** SIGSTOP: connections stay open, nothing is answered. */
  public void pause() {
    child.pause();
  }

  public void resume() {
    child.resume();
  }

  /** SIGTERM, a clean stop. */
  public void stop() {
    child.stop(Duration.ofSeconds(30));
  }

  @Override
  public void close() {
    stop();
  }
}
