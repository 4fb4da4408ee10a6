package io.fairlead.endpoints;

import io.fairlead.core.model.Cidr;
import io.fairlead.endpoints.decider.NodeLossSettings;
import io.fairlead.endpoints.stream.RebalanceSettings;
import io.fairlead.endpoints.stream.StreamSettings;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.CommonOptions;
import io.fairlead.runtime.ConfigSchema;
import io.fairlead.runtime.ConfigValues;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Option;
import io.fairlead.runtime.OptionType;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * What is configured, checked.
 *
 * @param replica unique name of this replica
 * @param listen where gRPC listens, at least one
 * @param advertise where the other replicas reach it
 * @param replicationFactor copies of each partition of the log
 * @param allowFrom whose calls are served; empty: everybody's
 * @param callTimeout longest time a call may take
 * @param snapshots empty = none is kept
 * @param faultPoints directory that arms them; empty except in tests
 */
public record EndpointsConfig(
    String replica,
    List<HostPort> listen,
    HostPort advertise,
    HostPort httpListen,
    String kafkaBootstrap,
    int replicationFactor,
    List<URI> etcdEndpoints,
    List<Cidr> allowFrom,
    Duration callTimeout,
    NodeLossSettings nodeLoss,
    StreamSettings streams,
    RebalanceSettings rebalance,
    Optional<Snapshots.Settings> snapshots,
    Optional<Path> faultPoints) {
  public static final int GRPC_PORT = 7402;
  public static final int HTTP_PORT = 7482;

  private static final Option<List<HostPort>> LISTEN = CommonOptions.listen(GRPC_PORT);
  private static final Option<HostPort> HTTP_LISTEN = CommonOptions.httpListen(HTTP_PORT);
  private static final Option<Duration> CALL_TIMEOUT =
      Option.of(
              "call-timeout",
              OptionType.duration(Duration.ofMillis(100), Duration.ofMinutes(5)),
              "Longest time a call may take, whatever deadline its caller gave it.")
          .withDefault("30s");
  private static final Option<Duration> NODE_LEASE_TTL =
      Option.of(
              "node-lease-ttl",
              OptionType.duration(Duration.ofSeconds(2), Duration.ofMinutes(5)),
              "How long a node's key in etcd outlives the replica that holds the node's stream.")
          .withDefault("10s");
  private static final Option<Duration> NODE_LOST_AFTER =
      Option.of(
              "node-lost-after",
              OptionType.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
              "How long a node's key must be missing in etcd before its Pods are taken for unready.")
          .withDefault("40s");
  private static final Option<Duration> NODE_LOST_AFTER_CLOSE =
      Option.of(
              "node-lost-after-close",
              OptionType.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
              "The same where the connection of its agent ended without a word. More than node-lost-after counts as that.")
          .withDefault("10s");
  private static final Option<Duration> NODE_PODS_KEPT =
      Option.of(
              "node-pods-kept",
              OptionType.duration(Duration.ofSeconds(1), Duration.ofDays(1)),
              "How long Pods of a lost node stay, and of a source that their node does not have any more, before they are deleted.")
          .withDefault("5m");
  private static final Option<Integer> STREAM_JOURNAL =
      Option.of(
              "stream-journal",
              OptionType.integer(1, 10_000_000),
              "How many changed entries are remembered for agents that are behind; agents further behind are sent everything.")
          .withDefault("200000");
  private static final Option<Integer> STREAM_RESETS =
      Option.of(
              "stream-resets",
              OptionType.integer(1, 10_000),
              "How many agents are sent everything at the same time; the others wait for their turn.")
          .withDefault("16");
  private static final Option<Integer> STREAM_MOVES =
      Option.of(
              "stream-moves",
              OptionType.integer(0, 1000),
              "How many agents are asked in a second to go to another replica, where this one holds more than its share. 0: none.")
          .withDefault("10");
  private static final Option<Duration> STREAM_MOVES_AFTER =
      Option.of(
              "stream-moves-after",
              OptionType.duration(Duration.ofMillis(100), Duration.ofHours(1)),
              "How long the same replicas must have been ready, and this one held more than its share, before agents are asked to go.")
          .withDefault(OptionType.text(RebalanceSettings.DEFAULT.settle()));

  /** All options of the process. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(
          "fairlead-endpoints",
          "Decides Pods, their readiness and Nodes, and streams to the agents what their kernels need.",
          List.of(
              CommonOptions.REPLICA,
              LISTEN,
              CommonOptions.ADVERTISE,
              CommonOptions.ALLOW_FROM,
              HTTP_LISTEN,
              CommonOptions.KAFKA_BOOTSTRAP,
              CommonOptions.REPLICATION_FACTOR,
              CommonOptions.DEVELOPMENT,
              CommonOptions.ETCD_ENDPOINTS,
              CALL_TIMEOUT,
              NODE_LEASE_TTL,
              NODE_LOST_AFTER,
              NODE_LOST_AFTER_CLOSE,
              NODE_PODS_KEPT,
              STREAM_JOURNAL,
              STREAM_RESETS,
              STREAM_MOVES,
              STREAM_MOVES_AFTER,
              CommonOptions.SNAPSHOT_DIR,
              CommonOptions.SNAPSHOT_INTERVAL,
              CommonOptions.LOG_FORMAT,
              CommonOptions.LOG_LEVEL,
              CommonOptions.FAULT_POINTS));

  public EndpointsConfig {
    listen = List.copyOf(listen);
    etcdEndpoints = List.copyOf(etcdEndpoints);
    allowFrom = List.copyOf(allowFrom);
    if (nodeLoss.after().compareTo(streams.leaseTtl()) < 0) {
      throw new IllegalArgumentException(
          "node-lost-after: "
              + OptionType.text(nodeLoss.after())
              + " is shorter than node-lease-ttl, "
              + OptionType.text(streams.leaseTtl())
              + ": nodes would be lost while their replica is replaced");
    }
  }

  /** For {@code main}: prints what is in force; ends the process where the options are faulty. */
  public static EndpointsConfig load(String[] args, Map<String, String> environment) {
    var values = SCHEMA.load(args, environment);
    try {
      var config = of(values);
      values.log(LoggerFactory.getLogger(EndpointsConfig.class));
      return config;
    } catch (IllegalArgumentException e) {
      throw SCHEMA.refuse(List.of(String.valueOf(e.getMessage())));
    }
  }

  /** From checked options; what does not fit together is refused with IllegalArgumentException. */
  static EndpointsConfig of(ConfigValues values) {
    var listen = values.get(LISTEN);
    int copies =
        values
            .find(CommonOptions.REPLICATION_FACTOR)
            .orElse(values.get(CommonOptions.DEVELOPMENT) ? 1 : 3);
    if (copies == 1 && !values.get(CommonOptions.DEVELOPMENT)) {
      throw new IllegalArgumentException(
          "replication-factor: 1 loses the log with its broker; allowed only with --development");
    }
    return new EndpointsConfig(
        values.get(CommonOptions.REPLICA),
        listen,
        CommonOptions.advertised(values, listen.getFirst().port()),
        values.get(HTTP_LISTEN),
        values.get(CommonOptions.KAFKA_BOOTSTRAP),
        copies,
        values.get(CommonOptions.ETCD_ENDPOINTS),
        values.find(CommonOptions.ALLOW_FROM).orElse(List.of()),
        values.get(CALL_TIMEOUT),
        NodeLossSettings.DEFAULT
            .withAfter(values.get(NODE_LOST_AFTER), values.get(NODE_LOST_AFTER_CLOSE))
            .withPodsKept(values.get(NODE_PODS_KEPT)),
        StreamSettings.DEFAULT
            .withLease(values.get(NODE_LEASE_TTL), StreamSettings.DEFAULT.leaseGrace())
            .withLeftKept(values.get(NODE_LOST_AFTER))
            .withJournal(values.get(STREAM_JOURNAL))
            .withResets(
                values.get(STREAM_RESETS),
                StreamSettings.DEFAULT.resetTurn(),
                StreamSettings.DEFAULT.waitingInterval()),
        RebalanceSettings.DEFAULT
            .withPerSecond(values.get(STREAM_MOVES))
            .withTimes(values.get(STREAM_MOVES_AFTER), RebalanceSettings.DEFAULT.tick()),
        Snapshots.Settings.of(
            values.find(CommonOptions.SNAPSHOT_DIR),
            "endpoints",
            values.get(CommonOptions.SNAPSHOT_INTERVAL)),
        FaultPointDirectory.configured(values));
  }
}
