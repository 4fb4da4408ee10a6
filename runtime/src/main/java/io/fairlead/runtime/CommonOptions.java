package io.fairlead.runtime;

import io.fairlead.core.model.Cidr;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.event.Level;

/** Options that several processes have: one name, one meaning, one default. */
public final class CommonOptions {
  private CommonOptions() {}

  public static final Option<Logging.Format> LOG_FORMAT =
      Option.of(
              "log-format",
              OptionType.oneOf(Logging.Format.class),
              "How log lines look: text for people, json for collectors. Written to standard output.")
          .withDefault("text");

  public static final Option<Level> LOG_LEVEL =
      Option.of("log-level", OptionType.oneOf(Level.class), "What is logged, from this level on.")
          .withDefault("INFO");

  public static final Option<String> KAFKA_BOOTSTRAP =
      Option.of(
              "kafka-bootstrap",
              new OptionType<>(
                  OptionType.addresses().form(),
                  text ->
                      switch (OptionType.addresses().check().apply(text)) {
                        case OptionType.Good<List<HostPort>> _ -> new OptionType.Good<>(text);
                        case OptionType.Bad<List<HostPort>>(var words) ->
                            new OptionType.Bad<>(words);
                      }),
              "Kafka brokers to begin with.")
          .withDefault("127.0.0.1:9092");

  public static final Option<List<URI>> ETCD_ENDPOINTS =
      Option.of(
              "etcd-endpoints",
              OptionType.listOf(OptionType.httpUrl()),
              "Client URLs of the members of the etcd cluster.")
          .withDefault("http://127.0.0.1:2379");

  public static final Option<String> REPLICA =
      Option.of(
              "replica",
              OptionType.name(),
              "Name of this replica, unique among those of its service and kept over restarts.")
          .withDefault(CommonOptions::hostName, "host name");

  public static final Option<HostPort> ADVERTISE =
      Option.of(
              "advertise",
              OptionType.address(),
              "Where the other replicas reach this one's gRPC. Needed where that is not the host name and the first port of --listen.")
          .optional();

  /** 1 to 5; 3 brokers are what a cluster that may lose one needs. */
  public static final Option<Integer> REPLICATION_FACTOR =
      Option.of(
              "replication-factor",
              OptionType.integer(1, 5),
              "Copies of each partition, used when the topics are created. Default 3; 1 with --development.")
          .optional();

  public static final Option<Boolean> DEVELOPMENT =
      Option.flag(
          "development", "Accept a Kafka cluster of one broker: nothing survives its loss.");

  /** {@code --listen} with the service's port; never empty. */
  public static Option<List<HostPort>> listen(int port) {
    return Option.of("listen", OptionType.listOf(OptionType.listenAddress()), "Where gRPC listens.")
        .withDefault("0.0.0.0:" + port);
  }

  /** Whose calls are served. */
  public static final Option<List<Cidr>> ALLOW_FROM =
      Option.of(
              "allow-from",
              OptionType.listOf(OptionType.cidr()),
              "Addresses whose gRPC calls are served. Default: all.")
          .optional();

  /** {@code --http-listen} with the service's port. */
  public static Option<HostPort> httpListen(int port) {
    return Option.of(
            "http-listen",
            OptionType.listenAddress(),
            "Where /livez, /readyz, /healthz and /metrics listen.")
        .withDefault("0.0.0.0:" + port);
  }

  /** Where tests arm fault points; see {@link FaultPointDirectory}. */
  public static final Option<Path> FAULT_POINTS =
      Option.of(
              "fault-points",
              OptionType.path(),
              "For tests of Fairlead only: a directory whose files, named as the points in docs/allocation.md and docs/fault-points.md, make the process die or wait there. Off unless given.")
          .optional();

  /** Where the image is kept between starts; a cache, which may be deleted. */
  public static final Option<Path> SNAPSHOT_DIR =
      Option.of(
              "snapshot-dir",
              OptionType.path(),
              "A directory of this replica alone for a copy of what it read, so that its next start reads only the rest of the log. May be deleted at any time. Default: none is kept.")
          .optional();

  public static final Option<Duration> SNAPSHOT_INTERVAL =
      Option.of(
              "snapshot-interval",
              OptionType.duration(Duration.ofSeconds(10), Duration.ofDays(1)),
              "How often that copy is written, besides at an orderly end.")
          .withDefault("10m");

  /** {@code --data-dir}, a directory of its own below the one of all of Fairlead. */
  public static Option<Path> dataDir(String process) {
    return Option.of("data-dir", OptionType.path(), "Where this process keeps its files.")
        .withDefault(
            () ->
                dataHome(System.getenv(), System.getProperty("user.name", ""))
                    .resolve(process)
                    .toString(),
            "/var/lib/fairlead/" + process + " as root, else $XDG_STATE_HOME/fairlead/" + process);
  }

  /** The directory of all of Fairlead's files: root's, else the user's by the XDG specification. */
  public static Path dataHome(Map<String, String> environment, String user) {
    if (user.equals("root")) {
      return Path.of("/var/lib/fairlead");
    }
    var home = environment.getOrDefault("HOME", ".");
    return Optional.ofNullable(environment.get("XDG_STATE_HOME"))
        .filter(dir -> dir.startsWith("/")) // the XDG specification: others are to be ignored
        .map(Path::of)
        .orElseGet(() -> Path.of(home, ".local", "state"))
        .resolve("fairlead");
  }

  /** What {@code --advertise} says, else the host name with the port that gRPC listens on. */
  public static HostPort advertised(ConfigValues values, int grpcPort) {
    return values.find(ADVERTISE).orElseGet(() -> new HostPort(hostName(), grpcPort));
  }

  /** The name this machine gives itself, in lower case. */
  public static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
    } catch (
        UnknownHostException e) { // no entry for it in /etc/hosts; the message begins with the name
      var name = System.getenv("HOSTNAME");
      return name == null || name.isBlank() ? "localhost" : name.toLowerCase(Locale.ROOT);
    }
  }
}
