package io.fairlead.testbed.cluster;

import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
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
import java.util.List;
import java.util.OptionalInt;
import org.awaitility.Awaitility;

/** One process of a cluster that can be started again. One thread at a time. */
public final class Part implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(15);

  /** The class path of tests holds several configurations of logback, which it would tell about. */
  static final String QUIET_LOGBACK =
      "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener";

  private final Command command;
  private final String http;
  private final List<ChildProcess> runs = new ArrayList<>();

  /**
   * Not started yet.
   *
   * @param http {@code host:port} of its health and metrics
   */
  public Part(Command command, String http) {
    this.command = command;
    this.http = http;
  }

  public String name() {
    return command.name();
  }

  /** Starts it and does not wait. */
  public Part launch() {
    runs.add(ChildProcess.start(command));
    return this;
  }

  /** Waits until it says that it is ready; fails with the end of its log. */
  public Part awaitReady() {
    Awaitility.await(name() + " is ready")
        .atMost(START_LIMIT)
        .pollInterval(Duration.ofMillis(50))
        .failFast(() -> {
          if (!isAlive()) {
            throw new IllegalStateException(name() + " ended:\n" + process().logTail(40));
          }
        })
        .until(this::isReady);
    return this;
  }

  public boolean isReady() {
    return isWell("/readyz");
  }

  /** Whether it is up, with or without those that it needs. */
  public boolean isLive() {
    return isWell("/livez");
  }

  private boolean isWell(String path) {
    try {
      return get(path).statusCode() == 200;
    } catch (UncheckedIOException _) {
      return false;
    }
  }

  /** What a path of its HTTP side answers. @throws UncheckedIOException nobody answers */
  public HttpResponse<String> get(String path) {
    try (var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://" + http + path))
              .timeout(Duration.ofSeconds(5))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Of the last run (128 + signal for a killed one); empty while it runs or where it never did. */
  public OptionalInt exitStatus() {
    return runs.isEmpty() ? OptionalInt.empty() : process().exitStatus();
  }

  public boolean isAlive() {
    return !runs.isEmpty() && process().isAlive();
  }

  /** SIGKILL; nothing where it never ran. */
  public void kill() {
    if (!runs.isEmpty()) {
      process().kill();
    }
  }

  /** SIGTERM, and SIGKILL where that does not help in time. */
  public void stop() {
    process().stop(STOP_LIMIT);
  }

  /** SIGSTOP. */
  public void pause() {
    process().pause();
  }

  public void resume() {
    process().resume();
  }

  public long pid() {
    return process().pid();
  }

  /** Resident memory in bytes. */
  public long residentBytes() {
    try {
      for (var line : Files.readAllLines(Path.of("/proc", Long.toString(pid()), "status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException(name() + " has no resident memory");
  }

  public String logTail(int lines) {
    return process().logTail(lines);
  }

  private ChildProcess process() {
    if (runs.isEmpty()) {
      throw new IllegalStateException(name() + " was not started");
    }
    return runs.getLast();
  }

  @Override
  public void close() {
    runs.forEach(ChildProcess::close);
  }

  @Override
  public String toString() {
    return name();
  }
}
