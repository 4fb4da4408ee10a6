package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One partition of {@link FakeKafka}, guarded by its lock. */
final class FakePartition {
  /** HIDDEN: committed, but its marker is not readable yet. */
  private enum State {
    OPEN,
    HIDDEN,
    COMMITTED,
    ABORTED
  }

  private static final class Transaction {
    private State state = State.OPEN;
    private final long first;

    Transaction(long first) {
      this.first = first;
    }
  }

  private record Data(LogEntry entry, Transaction transaction) {}

  /**
   * @param next offset after everything that was looked at
   */
  record Read(List<LogEntry> entries, long next) {}

  private final LogPartition partition;
  private final TreeMap<Long, Data> records = new TreeMap<>();
  private final List<Transaction> unfinished = new ArrayList<>();
  private long start;
  private long end;
  private int epoch;

  FakePartition(LogPartition partition) {
    this.partition = partition;
  }

  /** A new writer: aborts what the one before left open. */
  int fence() {
    finish(State.OPEN, State.ABORTED);
    return ++epoch;
  }

  boolean isCurrent(int writer) {
    return writer == epoch;
  }

  void append(List<LogEvent> events, Instant now) {
    var transaction = new Transaction(end);
    unfinished.add(transaction);
    for (var event : events) {
      records.put(end, new Data(new LogEntry(partition, end, now, event), transaction));
      end++;
    }
  }

  void commit() {
    finish(State.OPEN, State.HIDDEN);
  }

  void show() {
    finish(State.HIDDEN, State.COMMITTED);
  }

  private void finish(State from, State to) {
    for (var transaction : unfinished) {
      if (transaction.state == from) {
        transaction.state = to;
        if (from == State.OPEN) {
          end++; // the marker
        }
      }
    }
    unfinished.removeIf(t -> t.state == State.COMMITTED || t.state == State.ABORTED);
  }

  long start() {
    return start;
  }

  long end() {
    return end;
  }

  /** The last stable offset. */
  long stableEnd() {
    return unfinished.isEmpty() ? end : unfinished.getFirst().first;
  }

  /** Whether a reader may stand there. */
  boolean holds(long offset) {
    return offset >= start && offset <= end;
  }

  Read read(long from, int most) {
    var entries = new ArrayList<LogEntry>();
    long stable = stableEnd();
    for (var data : records.subMap(from, Math.max(from, stable)).values()) {
      if (entries.size() == most) {
        return new Read(entries, data.entry().offset());
      }
      if (data.transaction().state == State.COMMITTED) {
        entries.add(data.entry());
      }
    }
    return new Read(entries, Math.max(from, stable));
  }

  void loseFrom(long offset) {
    records.tailMap(offset).clear();
    end = Math.min(end, offset);
  }

  void deleteBefore(long offset) {
    start = Math.max(start, Math.min(offset, end));
    records.headMap(start).clear();
  }

  void compact() {
    Map<ObjectKey, Long> latest = new HashMap<>();
    long stable = stableEnd();
    for (var data : records.headMap(stable).values()) {
      if (data.transaction().state == State.COMMITTED) {
        latest.put(data.entry().event().key(), data.entry().offset());
      }
    }
    records
        .headMap(stable)
        .values()
        .removeIf(data ->
            data.entry().event() instanceof LogEvent.Tombstone
                || !Long.valueOf(data.entry().offset())
                    .equals(latest.get(data.entry().event().key())));
  }
}
