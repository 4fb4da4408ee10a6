package io.fairlead.decider;

import com.google.protobuf.UnsafeByteOperations;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.file.RawEntry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which requests were decided in the last hour of log time, by actor and id. Derived wholly from
 * the log and filled on every replica, so that a new owner knows what the old one answered. Bounded
 * in count for each partition and in bytes for all together: beyond that the oldest are forgotten
 * earlier, and counted. Thread-safe.
 */
final class RequestMemory {
  private static final Logger log = LoggerFactory.getLogger(RequestMemory.class);

  static final Duration KEPT = Duration.ofHours(1);

  /** What an entry takes besides text and record, roughly: map, key, this, headers of arrays. */
  private static final int OVERHEAD = 300;

  /**
   * How much is remembered.
   *
   * @param requests for each partition
   * @param bytes for all partitions together, roughly
   */
  record Limits(int requests, long bytes) {
    static final Limits DEFAULT = new Limits(100_000, 128L << 20);
  }

  /**
   * How one request ended: the record of its decision's first change, as the log has it. Decoded
   * only for whoever asks again: as an object it takes several times the space, and would keep what
   * the image has long replaced.
   */
  static final class Remembered {
    private final String payloadHash;
    private final LogPartition partition;
    private final long offset;
    private final Instant timestamp;
    private final byte[] key;
    private final byte[] value;

    private Remembered(String payloadHash, LogEntry entry) {
      this.payloadHash = payloadHash;
      this.partition = entry.partition();
      this.offset = entry.offset();
      this.timestamp = entry.timestamp();
      this.key = entry.event().key().toString().getBytes(StandardCharsets.UTF_8);
      this.value =
          EventCodec.value(entry.event())
              .orElseThrow(() -> new IllegalStateException("nobody asks for a tombstone"));
    }

    String payloadHash() {
      return payloadHash;
    }

    LogEntry first() {
      var event =
          EventCodec.decode(key, value)
              .orElseThrow(() -> new IllegalStateException("what was written here is known here"));
      return new LogEntry(partition, offset, timestamp, event);
    }
  }

  private record Key(String actor, String id) {}

  private final Limits limits;

  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<LogPartition, Requests> byPartition = new HashMap<>();
  private long bytes;
  private long forgottenEarly;

  /** In log order, so that the oldest come first. */
  private static final class Requests {
    final LinkedHashMap<Key, Remembered> requests = new LinkedHashMap<>();
    Instant newest = Instant.MIN;
    long bytes;
  }

  /** Remembers nothing yet. */
  RequestMemory(Limits limits) {
    this.limits = limits;
  }

  void add(LogEntry entry) {
    boolean firstLoss;
    lock.lock();
    try {
      long before = forgottenEarly;
      var partition = byPartition.computeIfAbsent(entry.partition(), _ -> new Requests());
      if (entry.timestamp().isAfter(partition.newest)) {
        partition.newest = entry.timestamp();
      }
      forget(partition);
      envelope(entry.event())
          .ifPresent(envelope ->
              envelope.request().ifPresent(stamp -> remember(partition, entry, envelope, stamp)));
      firstLoss = before == 0 && forgottenEarly > 0;
    } finally {
      lock.unlock();
    }
    if (firstLoss) {
      log.atWarn()
          .addKeyValue("event", "requests.forgotten.early")
          .addKeyValue("requests", limits.requests())
          .addKeyValue("bytes", limits.bytes())
          .addKeyValue("partition", entry.partition())
          .log("Requests are forgotten before their hour is over; counted from now on");
    }
  }

  private void remember(Requests partition, LogEntry entry, Envelope envelope, RequestStamp stamp) {
    var key = new Key(envelope.actor(), stamp.id());
    if (partition.requests.containsKey(key)) {
      return; // later records of the same decision do not replace the first
    }
    var remembered = new Remembered(stamp.payloadHash(), entry);
    partition.requests.put(key, remembered);
    count(partition, weight(key, remembered));
    if (partition.requests.size() > limits.requests()) {
      forgetEarly(partition);
    }
    while (bytes > limits.bytes()) {
      byPartition.values().stream()
          .max(Comparator.comparingLong(requests -> requests.bytes))
          .ifPresent(this::forgetEarly);
    }
  }

  private void forgetEarly(Requests partition) {
    forgetFirst(partition);
    forgottenEarly++;
  }

  private void forget(Requests partition) {
    var before = partition.newest.minus(KEPT);
    while (!partition.requests.isEmpty()
        && partition.requests.firstEntry().getValue().timestamp.isBefore(before)) {
      forgetFirst(partition);
    }
  }

  private void forgetFirst(Requests partition) {
    var first = partition.requests.pollFirstEntry();
    count(partition, -weight(first.getKey(), first.getValue()));
  }

  private void count(Requests partition, long more) {
    partition.bytes += more;
    bytes += more;
  }

  private static long weight(Key key, Remembered remembered) {
    return OVERHEAD
        + key.actor.length()
        + key.id.length()
        + remembered.payloadHash.length()
        + remembered.key.length
        + (long) remembered.value.length;
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

  /** All of it, each partition's in the order of the log: whoever adds them remembers the same. */
  List<RawEntry> entries() {
    var all = new ArrayList<Remembered>();
    lock.lock();
    try {
      byPartition.values().forEach(partition -> all.addAll(partition.requests.values()));
    } finally {
      lock.unlock();
    }
    var entries = new ArrayList<RawEntry>(all.size());
    for (var one : all) {
      entries.add(
          new RawEntry(
              one.partition,
              one.offset,
              one.timestamp,
              new String(one.key, StandardCharsets.UTF_8),
              Optional.of(UnsafeByteOperations.unsafeWrap(one.value))));
    }
    return entries;
  }

  int size() {
    lock.lock();
    try {
      return byPartition.values().stream().mapToInt(p -> p.requests.size()).sum();
    } finally {
      lock.unlock();
    }
  }

  /** How many had to be forgotten before their hour was over. */
  long forgottenEarly() {
    lock.lock();
    try {
      return forgottenEarly;
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
