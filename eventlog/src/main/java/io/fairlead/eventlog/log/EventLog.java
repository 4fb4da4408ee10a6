package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.acks.AckTopic;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;

/**
 * The log. Durable, shared by all replicas; this is a client of it. Thread-safe.
 *
 * <p>Every method may throw {@link io.fairlead.core.run.GatewayException}; whether an effect
 * happened stands in it.
 */
public interface EventLog extends AutoCloseable {
  /**
   * Which log this is: read once when it was opened. A topic that was made anew since is a {@link
   * ForeignLogException}.
   */
  LogIdentity identity();

  Partitioning partitioning();

  /**
   * Becomes the only writer of a partition: producers with the same transactional id that were
   * opened earlier are fenced, and what they left open is aborted, when this returns. Blocks.
   */
  PartitionAppender openAppender(LogPartition partition);

  /**
   * Makes a later {@link #openAppender} as quick as a second one, where the first one of a process
   * is slow. Writes nothing to the log and fences nobody. Blocks.
   */
  default void warmUp() {}

  /**
   * Next offsets a read_committed follower will have when it has read everything of the moment
   * (last stable offsets). Blocks.
   */
  Map<LogPartition, Long> endOffsets(Collection<LogPartition> partitions);

  /**
   * First offsets that are retained: what was below is gone. Above, an entry is missing where the
   * log was compacted. Blocks.
   */
  Map<LogPartition, Long> startOffsets(Collection<LogPartition> partitions);

  /**
   * Every entry that the log took since then is retained; of older ones, an entry is only there for
   * sure where no later one has its key.
   */
  Instant completeSince();

  /**
   * By how many offsets an open transaction keeps followers behind what is written; 0 where nothing
   * is open. A partition that stays above 0 for seconds has a writer that died or hangs. Blocks.
   */
  Map<LogPartition, Long> unstable(Collection<LogPartition> partitions);

  /**
   * Reads what is committed, in order within each partition, from {@code from} on; calls the
   * listener on one thread of its own until closed. Reconnects by itself; checks the log's identity
   * on every reconnect. Of the position only the components of these partitions matter; what is
   * applied names these partitions only.
   *
   * @param partitions which to read
   * @throws ForeignLogException the position is of another log
   */
  Follower follow(Collection<LogPartition> partitions, Position from, FollowListener listener);

  /** What members acknowledge: beside the log, not in it. Closed with the log. */
  AckTopic acks();

  @Override
  void close();
}
