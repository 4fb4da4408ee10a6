package io.fairlead.core.image;

import static io.fairlead.core.image.TestObjects.deleted;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.ready;
import static io.fairlead.core.image.TestObjects.reservation;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.serviceCidr;
import static io.fairlead.core.image.TestObjects.slice;
import static io.fairlead.core.image.TestObjects.stored;
import static io.fairlead.core.image.TestObjects.unready;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ClusterDeltaTest {
  private static final Partitioning PARTITIONING = new Partitioning(3);

  private static ClusterImage replay(List<LogEntry> log) {
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    log.forEach(delta::replay);
    return delta.apply();
  }

  @Test
  void createdThenDeletedLeavesNoTrace() {
    var service = service("a", "10.96.0.1");
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    delta.replay(stored(LogPartition.SERVICES, 1, service));
    delta.replay(deleted(LogPartition.SERVICES, 2, service));
    delta.replay(tombstone(LogPartition.SERVICES, 3, service.key()));
    assertThat(delta.isEmpty()).isTrue();
    assertThat(delta.apply()).isEqualTo(ClusterImage.EMPTY);
    var between = TestObjects.image(service);
    assertThat(TestObjects.deletion(between, service).apply()).isEqualTo(ClusterImage.EMPTY);
  }

  @Test
  void tellsWhatChanged() {
    var pod = pod("p", "a", "node-a", "10.244.0.1");
    var delta =
        TestObjects.delta(
            ClusterImage.EMPTY,
            service("a", "10.96.0.1"),
            ready(pod),
            node("node-a", Optional.empty()),
            serviceCidr("default", "10.96.0.0/16"));
    assertThat(delta.services()).containsExactly(TestObjects.name("a"));
    assertThat(delta.pods()).containsExactly(TestObjects.name("p"));
    assertThat(delta.nodes()).containsExactly("node-a");
    assertThat(delta.serviceCidrs()).containsExactly("default");
    assertThat(delta.keys()).hasSize(4);
    assertThat(delta.stored(pod.key())).isEmpty();
    assertThat(delta.stored(ready(pod).key())).isPresent();
  }

  @Test
  void theDigestOfAPartitionIsTheSumOverItsObjects() {
    var a = service("a", "10.96.0.1");
    var b = service("b", "10.96.0.2");
    var image = TestObjects.image(a, b, service("a", "10.96.0.3"));
    assertThat(image.digest(LogPartition.SERVICES))
        .isEqualTo(Digest.of(b).plus(Digest.of(service("a", "10.96.0.3"))));
    assertThat(image.objects(LogPartition.SERVICES)).isEqualTo(2);
    assertThat(image.digest(LogPartition.NODES)).isEqualTo(Digest.ZERO);
  }

  private static LogEntry tombstone(LogPartition partition, long offset, ObjectKey key) {
    return new LogEntry(partition, offset, TestObjects.NOON, new LogEvent.Tombstone(key));
  }

  /**
   * Image = f(latest record of each key), whatever was between, in which order keys arrive, and how
   * events are batched.
   */
  @RepeatedTest(20)
  void isAFunctionOfTheLatestRecordOfEachKey() {
    long seed = System.nanoTime();
    System.out.println("ClusterDeltaTest seed " + seed);
    var random = new Random(seed);
    var log = randomLog(random, 300);
    var image = replay(log);

    assertThat(replay(compacted(log))).as("compacted, seed %s", seed).isEqualTo(image);
    assertThat(replay(shuffledAcrossKeys(log, random)))
        .as("shuffled, seed %s", seed)
        .isEqualTo(image);
    assertThat(replay(shuffledAcrossKeys(compacted(log), random)))
        .as("compacted and shuffled, seed %s", seed)
        .isEqualTo(image);

    var batched = ClusterImage.EMPTY;
    for (int at = 0; at < log.size(); ) {
      int end = Math.min(log.size(), at + 1 + random.nextInt(20));
      var delta = new ClusterDelta(batched);
      log.subList(at, end).forEach(delta::replay);
      batched = delta.apply();
      at = end;
    }
    assertThat(batched).as("batched, seed %s", seed).isEqualTo(image);

    var fresh = new TreeMap<LogPartition, Digest>();
    latest(log)
        .values()
        .forEach(entry -> {
          if (entry.event() instanceof LogEvent.Stored(var object, _)) {
            fresh.merge(entry.partition(), Digest.of(object), Digest::plus);
          }
        });
    for (var partition : fresh.keySet()) {
      assertThat(image.digest(partition))
          .as("digest, seed %s", seed)
          .isEqualTo(fresh.get(partition));
    }
  }

  private static List<LogEntry> randomLog(Random random, int length) {
    var next = new HashMap<LogPartition, Long>();
    var log = new ArrayList<LogEntry>();
    for (int i = 0; i < length; i++) {
      var object = randomObject(random);
      var partition = PARTITIONING.of(object.key());
      long offset = next.merge(partition, 1L, Long::sum) - 1;
      if (random.nextInt(3) > 0) {
        log.add(stored(partition, offset, object));
      } else {
        log.add(deleted(partition, offset, object));
        if (random.nextBoolean()) {
          log.add(tombstone(partition, next.merge(partition, 1L, Long::sum) - 1, object.key()));
        }
      }
    }
    return log;
  }

  private static DomainObject randomObject(Random random) {
    var letter = "" + (char) ('a' + random.nextInt(6));
    return switch (random.nextInt(8)) {
      case 0 -> {
        var service = service(letter, "10.96.0." + (1 + random.nextInt(3)));
        yield with(
            service, s -> random.nextBoolean() ? s.selector(Map.of("app", letter, "x", "y")) : s);
      }
      case 1 -> randomPod(random, letter);
      case 2 -> {
        var pod = randomPod(random, letter);
        yield random.nextBoolean() ? ready(pod) : unready(pod);
      }
      case 3 -> node(letter, Optional.of("zone-" + random.nextInt(3)));
      case 4 -> serviceCidr(letter, "10." + random.nextInt(3) + ".0.0/16");
      case 5 -> reservation(letter, "10.96.0." + (1 + random.nextInt(3)));
      case 6 -> slice(letter, "s" + random.nextInt(3), "192.0.2." + (1 + random.nextInt(3)));
      default ->
          new PartitionHeader(
              new LogPartition(Topic.PODS, random.nextInt(3)),
              3,
              "murmur2",
              new UUID(1, random.nextInt(2)));
    };
  }

  private static Pod randomPod(Random random, String letter) {
    return pod(
        letter,
        "app" + random.nextInt(3),
        "node-" + random.nextInt(3),
        "10.244.0." + (1 + random.nextInt(250)));
  }

  private static Map<ObjectKey, LogEntry> latest(List<LogEntry> log) {
    var latest = new LinkedHashMap<ObjectKey, LogEntry>();
    for (var entry : log) {
      latest.remove(entry.event().key());
      latest.put(entry.event().key(), entry);
    }
    return latest;
  }

  private static List<LogEntry> compacted(List<LogEntry> log) {
    return List.copyOf(latest(log).values());
  }

  /** Another order that keeps the order within each key. */
  private static List<LogEntry> shuffledAcrossKeys(List<LogEntry> log, Random random) {
    var byKey = new LinkedHashMap<ObjectKey, List<LogEntry>>();
    for (var entry : log) {
      byKey.computeIfAbsent(entry.event().key(), _ -> new ArrayList<>()).add(entry);
    }
    var order = new ArrayList<>(log.stream().map(e -> e.event().key()).toList());
    Collections.shuffle(order, random);
    var shuffled = new ArrayList<LogEntry>();
    for (var key : order) {
      shuffled.add(byKey.getOrDefault(key, List.of()).removeFirst());
    }
    return shuffled;
  }
}
