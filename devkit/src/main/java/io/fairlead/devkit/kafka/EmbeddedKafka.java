package io.fairlead.devkit.kafka;

import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Ports;
import io.fairlead.devkit.process.ProcessLock;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * One Kafka broker and controller (KRaft) in this JVM. Durable: everything, in its data directory,
 * which a later start takes up again, also on other ports. Its threads are Kafka's own. A fault
 * inside the broker that it takes for fatal ends the JVM, as it does with Kafka's own launcher. The
 * only one of its cluster, or one of several that each have a JVM of their own.
 */
public final class EmbeddedKafka implements AutoCloseable {
  private static final String BROKER_LISTENER = "PLAINTEXT";
  private static final String CONTROLLER_LISTENER = "CONTROLLER";
  private static final int NODE_ID = 1;

  private final Config config;
  private final ProcessLock lock;
  private final KafkaRaftServer server;

  private EmbeddedKafka(Config config, ProcessLock lock, KafkaRaftServer server) {
    this.config = config;
    this.lock = lock;
    this.server = server;
  }

  /**
   * How the broker runs.
   *
   * @param dataDirectory made and formatted when it is new
   * @param host one address of this machine: what is listened on and what clients are told; no
   *     wildcard
   * @param quorum empty: the only broker; else its ports have to stay what the others were told
   * @param overrides broker settings that go before ours
   */
  public record Config(
      Path dataDirectory,
      String host,
      int port,
      int controllerPort,
      Optional<KafkaQuorum> quorum,
      Map<String, String> overrides) {
    public Config {
      overrides = Map.copyOf(overrides);
      if (host.isBlank() || host.equals("0.0.0.0") || host.equals("::")) {
        throw new IllegalArgumentException(
            "host '%s': clients are told to connect to it, so it must be one address of this machine"
                .formatted(host));
      }
      requirePort("port", port);
      requirePort("controller port", controllerPort);
      if (port == controllerPort) {
        throw new IllegalArgumentException(
            "port and controller port are both " + port + "; they must differ");
      }
    }

    /** The only broker. */
    public Config(
        Path dataDirectory,
        String host,
        int port,
        int controllerPort,
        Map<String, String> overrides) {
      this(dataDirectory, host, port, controllerPort, Optional.empty(), overrides);
    }

    /** On 127.0.0.1 and two ports that are free now. */
    public static Config in(Path dataDirectory) {
      var ports = Ports.free("127.0.0.1", 2);
      return new Config(dataDirectory, "127.0.0.1", ports.getFirst(), ports.getLast(), Map.of());
    }

    public Config withHost(String other) {
      return new Config(dataDirectory, other, port, controllerPort, quorum, overrides);
    }

    public Config withPorts(int broker, int controller) {
      return new Config(dataDirectory, host, broker, controller, quorum, overrides);
    }

    public Config withOverrides(Map<String, String> settings) {
      return new Config(dataDirectory, host, port, controllerPort, quorum, settings);
    }

    /** What clients get as {@code bootstrap.servers}. */
    public String bootstrapServers() {
      return authority(host, port);
    }

    private static void requirePort(String name, int port) {
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException(name + " " + port + ": allowed are 1 to 65535");
      }
    }
  }

  /**
   * Starts the broker and returns when it serves clients, in one to a few seconds; after a kill -9
   * on the same directory it takes about a second more, until the controller gives up the earlier
   * incarnation.
   *
   * @throws LaunchException when a port is taken (which one), the directory cannot be used or is in
   *     use by another broker
   */
  public static EmbeddedKafka start(Config config) {
    // Asked here, since Kafka says so only deep in a stack trace, and for the controller's port not
    // at all in words of ours.
    Ports.requireFree("Kafka port", config.host(), config.port());
    Ports.requireFree("Kafka controller port", config.host(), config.controllerPort());
    var lock = lock(config.dataDirectory());
    try {
      formatWhenNew(config);
      return new EmbeddedKafka(config, lock, startServer(config));
    } catch (LaunchException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Kafka's own lock comes too late: by then a second controller has written into the metadata log
   * of the first.
   */
  private static ProcessLock lock(Path directory) {
    return ProcessLock.tryTake(directory.resolve("fairlead.lock"))
        .orElseThrow(() ->
            new LaunchException(
                "Kafka data directory %s is in use by another broker".formatted(directory)));
  }

  private static KafkaRaftServer startServer(Config config) {
    KafkaRaftServer server;
    try {
      server = new KafkaRaftServer(new KafkaConfig(settings(config), false), Time.SYSTEM);
    } catch (RuntimeException e) {
      throw notStarted(config, e);
    }
    try {
      server.startup();
      return server;
    } catch (RuntimeException e) {
      server.shutdown();
      server.awaitShutdown();
      throw notStarted(config, e);
    }
  }

  private static LaunchException notStarted(Config config, RuntimeException e) {
    return new LaunchException(
        "Kafka did not start in %s: %s".formatted(config.dataDirectory(), e.getMessage()), e);
  }

  private static void formatWhenNew(Config config) {
    var directory = config.dataDirectory();
    if (Files.exists(directory.resolve("meta.properties"))) {
      return;
    }
    var name = directory.toAbsolutePath().toString();
    try (var quiet =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      Files.createDirectories(directory);
      new Formatter()
          .setPrintStream(quiet)
          .setNodeId(nodeId(config))
          .setClusterId(
              config.quorum().map(KafkaQuorum::clusterId).orElse(Uuid.randomUuid().toString()))
          .addDirectory(name)
          .setMetadataLogDirectory(name)
          .setControllerListenerName(CONTROLLER_LISTENER)
          .run();
    } catch (IOException e) {
      throw new LaunchException("Kafka data directory %s cannot be used: %s".formatted(name, e), e);
    } catch (Exception e) {
      throw new LaunchException("Kafka cannot format its data directory " + name, e);
    }
  }

  /**
   * All settings of the broker; those not named are Kafka's defaults. Sorted by topic, not by name.
   */
  static Map<String, Object> settings(Config config) {
    var broker = authority(config.host(), config.port());
    var controller = authority(config.host(), config.controllerPort());
    int replicas = config.quorum().map(KafkaQuorum::replicas).orElse(1);
    var copies = Integer.toString(replicas);
    var inSync = Integer.toString(Math.max(1, replicas - 1)); // one may be away
    var settings = new LinkedHashMap<String, Object>();
    settings.put("process.roles", "broker,controller");
    settings.put("node.id", Integer.toString(nodeId(config)));
    settings.put("log.dirs", config.dataDirectory().toAbsolutePath().toString());
    settings.put(
        "listeners",
        BROKER_LISTENER + "://" + broker + "," + CONTROLLER_LISTENER + "://" + controller);
    settings.put("advertised.listeners", BROKER_LISTENER + "://" + broker);
    settings.put(
        "listener.security.protocol.map",
        BROKER_LISTENER + ":PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT");
    settings.put("inter.broker.listener.name", BROKER_LISTENER);
    settings.put("controller.listener.names", CONTROLLER_LISTENER);
    // Named in the settings, not in the metadata log: so the ports may differ from start to start.
    settings.put(
        "controller.quorum.voters",
        config.quorum().map(KafkaQuorum::votersSetting).orElse(NODE_ID + "@" + controller));

    // After a kill -9 the controller holds on to the old incarnation for the whole session; with
    // the default that is 9 s. Of several, one that is merely slow should keep its partitions.
    settings.put("broker.session.timeout.ms", config.quorum().isPresent() ? "3000" : "1000");
    settings.put("broker.heartbeat.interval.ms", config.quorum().isPresent() ? "500" : "200");
    // Without it even a clean restart waits for the session to run out.
    settings.put("controlled.shutdown.enable", "true");

    settings.put("auto.create.topics.enable", "false");
    settings.put("unclean.leader.election.enable", "false");
    settings.put("default.replication.factor", copies);
    settings.put("min.insync.replicas", inSync);
    settings.put("offsets.topic.num.partitions", "1");
    settings.put("offsets.topic.replication.factor", copies);
    settings.put("transaction.state.log.num.partitions", "1");
    settings.put("transaction.state.log.replication.factor", copies);
    settings.put("transaction.state.log.min.isr", inSync);
    settings.put("share.coordinator.state.topic.num.partitions", "1");
    settings.put("share.coordinator.state.topic.replication.factor", copies);
    settings.put("share.coordinator.state.topic.min.isr", inSync);
    settings.put("group.initial.rebalance.delay.ms", "0");
    // How often open transactions are looked at: by default one of 5 s may hold readers up for 15.
    settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");

    // One machine, few small topics: what the defaults would reserve is many times what is stored.
    settings.put("log.cleaner.dedupe.buffer.size", "2097152");
    settings.put("log.index.size.max.bytes", "1048576");
    settings.put("num.network.threads", "2");
    settings.put("num.io.threads", "4");
    settings.put("background.threads", "2");
    settings.put("num.recovery.threads.per.data.dir", "1");
    settings.putAll(config.overrides());
    return settings;
  }

  private static int nodeId(Config config) {
    return config.quorum().map(KafkaQuorum::nodeId).orElse(NODE_ID);
  }

  private static String authority(String host, int port) {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  public Config config() {
    return config;
  }

  public String bootstrapServers() {
    return config.bootstrapServers();
  }

  /**
   * A clean stop: the next start on the directory needs no recovery. Returns when all is closed.
   */
  @Override
  public void close() {
    try {
      server.shutdown();
      server.awaitShutdown();
    } finally {
      lock.close();
    }
  }
}
