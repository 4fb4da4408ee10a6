package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which requests were decided in the last hour of log time, by actor and id. Derived wholly from
 * the log and filled on every replica, so that a new owner knows what the old one answered. Bounded
 * in count too: beyond that the oldest are forgotten earlier. Thread-safe.
 */
final class RequestMemory {
  static final Duration KEPT = Duration.ofHours(1);

  /** How one request ended: the record of its decision's first change. */
  record Remembered(String payloadHash, LogEntry first) {}

  private record Key(String actor, String id) {}

  private final int limit;

  /** Guards {@link #byPartition}. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<LogPartition, Requests> byPartition = new HashMap<>();

  /** In log order, so that the oldest come first. */
  private static final class Requests {
    final LinkedHashMap<Key, Remembered> requests = new LinkedHashMap<>();
    Instant newest = Instant.MIN;
  }

  /**
   * Remembers nothing yet.
   *
   * @param limit for each partition
   */
  RequestMemory(int limit) {
    this.limit = limit;
  }

  void add(LogEntry entry) {
    lock.lock();
    try {
      var partition = byPartition.computeIfAbsent(entry.partition(), _ -> new Requests());
      if (entry.timestamp().isAfter(partition.newest)) {
        partition.newest = entry.timestamp();
      }
      forget(partition);
      envelope(entry.event())
          .ifPresent(envelope ->
              envelope.request().ifPresent(stamp -> remember(partition, entry, envelope, stamp)));
    } finally {
      lock.unlock();
    }
  }

  private void remember(Requests partition, LogEntry entry, Envelope envelope, RequestStamp stamp) {
    var key = new Key(envelope.actor(), stamp.id());
    // later records of the same decision do not replace the first
    partition.requests.putIfAbsent(key, new Remembered(stamp.payloadHash(), entry));
    if (partition.requests.size() > limit) {
      partition.requests.pollFirstEntry();
    }
  }

  private static void forget(Requests partition) {
    var before = partition.newest.minus(KEPT);
    while (!partition.requests.isEmpty()
        && partition.requests.firstEntry().getValue().first().timestamp().isBefore(before)) {
      partition.requests.pollFirstEntry();
    }
  }

  Optional<Remembered> find(LogPartition partition, String actor, String id) {
    lock.lock();
    try {
      var requests = byPartition.get(partition);
      return requests == null
          ? Optional.empty()
          : Optional.ofNullable(requests.requests.get(new Key(actor, id)));
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return byPartition.values().stream().mapToInt(p -> p.requests.size()).sum();
    } finally {
      lock.unlock();
    }
  }

  static Optional<Envelope> envelope(LogEvent event) {
    return switch (event) {
      case LogEvent.Stored(_, var envelope) -> Optional.of(envelope);
      case LogEvent.Deleted(_, _, var envelope) -> Optional.of(envelope);
      case LogEvent.Tombstone _ -> Optional.empty();
    };
  }
}
