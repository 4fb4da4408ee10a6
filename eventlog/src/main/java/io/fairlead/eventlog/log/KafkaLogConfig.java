package io.fairlead.eventlog.log;

import io.fairlead.core.model.Partitioning;
import java.time.Duration;
import java.util.Map;

/**
 * How the log over Kafka is reached and how its topics are made. What its topics are made with is
 * also what existing ones are checked against.
 *
 * @param bootstrapServers {@code host:port,...} of some brokers
 * @param clientId what the brokers' logs call this process
 * @param podsPartitions of the topic of Pods, at least 2; must be that of an existing log
 * @param replicationFactor 3 where there are three brokers; 1 only for development: a lost disk is
 *     a lost log
 * @param window how long every record is kept before compaction may drop it, and tombstones after
 *     it; existing topics may keep them longer
 * @param security further settings of Kafka's clients; only {@code security.*}, {@code sasl.*},
 *     {@code ssl.*}
 */
public record KafkaLogConfig(
    String bootstrapServers,
    String clientId,
    int podsPartitions,
    int replicationFactor,
    Duration window,
    Timeouts timeouts,
    Map<String, String> security) {
  public static final int DEFAULT_PODS_PARTITIONS = 16;
  public static final Duration DEFAULT_WINDOW = Duration.ofDays(7);

  public KafkaLogConfig {
    if (bootstrapServers.isBlank()) {
      throw new IllegalArgumentException("bootstrap servers: none given; expected host:port,...");
    }
    if (replicationFactor < 1 || replicationFactor > Short.MAX_VALUE) {
      throw new IllegalArgumentException(
          "replication factor " + replicationFactor + ": allowed are 1 to " + Short.MAX_VALUE);
    }
    var _ = new Partitioning(podsPartitions); // refuses what cannot be
    requirePositive("window", window);
    security = Map.copyOf(security);
    for (var name : security.keySet()) {
      if (!name.matches("(security|sasl|ssl)\\..+")) {
        throw new IllegalArgumentException(
            "client setting %s: allowed are security.*, sasl.* and ssl.*".formatted(name));
      }
    }
  }

  /**
   * How long calls may take.
   *
   * @param open until brokers and topics are found
   * @param call one question, and until silence of the brokers counts as a lost connection
   * @param append until records are written, and once more until they are committed, or given up
   * @param takeOver until an appender is open
   * @param check how often followers make sure that the log is reached and still the same
   */
  public record Timeouts(
      Duration open, Duration call, Duration append, Duration takeOver, Duration check) {
    public static final Timeouts DEFAULT =
        new Timeouts(
            Duration.ofSeconds(60),
            Duration.ofSeconds(3),
            Duration.ofSeconds(3),
            Duration.ofSeconds(10),
            Duration.ofSeconds(1));

    public Timeouts {
      requirePositive("open time-out", open);
      requirePositive("call time-out", call);
      requirePositive("append time-out", append);
      requirePositive("take-over time-out", takeOver);
      requirePositive("check interval", check);
    }
  }

  /** For three brokers or more, with defaults. */
  public static KafkaLogConfig of(String bootstrapServers, String clientId) {
    return new KafkaLogConfig(
        bootstrapServers,
        clientId,
        DEFAULT_PODS_PARTITIONS,
        3,
        DEFAULT_WINDOW,
        Timeouts.DEFAULT,
        Map.of());
  }

  public KafkaLogConfig withReplicationFactor(int replicas) {
    return new KafkaLogConfig(
        bootstrapServers, clientId, podsPartitions, replicas, window, timeouts, security);
  }

  public KafkaLogConfig withPodsPartitions(int partitions) {
    return new KafkaLogConfig(
        bootstrapServers, clientId, partitions, replicationFactor, window, timeouts, security);
  }

  public KafkaLogConfig withWindow(Duration kept) {
    return new KafkaLogConfig(
        bootstrapServers, clientId, podsPartitions, replicationFactor, kept, timeouts, security);
  }

  public KafkaLogConfig withTimeouts(Timeouts limits) {
    return new KafkaLogConfig(
        bootstrapServers, clientId, podsPartitions, replicationFactor, window, limits, security);
  }

  public KafkaLogConfig withSecurity(Map<String, String> settings) {
    return new KafkaLogConfig(
        bootstrapServers, clientId, podsPartitions, replicationFactor, window, timeouts, settings);
  }

  public Partitioning partitioning() {
    return new Partitioning(podsPartitions);
  }

  /** How many replicas must have a record before it counts as written: one may be away. */
  public int minInsyncReplicas() {
    return Math.max(1, replicationFactor - 1);
  }

  /** One broker, so one copy: what is asked of a durable log is not asked. */
  public boolean isDevelopment() {
    return replicationFactor == 1;
  }

  private static void requirePositive(String name, Duration duration) {
    if (!duration.isPositive()) {
      throw new IllegalArgumentException(name + " " + duration + ": must be above zero");
    }
  }

  /** Without the values of the security settings. */
  @Override
  public String toString() {
    return "bootstrap servers %s, client %s, %d Pod partitions, replication factor %d, window %s, security settings %s"
        .formatted(
            bootstrapServers,
            clientId,
            podsPartitions,
            replicationFactor,
            window,
            security.keySet());
  }
}
