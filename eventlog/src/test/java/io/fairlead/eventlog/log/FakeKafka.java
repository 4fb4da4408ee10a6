package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.EventCodec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A log in memory that several clients share, with transactions, fencing, markers that take
 * offsets, and faults on request. Its contents survive every fault that Kafka's would. Thread-safe.
 */
public final class FakeKafka {
  /** Guards everything below and in {@link FakePartition}; signalled at every change. */
  final ReentrantLock lock = new ReentrantLock();

  final Condition changed = lock.newCondition();
  private final Time time;
  private final Partitioning partitioning;
  private final Map<LogPartition, FakePartition> partitions = new HashMap<>();
  private final Map<Topic, Integer> generations = new EnumMap<>(Topic.class);
  private final Set<FakeEventLog> cutOff = new HashSet<>();

  /** Written words in order, as bytes; the last of each member is enough. */
  final List<byte[]> acks = new ArrayList<>();

  /** How often the topic of acknowledgements was lost. */
  int acksLost;

  private boolean acksAway;
  private boolean down;
  private boolean holding;
  private int clients;

  public FakeKafka(Time time, Partitioning partitioning) {
    this.time = time;
    this.partitioning = partitioning;
    for (var topic : Topic.values()) {
      create(topic);
    }
  }

  /** With 16 partitions for Pods. */
  public FakeKafka(Time time) {
    this(time, new Partitioning(16));
  }

  Instant now() {
    return time.now();
  }

  /** Another client of this log. */
  public FakeEventLog connect() {
    lock.lock();
    try {
      return new FakeEventLog(this, partitioning, identity(), ++clients);
    } finally {
      lock.unlock();
    }
  }

  /** Nobody reaches it any more. What is in it stays. */
  public void stop() {
    change(() -> down = true);
  }

  public void start() {
    change(() -> down = false);
  }

  /** One client does not reach it any more. */
  public void cutOff(FakeEventLog client) {
    change(() -> cutOff.add(client));
  }

  public void rejoin(FakeEventLog client) {
    change(() -> cutOff.remove(client));
  }

  /**
   * From now on commits are acknowledged, but nobody reads the records until {@link #showCommits}:
   * what Kafka does for some milliseconds.
   */
  public void hideCommits() {
    change(() -> holding = true);
  }

  public void showCommits() {
    change(() -> {
      holding = false;
      partitions.values().forEach(FakePartition::show);
    });
  }

  /**
   * A transaction of whoever owns the partition now, begun and never ended; the next appender
   * aborts it.
   */
  public void leaveOpen(LogPartition partition, List<LogEvent> events) {
    change(() -> partition(partition).append(written(partition, events), time.now()));
  }

  /** The topic is deleted and made anew, empty: another log. */
  public void recreate(Topic topic) {
    change(() -> create(topic));
  }

  /** The topic of acknowledgements is deleted; whoever needs it makes it anew. */
  public void loseAcks() {
    change(() -> {
      acks.clear();
      acksLost++;
    });
  }

  /** Nobody can write or read acknowledgements any more, though all else goes on. */
  public void stopAcks() {
    change(() -> acksAway = true);
  }

  public void startAcks() {
    change(() -> acksAway = false);
  }

  /** With the lock held. */
  boolean reachesAcks(FakeEventLog client) {
    return reaches(client) && !acksAway;
  }

  /** As Kafka's DeleteRecords: the log begins at that offset. */
  public void deleteRecordsBefore(LogPartition partition, long offset) {
    change(() -> partition(partition).deleteBefore(offset));
  }

  /** As brokers that lose power, or that are restored from a backup: the end is gone. */
  public void loseFrom(LogPartition partition, long offset) {
    change(() -> partition(partition).loseFrom(offset));
  }

  /** Keeps the last committed record of each key only; tombstones go as well. Offsets stay. */
  public void compact(LogPartition partition) {
    change(() -> partition(partition).compact());
  }

  /** Everything that is committed and readable, in order. */
  public List<LogEntry> committed(LogPartition partition) {
    lock.lock();
    try {
      var log = partition(partition);
      return log.read(log.start(), Integer.MAX_VALUE).entries();
    } finally {
      lock.unlock();
    }
  }

  LogIdentity identity() {
    return new LogIdentity(
        "services-" + generations.get(Topic.SERVICES), "pods-" + generations.get(Topic.PODS));
  }

  boolean reaches(FakeEventLog client) {
    return !down && !cutOff.contains(client);
  }

  FakePartition partition(LogPartition partition) {
    var log = partitions.get(partition);
    if (log == null) {
      throw new IllegalArgumentException("no partition " + partition);
    }
    return log;
  }

  /** Appends and commits. */
  void commit(LogPartition partition, List<LogEvent> events) {
    change(() -> {
      var log = partition(partition);
      log.append(written(partition, events), time.now());
      log.commit();
      if (!holding) {
        log.show();
      }
    });
  }

  /**
   * What the events become by being written and read: a fake that kept the objects would keep what
   * no codec can write.
   */
  private static List<LogEvent> written(LogPartition partition, List<LogEvent> events) {
    var written = new ArrayList<LogEvent>();
    for (var event : events) {
      var record = EventCodec.encode(partition, event);
      written.add(EventCodec.decode(record.key(), record.value()).orElseThrow());
    }
    return written;
  }

  private void create(Topic topic) {
    generations.merge(topic, 1, Integer::sum);
    for (int i = 0; i < partitioning.partitions(topic); i++) {
      var partition = new LogPartition(topic, i);
      partitions.put(partition, new FakePartition(partition));
    }
  }

  private void change(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
