package io.fairlead.bench;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.log.EventLog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/**
 * A log in memory: Services of one namespace, Pods of each with a probe, and what their nodes say
 * of them. Made by one thread, then read only.
 */
final class StreamsLog {
  /** What a follower hands over at once when it is behind. */
  static final int BATCH = 2_000;

  private static final Partitioning PARTITIONING = new Partitioning(16);

  /** The partition of all Pods. */
  static final LogPartition PODS = PARTITIONING.ofNamespace(ObjectName.DEFAULT_NAMESPACE);

  /** A record as Kafka has it. */
  private static final class Raw {
    private final LogPartition partition;
    private final long offset;
    private final byte[] key;
    private final byte[] value;

    Raw(LogPartition partition, long offset, byte[] key, byte[] value) {
      this.partition = partition;
      this.offset = offset;
      this.key = key;
      this.value = value;
    }

    LogEvent event(EventCodec.Decoder decoder) {
      return decoder.decode(key, value).orElseThrow();
    }
  }

  private final int nodes;
  private final List<Raw> records = new ArrayList<>();
  private final List<Pod> pods = new ArrayList<>();
  private final SortedMap<LogPartition, Long> next = new TreeMap<>();

  /** With the Pods spread over {@code node-0} to {@code node-(nodes - 1)}. */
  StreamsLog(int services, int podsOfEach, int nodes) {
    this.nodes = nodes;
    add(TestObjects.serviceCidr("default", "10.96.0.0/12"));
    for (int s = 0; s < services; s++) {
      var name = "service-" + s;
      add(TestObjects.service(name, address(10 << 24 | 96 << 16, s + 1)));
      for (int p = 0; p < podsOfEach; p++) {
        int number = s * podsOfEach + p;
        var pod =
            TestObjects.probed(
                TestObjects.pod(
                    name + "-" + p,
                    name,
                    "node-" + number % nodes,
                    address(10 << 24 | 128 << 16, number + 1)));
        add(pod);
        add(TestObjects.ready(pod));
        pods.add(pod);
      }
    }
  }

  private static String address(int base, int number) {
    int bits = base + number;
    return "%d.%d.%d.%d".formatted(bits >>> 24, bits >>> 16 & 0xff, bits >>> 8 & 0xff, bits & 0xff);
  }

  private void add(DomainObject object) {
    var entry = entry(object);
    records.add(
        new Raw(
            entry.partition(),
            entry.offset(),
            entry.event().key().toString().getBytes(StandardCharsets.UTF_8),
            EventCodec.value(entry.event()).orElseThrow()));
  }

  private LogEntry entry(DomainObject object) {
    var partition = PARTITIONING.of(object.key());
    long offset = next.merge(partition, 1L, Long::sum) - 1;
    return TestObjects.stored(partition, offset, object);
  }

  int size() {
    return records.size();
  }

  /** Those of one node. */
  List<Pod> podsOn(int node) {
    var found = new ArrayList<Pod>();
    for (int i = node; i < pods.size(); i += nodes) {
      found.add(pods.get(i));
    }
    return found;
  }

  /** Appends all records, each partition with its header first. */
  void append(EventLog log) {
    var decoder = new EventCodec.Decoder();
    for (var partition : new TreeSet<>(List.of(LogPartition.SERVICES, PODS))) {
      var events = new ArrayList<LogEvent>();
      events.add(
          TestObjects.stored(
                  partition,
                  0,
                  new PartitionHeader(
                      partition,
                      PARTITIONING.partitions(partition.topic()),
                      Partitioning.HASH,
                      TestObjects.uid(partition.toString())))
              .event());
      for (var raw : records) {
        if (raw.partition.equals(partition)) {
          events.add(raw.event(decoder));
        }
      }
      try (var appender = log.openAppender(partition)) {
        for (int from = 0; from < events.size(); from += BATCH) {
          appender.append(events.subList(from, Math.min(events.size(), from + BATCH)));
        }
      }
    }
  }

  /**
   * Appends what nodes say of their Pods, unready and ready in turn, over all Pods.
   *
   * @param told of what was appended so far
   */
  void appendFlips(EventLog log, int count, IntConsumer told) {
    try (var appender = log.openAppender(PODS)) {
      for (int from = 0; from < count; from += BATCH) {
        var events = new ArrayList<LogEvent>();
        for (int i = from; i < Math.min(count, from + BATCH); i++) {
          var pod = pods.get(i % pods.size());
          boolean ready = i / pods.size() % 2 == 1;
          events.add(entry(ready ? TestObjects.ready(pod) : TestObjects.unready(pod)).event());
        }
        appender.append(events);
        told.accept(from + events.size());
      }
    }
  }

  /** Told of each delta, as the loader tells. */
  @FunctionalInterface
  interface Reader {
    void onUpdate(ClusterDelta delta, ClusterImage image);
  }

  /** Decodes all records and applies them, as the loader does. The image at the end. */
  ClusterImage replay(Reader reader) {
    var decoder = new EventCodec.Decoder();
    var image = ClusterImage.EMPTY;
    for (int from = 0; from < records.size(); from += BATCH) {
      var delta = new ClusterDelta(image);
      for (var raw : records.subList(from, Math.min(records.size(), from + BATCH))) {
        var event = raw.event(decoder);
        delta.replay(new LogEntry(raw.partition, raw.offset, TestObjects.NOON, event));
      }
      image = delta.apply();
      reader.onUpdate(delta, image);
    }
    return image;
  }

  /** A Pod becomes unready, or ready again; one event after another, over all Pods in turn. */
  ClusterDelta flip(ClusterImage image, int number) {
    var pod = pods.get((int) (number * 7919L % pods.size()));
    boolean ready =
        image
            .pods()
            .readiness(pod.name())
            .map(said -> said.object().ready())
            .orElseThrow(() -> new IllegalStateException(pod.name() + " has no readiness"));
    PodReadiness said = ready ? TestObjects.unready(pod) : TestObjects.ready(pod);
    var delta = new ClusterDelta(image);
    delta.replay(entry(said));
    return delta;
  }
}
