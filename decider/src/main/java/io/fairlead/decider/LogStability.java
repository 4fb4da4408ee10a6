package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.ForeignLogException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether a transaction that somebody left open holds back all who follow a partition: the
 * last stable offset stands still below the end. One virtual thread, a look a second. Soft.
 */
public final class LogStability implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LogStability.class);
  private static final Duration EVERY = Duration.ofSeconds(1);

  /** For so long it may stand still: commits take milliseconds. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  /**
   * Where a partition stands still.
   *
   * @param stable the last stable offset
   * @param sinceNanos when it was first seen there, below the end
   */
  private record Standing(long stable, long sinceNanos, boolean told) {}

  private final EventLog eventLog;
  private final List<LogPartition> partitions;
  private final Time time;

  /** Of the thread that looks. */
  private final Map<LogPartition, Standing> standing = new HashMap<>();

  private final Thread thread = Thread.ofVirtual().name("log-stability").unstarted(this::run);
  private volatile int stuck;

  LogStability(EventLog eventLog, Collection<LogPartition> partitions, Time time) {
    this.eventLog = eventLog;
    this.partitions = List.copyOf(partitions);
    this.time = time;
  }

  /** Begins to look. */
  public static LogStability start(
      EventLog eventLog, Collection<LogPartition> partitions, Time time) {
    var stability = new LogStability(eventLog, partitions, time);
    stability.thread.start();
    return stability;
  }

  /** How many partitions stand still; an alarm where it is not 0. */
  public int stuck() {
    return stuck;
  }

  private void run() {
    try {
      while (true) {
        time.sleep(EVERY);
        try {
          look();
        } catch (RuntimeException e) { // a defect: the others go on, and so does this
          log.atError().setCause(e).log("The log's stability cannot be looked at; trying on");
        }
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  void look() {
    Map<LogPartition, Long> stable;
    Map<LogPartition, Long> behind;
    try {
      stable = eventLog.endOffsets(partitions); // first: behind it, later, is behind for as long
      behind = eventLog.unstable(partitions);
    } catch (GatewayException | ForeignLogException e) { // for others to tell; offsets stay
      log.atDebug().setCause(e).log("the log does not say how stable it is");
      return;
    }
    long now = time.nanoTime();
    int count = 0;
    for (var partition : partitions) {
      long offset = stable.getOrDefault(partition, 0L);
      long by = behind.getOrDefault(partition, 0L);
      var before = standing.get(partition);
      if (by == 0) {
        standing.remove(partition);
      } else if (before == null || before.stable != offset) {
        standing.put(partition, new Standing(offset, now, false));
      } else if (now - before.sinceNanos >= PATIENCE.toNanos()) {
        count++;
        if (!before.told) {
          standing.put(partition, new Standing(offset, before.sinceNanos, true));
          log.atWarn()
              .addKeyValue("event", "log.unstable")
              .addKeyValue("partition", partition)
              .addKeyValue("stable", offset)
              .addKeyValue("behind", by)
              .log("A transaction that is left open holds back who follows the log");
        }
      }
    }
    stuck = count;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
