package io.fairlead.devkit.etcd;

import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Executables;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Ports;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A real etcd as a child process. Durable: its data directory, which a later start with the same
 * {@link Config} takes up again. Written for etcd 3.4 and newer. Its log is {@code etcd.log} in the
 * data directory.
 */
public final class EtcdProcess implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(30);

  private final Config config;
  private final ChildProcess child;

  private EtcdProcess(Config config, ChildProcess child) {
    this.config = config;
    this.child = child;
  }

  /** Whether etcd waits for the disk before it confirms a write. */
  public enum Durability {
    FSYNC,
    /** For tests that never cut the power: several times faster. */
    NO_FSYNC
  }

  /**
   * How one member runs.
   *
   * @param dataDirectory made when it is new
   * @param host the address to listen on, for clients and peers, and what is told to clients
   * @param name of this member
   * @param initialCluster {@code name=peerUrl,...} of all members; empty for the only member
   * @param prefix a program that runs its arguments in its own place, such as {@code
   *     Fabric.prefix(namespace)}; may be empty
   */
  public record Config(
      Path dataDirectory,
      String host,
      int clientPort,
      int peerPort,
      Durability durability,
      String name,
      Optional<String> initialCluster,
      List<String> prefix) {
    public Config {
      prefix = List.copyOf(prefix);
      if (clientPort == peerPort) {
        throw new IllegalArgumentException(
            "client port and peer port are both " + clientPort + "; they must differ");
      }
    }

    /** The only member, on 127.0.0.1 and two ports that are free now, with fsync. */
    public static Config in(Path dataDirectory) {
      var ports = Ports.free("127.0.0.1", 2);
      return new Config(
          dataDirectory,
          "127.0.0.1",
          ports.getFirst(),
          ports.getLast(),
          Durability.FSYNC,
          "etcd",
          Optional.empty(),
          List.of());
    }

    /**
     * So many members on 127.0.0.1, on ports that are free now, each with its directory {@code
     * etcd-N} below the given one, with fsync. {@link EtcdProcess#launch} all of them.
     */
    public static List<Config> loopback(Path directory, int members) {
      var ports = Ports.free("127.0.0.1", 2 * members);
      var configs = new ArrayList<Config>();
      for (int i = 0; i < members; i++) {
        configs.add(
            new Config(
                directory.resolve("etcd-" + (i + 1)),
                "127.0.0.1",
                ports.get(2 * i),
                ports.get(2 * i + 1),
                Durability.FSYNC,
                "etcd-" + (i + 1),
                Optional.empty(),
                List.of()));
      }
      var all =
          configs.stream()
              .map(config -> config.name() + "=" + config.peerUrl())
              .collect(Collectors.joining(","));
      return configs.stream().map(config -> config.asMember(config.name(), all)).toList();
    }

    public Config withHost(String other) {
      return new Config(
          dataDirectory, other, clientPort, peerPort, durability, name, initialCluster, prefix);
    }

    public Config withPorts(int client, int peer) {
      return new Config(
          dataDirectory, host, client, peer, durability, name, initialCluster, prefix);
    }

    public Config with(Durability other) {
      return new Config(
          dataDirectory, host, clientPort, peerPort, other, name, initialCluster, prefix);
    }

    /** As one member of several; see {@link EtcdProcess#launch}. */
    public Config asMember(String memberName, String allMembers) {
      return new Config(
          dataDirectory,
          host,
          clientPort,
          peerPort,
          durability,
          memberName,
          Optional.of(allMembers),
          prefix);
    }

    public Config through(List<String> other) {
      return new Config(
          dataDirectory, host, clientPort, peerPort, durability, name, initialCluster, other);
    }

    public String clientUrl() {
      return url(clientPort);
    }

    public String peerUrl() {
      return url(peerPort);
    }

    private String url(int port) {
      return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    public Path log() {
      return dataDirectory.toAbsolutePath().resolve("etcd.log");
    }
  }

  /**
   * Starts etcd and returns when it says that it is healthy.
   *
   * @throws LaunchException when there is no etcd (which package has it), a port is taken (which),
   *     or it does not become healthy within 30 s (with the end of its log); nothing is left
   *     running
   */
  public static EtcdProcess start(Config config) {
    var etcd = launch(config);
    try {
      etcd.awaitHealthy(START_LIMIT);
    } catch (LaunchException e) {
      etcd.kill();
      throw e;
    }
    return etcd;
  }

  /**
   * Starts etcd and does not wait: of several members none is healthy before a majority runs.
   *
   * @throws LaunchException as {@link #start}, except for health
   */
  public static EtcdProcess launch(Config config) {
    var binary = Executables.require("etcd", "etcd-server");
    if (config.prefix().isEmpty()) { // elsewhere this thread cannot see who listens
      Ports.requireFree("etcd client port", config.host(), config.clientPort());
      Ports.requireFree("etcd peer port", config.host(), config.peerPort());
    }
    var command =
        Command.of(config.name(), words(binary, config), config.log()).through(config.prefix());
    return new EtcdProcess(config, ChildProcess.start(command));
  }

  private static List<String> words(Path binary, Config config) {
    var words = new ArrayList<String>();
    words.add(binary.toString());
    words.addAll(List.of("--name", config.name()));
    // a directory of its own below: etcd is particular about what else lies in its data directory,
    // and the log does
    words.addAll(
        List.of("--data-dir", config.dataDirectory().toAbsolutePath().resolve("data").toString()));
    words.addAll(List.of("--listen-client-urls", config.clientUrl()));
    words.addAll(List.of("--advertise-client-urls", config.clientUrl()));
    words.addAll(List.of("--listen-peer-urls", config.peerUrl()));
    words.addAll(List.of("--initial-advertise-peer-urls", config.peerUrl()));
    words.addAll(
        List.of(
            "--initial-cluster",
            config.initialCluster().orElse(config.name() + "=" + config.peerUrl())));
    // without compaction every ownership and lease key keeps its whole history until the quota
    // stops all writes
    words.addAll(
        List.of("--auto-compaction-mode", "periodic", "--auto-compaction-retention", "1h"));
    words.addAll(List.of("--logger", "zap", "--log-outputs", "stderr", "--log-level", "warn"));
    if (config.durability() == Durability.NO_FSYNC) {
      words.add("--unsafe-no-fsync");
    }
    return words;
  }

  /**
   * Returns when etcd says that it is healthy (it has a leader and can commit).
   *
   * @throws LaunchException when it ended or is not healthy in time, with the end of its log
   */
  public void awaitHealthy(Duration limit) {
    var deadlineNanos = System.nanoTime() + limit.toNanos();
    while (!isHealthy()) {
      if (!child.isAlive()) {
        throw new LaunchException("etcd ended; end of its log:\n" + child.logTail(20));
      }
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new LaunchException(
            "etcd at %s was not healthy within %s; end of its log:%n%s"
                .formatted(config.clientUrl(), limit, child.logTail(20)));
      }
      // the wait between two questions, which ends early when the process does
      var _ = child.exitsWithin(Duration.ofMillis(50));
    }
  }

  /** What {@code /health} says now; false also when nobody answers within half a second. */
  public boolean isHealthy() {
    try {
      var connection =
          (HttpURLConnection)
              URI.create(config.clientUrl() + "/health").toURL().openConnection(Proxy.NO_PROXY);
      connection.setConnectTimeout(500);
      connection.setReadTimeout(500);
      try (var body = connection.getInputStream()) {
        var text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
        return text.contains("\"health\":\"true\"");
      } finally {
        connection.disconnect();
      }
    } catch (IOException _) {
      return false;
    }
  }

  public Config config() {
    return config;
  }

  /** What clients get as endpoint: {@code http://host:port}. */
  public String clientUrl() {
    return config.clientUrl();
  }

  public long pid() {
    return child.pid();
  }

  public boolean isAlive() {
    return child.isAlive();
  }

  /** SIGKILL. */
  public void kill() {
    child.kill();
  }

  /** SIGTERM. */
  public void stop() {
    child.stop(Duration.ofSeconds(10));
  }

  /**
   * SIGSTOP: connections stay open, nothing is answered, leases go on running out once it is
   * resumed.
   */
  public void pause() {
    child.pause();
  }

  public void resume() {
    child.resume();
  }

  @Override
  public void close() {
    stop();
  }
}
