package io.fairlead.decider;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.acks.AckTopic;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.eventlog.log.Follower;
import io.fairlead.eventlog.log.PartitionAppender;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** Lets a test act once at the worst moment: before fencing, or before the end is asked for. */
class HookedLog implements EventLog {
  private final EventLog log;
  private final AtomicBoolean fenced = new AtomicBoolean();
  private final AtomicBoolean ended = new AtomicBoolean();

  HookedLog(EventLog log) {
    this.log = log;
  }

  void beforeFencing() {}

  void beforeEnd() {}

  @Override
  public LogIdentity identity() {
    return log.identity();
  }

  @Override
  public Partitioning partitioning() {
    return log.partitioning();
  }

  @Override
  public PartitionAppender openAppender(LogPartition partition) {
    if (fenced.compareAndSet(false, true)) {
      beforeFencing();
    }
    return log.openAppender(partition);
  }

  @Override
  public Map<LogPartition, Long> endOffsets(Collection<LogPartition> partitions) {
    if (ended.compareAndSet(false, true)) {
      beforeEnd();
    }
    return log.endOffsets(partitions);
  }

  @Override
  public Instant completeSince() {
    return log.completeSince();
  }

  @Override
  public Map<LogPartition, Long> startOffsets(Collection<LogPartition> partitions) {
    return log.startOffsets(partitions);
  }

  @Override
  public Map<LogPartition, Long> unstable(Collection<LogPartition> partitions) {
    return log.unstable(partitions);
  }

  @Override
  public Follower follow(
      Collection<LogPartition> partitions, Position from, FollowListener listener) {
    return log.follow(partitions, from, listener);
  }

  @Override
  public AckTopic acks() {
    return log.acks();
  }

  @Override
  public void close() {
    log.close();
  }
}
