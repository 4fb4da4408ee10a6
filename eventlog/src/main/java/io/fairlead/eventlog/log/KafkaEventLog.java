package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.acks.AckTopic;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log over Kafka. Thread-safe; holds one admin client, and a client for each appender and
 * follower. Everything durable is in Kafka.
 */
public final class KafkaEventLog implements EventLog {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaEventLog.class);
  private static final Duration RETRY = Duration.ofMillis(500);

  private final KafkaLogConfig config;
  private final KafkaAdmin admin;
  private final Time time;
  private final FaultPoints points;
  private final Set<AutoCloseable> users = ConcurrentHashMap.newKeySet();
  private final AtomicInteger clients = new AtomicInteger();
  private final KafkaAckTopic acks;

  private KafkaEventLog(KafkaLogConfig config, KafkaAdmin admin, Time time, FaultPoints points) {
    this.config = config;
    this.admin = admin;
    this.time = time;
    this.points = points;
    this.acks = new KafkaAckTopic(config, time);
    users.add(acks);
  }

  /**
   * Finds the log, and makes what topics are missing. Waits for brokers that are not there yet.
   * Blocks.
   *
   * @throws ForeignLogException topics are there, but not as configured; all that is wrong is named
   * @throws GatewayException KNOWN_FAILED: no brokers, or too few for the replication factor,
   *     within the time-out
   */
  public static KafkaEventLog open(KafkaLogConfig config, Time time) {
    return open(config, time, FaultPoints.NONE);
  }

  /** Likewise; the points are told between the records of a transaction and its commit. */
  public static KafkaEventLog open(KafkaLogConfig config, Time time, FaultPoints points) {
    long deadline = time.nanoTime() + config.timeouts().open().toNanos();
    boolean told = false;
    while (true) {
      try {
        return tryOpen(config, time, points);
      } catch (GatewayException e) {
        if (time.nanoTime() - deadline >= 0 || Thread.currentThread().isInterrupted()) {
          throw new GatewayException(
              Outcome.KNOWN_FAILED,
              "cannot open the log at %s: %s".formatted(config.bootstrapServers(), e.getMessage()),
              e);
        }
        if (!told) {
          LOG.atWarn()
              .addKeyValue("bootstrapServers", config.bootstrapServers())
              .addKeyValue("cause", e.getMessage())
              .log("Log not reached yet, trying again");
          told = true;
        }
        sleep(time, RETRY);
      }
    }
  }

  private static KafkaEventLog tryOpen(KafkaLogConfig config, Time time, FaultPoints points) {
    try {
      var client = KafkaClients.admin(config, "admin");
      try {
        var identity = new KafkaTopics(client, config, time).ensure();
        var admin = new KafkaAdmin(client, config.timeouts().call(), identity);
        return new KafkaEventLog(config, admin, time, points);
      } catch (RuntimeException e) {
        client.close(Duration.ZERO);
        throw e;
      }
    } catch (KafkaException e) {
      // names of brokers that do not resolve, settings Kafka refuses
      throw new GatewayException(Outcome.KNOWN_FAILED, words(e), e);
    }
  }

  @Override
  public LogIdentity identity() {
    return admin.identity();
  }

  @Override
  public Partitioning partitioning() {
    return config.partitioning();
  }

  @Override
  public PartitionAppender openAppender(LogPartition partition) {
    admin.requireSame();
    long deadline = time.nanoTime() + config.timeouts().takeOver().toNanos();
    var producer =
        KafkaClients.producer(config, partition, partition + "-" + clients.incrementAndGet());
    try {
      while (true) {
        try {
          producer.initTransactions();
          break;
        } catch (org.apache.kafka.common.errors.TimeoutException e) {
          if (time.nanoTime() - deadline >= 0) {
            throw e;
          }
        }
      }
      admin.check();
      int forgotten = admin.abortForgotten(partition);
      if (forgotten > 0) {
        LOG.atWarn()
            .addKeyValue("event", "log.transaction.forgotten")
            .addKeyValue("partition", partition)
            .addKeyValue("transactions", forgotten)
            .log("Kafka had forgotten an open transaction; aborted");
      }
    } catch (KafkaException e) {
      producer.close(Duration.ZERO);
      throw new GatewayException(
          Outcome.UNKNOWN, "cannot become the writer of %s: %s".formatted(partition, words(e)), e);
    } catch (RuntimeException e) {
      producer.close(Duration.ZERO);
      throw e;
    }
    var appender =
        new KafkaAppender(
            producer,
            partition,
            partitioning(),
            config.timeouts().append(),
            admin::requireSame,
            time,
            points,
            users::remove);
    users.add(appender);
    return appender;
  }

  /**
   * What a first transactional producer has to load and to ask for takes a few tenths of a second.
   */
  @Override
  public void warmUp() {
    try {
      var producer = KafkaClients.warmUpProducer(config, "warm-up");
      try {
        producer.initTransactions();
        producer.beginTransaction();
        producer.abortTransaction();
      } finally {
        producer.close(Duration.ZERO);
      }
    } catch (KafkaException e) {
      throw new GatewayException(Outcome.KNOWN_FAILED, "cannot warm up: " + words(e), e);
    }
  }

  @Override
  public Map<LogPartition, Long> endOffsets(Collection<LogPartition> partitions) {
    return admin.ends(partitions, IsolationLevel.READ_COMMITTED);
  }

  /** The topics are checked to keep everything for the window at least. */
  @Override
  public Instant completeSince() {
    return time.now().minus(config.window());
  }

  @Override
  public Map<LogPartition, Long> startOffsets(Collection<LogPartition> partitions) {
    return admin.starts(partitions);
  }

  @Override
  public Map<LogPartition, Long> unstable(Collection<LogPartition> partitions) {
    var stable = admin.ends(partitions, IsolationLevel.READ_COMMITTED);
    var behind = new TreeMap<LogPartition, Long>();
    admin
        .ends(partitions, IsolationLevel.READ_UNCOMMITTED)
        .forEach((p, end) -> behind.put(p, Math.max(0, end - stable.getOrDefault(p, end))));
    return behind;
  }

  @Override
  public Follower follow(
      Collection<LogPartition> partitions, Position from, FollowListener listener) {
    var start = Layout.start(identity(), from, partitions);
    var name = "follower-" + clients.incrementAndGet();
    var follower =
        new KafkaFollower(
            () -> KafkaClients.consumer(config, name),
            admin,
            config,
            List.copyOf(partitions),
            start,
            listener,
            time,
            users::remove);
    users.add(follower);
    follower.start(config.clientId() + "-" + name);
    return follower;
  }

  @Override
  public AckTopic acks() {
    return acks;
  }

  /** Closes its followers and appenders as well. */
  @Override
  public void close() {
    for (var user : List.copyOf(users)) {
      try {
        user.close();
      } catch (Exception e) {
        LOG.atWarn().setCause(e).log("Client of the log not closed cleanly");
      }
    }
    admin.close();
  }

  /** A message, and that of the cause where Kafka hides what matters in it. */
  static String words(Throwable e) {
    return e.getCause() == null ? e.toString() : e + ": " + e.getCause();
  }

  private static void sleep(Time time, Duration duration) {
    try {
      time.sleep(duration);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
