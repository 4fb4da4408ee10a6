package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** A client of a {@link FakeKafka}. Thread-safe. */
public final class FakeEventLog implements EventLog {
  /** How the next append of this client ends. */
  public enum AppendFault {
    /** {@link Outcome#KNOWN_FAILED}: nothing was written. */
    REFUSED,
    /** {@link Outcome#UNKNOWN}, and it is in the log. */
    UNKNOWN_WRITTEN,
    /** {@link Outcome#UNKNOWN}, and it is not in the log. */
    UNKNOWN_NOT_WRITTEN
  }

  private final FakeKafka kafka;
  private final Partitioning partitioning;
  private final LogIdentity identity;
  private final int number;
  private final AtomicReference<Optional<AppendFault>> nextFault =
      new AtomicReference<>(Optional.empty());
  private final Set<LogPartition> held = new HashSet<>(); // guarded by kafka.lock
  private final FakeAckTopic acks;
  private final Set<FakeFollower> followers = ConcurrentHashMap.newKeySet();

  FakeEventLog(FakeKafka kafka, Partitioning partitioning, LogIdentity identity, int number) {
    this.kafka = kafka;
    this.partitioning = partitioning;
    this.identity = identity;
    this.number = number;
    this.acks = new FakeAckTopic(kafka, this);
  }

  /** The next append of any appender of this client, and only that, ends so. */
  public void failNextAppend(AppendFault fault) {
    nextFault.set(Optional.of(fault));
  }

  /** This client reads nothing more of a partition until it is {@link #release released}. */
  public void holdBack(LogPartition partition) {
    kafka.lock.lock();
    try {
      held.add(partition);
    } finally {
      kafka.lock.unlock();
    }
  }

  public void release(LogPartition partition) {
    kafka.lock.lock();
    try {
      held.remove(partition);
      kafka.changed.signalAll();
    } finally {
      kafka.lock.unlock();
    }
  }

  /** With the lock held. */
  boolean isHeldBack(LogPartition partition) {
    return held.contains(partition);
  }

  @Override
  public LogIdentity identity() {
    return identity;
  }

  @Override
  public Partitioning partitioning() {
    return partitioning;
  }

  @Override
  public PartitionAppender openAppender(LogPartition partition) {
    kafka.lock.lock();
    try {
      requireReachable(Outcome.UNKNOWN, "open an appender for " + partition);
      var log = kafka.partition(partition);
      int epoch = log.fence();
      kafka.changed.signalAll();
      return new Appender(partition, log, epoch);
    } finally {
      kafka.lock.unlock();
    }
  }

  @Override
  public Map<LogPartition, Long> endOffsets(Collection<LogPartition> partitions) {
    kafka.lock.lock();
    try {
      requireReachable(Outcome.KNOWN_FAILED, "read end offsets");
      var ends = new TreeMap<LogPartition, Long>();
      partitions.forEach(p -> ends.put(p, kafka.partition(p).stableEnd()));
      return ends;
    } finally {
      kafka.lock.unlock();
    }
  }

  @Override
  public Map<LogPartition, Long> startOffsets(Collection<LogPartition> partitions) {
    kafka.lock.lock();
    try {
      requireReachable(Outcome.KNOWN_FAILED, "read start offsets");
      var starts = new TreeMap<LogPartition, Long>();
      partitions.forEach(p -> starts.put(p, kafka.partition(p).start()));
      return starts;
    } finally {
      kafka.lock.unlock();
    }
  }

  @Override
  public Instant completeSince() {
    return kafka.now().minus(KafkaLogConfig.DEFAULT_WINDOW);
  }

  @Override
  public Map<LogPartition, Long> unstable(Collection<LogPartition> partitions) {
    kafka.lock.lock();
    try {
      requireReachable(Outcome.KNOWN_FAILED, "read end offsets");
      var behind = new TreeMap<LogPartition, Long>();
      partitions.forEach(p -> {
        var log = kafka.partition(p);
        behind.put(p, log.end() - log.stableEnd());
      });
      return behind;
    } finally {
      kafka.lock.unlock();
    }
  }

  @Override
  public Follower follow(
      Collection<LogPartition> partitions, Position from, FollowListener listener) {
    var start = Layout.start(identity, from, partitions);
    var follower =
        new FakeFollower(kafka, this, List.copyOf(partitions), start, listener, followers::remove);
    followers.add(follower);
    follower.start("fake-follower-" + number);
    return follower;
  }

  @Override
  public FakeAckTopic acks() {
    return acks;
  }

  @Override
  public void close() {
    acks.close();
    List.copyOf(followers).forEach(FakeFollower::close);
  }

  /** With the lock held. */
  private void requireReachable(Outcome otherwise, String what) {
    if (!kafka.reaches(this)) {
      throw new GatewayException(otherwise, "cannot " + what + ": the log is away");
    }
    verifyIdentity();
  }

  /** With the lock held. */
  void verifyIdentity() {
    if (!kafka.identity().equals(identity)) {
      throw new ForeignLogException(
          "a topic was deleted and made anew: the log is now %s, it was %s"
              .formatted(kafka.identity(), identity));
    }
  }

  private final class Appender implements PartitionAppender {
    private final LogPartition partition;
    private final FakePartition log;
    private final int epoch;
    private boolean usable = true;

    Appender(LogPartition partition, FakePartition log, int epoch) {
      this.partition = partition;
      this.log = log;
      this.epoch = epoch;
    }

    @Override
    public LogPartition partition() {
      return partition;
    }

    @Override
    public void append(List<LogEvent> events) {
      Layout.requireHere(partitioning, partition, events);
      kafka.lock.lock();
      try {
        if (!usable) {
          throw new IllegalStateException("appender of " + partition + " is closed");
        }
        requireReachable(Outcome.KNOWN_FAILED, "append to " + partition);
        if (!log.isCurrent(epoch)) {
          usable = false;
          throw new FencedException(partition, new IllegalStateException("epoch " + epoch));
        }
        var fault = nextFault.getAndSet(Optional.empty());
        if (fault.isEmpty()) {
          kafka.commit(partition, events);
          return;
        }
        switch (fault.get()) {
          case REFUSED ->
              throw new GatewayException(Outcome.KNOWN_FAILED, "append refused on request");
          case UNKNOWN_WRITTEN -> {
            kafka.commit(partition, events);
            usable = false;
            throw new GatewayException(Outcome.UNKNOWN, "append unknown on request");
          }
          case UNKNOWN_NOT_WRITTEN -> {
            usable = false;
            throw new GatewayException(Outcome.UNKNOWN, "append unknown on request");
          }
        }
      } finally {
        kafka.lock.unlock();
      }
    }

    @Override
    public void close() {
      kafka.lock.lock();
      try {
        usable = false;
      } finally {
        kafka.lock.unlock();
      }
    }
  }
}
