package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.decider.RequestMemory.Limits;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class RequestMemoryTest {
  private static final LogPartition S = LogPartition.SERVICES;
  private static final String HASH = "0123456789abcdef".repeat(4);
  private final RequestMemory memory = new RequestMemory(new Limits(3, 1_000_000));

  private LogEntry add(long offset, Duration after, String id) {
    return add(memory, S, offset, after, id);
  }

  private static LogEntry add(
      RequestMemory memory, LogPartition partition, long offset, Duration after, String id) {
    var envelope =
        new Envelope(
            TestObjects.uid("event-" + offset),
            TestObjects.NOON,
            "user:alice",
            Optional.of(new RequestStamp(id, HASH)),
            Optional.empty(),
            Optional.empty());
    var entry =
        new LogEntry(
            partition,
            offset,
            TestObjects.NOON.plus(after),
            new LogEvent.Stored(TestObjects.service("s" + offset, "10.96.0.1"), envelope));
    memory.add(entry);
    return entry;
  }

  @Test
  void theFirstRecordOfADecisionIsRemembered() {
    var first = add(1, Duration.ZERO, "a");
    add(2, Duration.ZERO, "a");
    var remembered = memory.find(S, "user:alice", "a").orElseThrow();
    assertThat(remembered.first()).isEqualTo(first);
    assertThat(remembered.payloadHash()).isEqualTo(HASH);
  }

  /** As a replica does that goes on from what it kept. */
  @Test
  void whoIsGivenItsEntriesRemembersTheSame() {
    add(1, Duration.ZERO, "a");
    add(2, Duration.ZERO, "a");
    var other = LogPartition.NODES;
    add(memory, other, 5, Duration.ofMinutes(3), "b");
    var again = new RequestMemory(new Limits(3, 1_000_000));
    memory.entries().forEach(entry -> again.add(entry.decode().orElseThrow()));
    assertThat(again.size()).isEqualTo(2);
    for (var id : List.of("a", "b")) {
      var partition = id.equals("a") ? S : other;
      var before = memory.find(partition, "user:alice", id).orElseThrow();
      var after = again.find(partition, "user:alice", id).orElseThrow();
      assertThat(after.first()).isEqualTo(before.first());
      assertThat(after.payloadHash()).isEqualTo(before.payloadHash());
    }
    assertThat(again.find(S, "user:alice", "a").orElseThrow().first().offset()).isEqualTo(1);
  }

  @Test
  void othersAreNotFound() {
    add(1, Duration.ZERO, "a");
    assertThat(memory.find(S, "user:bob", "a")).isEmpty();
    assertThat(memory.find(S, "user:alice", "b")).isEmpty();
    assertThat(memory.find(LogPartition.NODES, "user:alice", "a")).isEmpty();
  }

  @Test
  void anHourOfLogTimeIsKept() {
    add(1, Duration.ZERO, "a");
    add(2, Duration.ofHours(1), "b");
    assertThat(memory.find(S, "user:alice", "a")).isPresent();
    var again = add(3, Duration.ofHours(1).plusMillis(1), "a");
    assertThat(memory.find(S, "user:alice", "a").orElseThrow().first()).isEqualTo(again);
  }

  @Test
  void neverMoreThanItsLimitAndTheOldestGoFirst() {
    for (int i = 1; i <= 5; i++) {
      add(i, Duration.ZERO, "id-" + i);
    }
    assertThat(memory.size()).isEqualTo(3);
    assertThat(memory.find(S, "user:alice", "id-2")).isEmpty();
    assertThat(memory.find(S, "user:alice", "id-3")).isPresent();
    assertThat(memory.forgottenEarly()).isEqualTo(2);
  }

  @Test
  void whatIsForgottenInTimeIsNotCounted() {
    add(1, Duration.ZERO, "a");
    add(2, Duration.ofHours(2), "b");
    assertThat(memory.size()).isEqualTo(1);
    assertThat(memory.forgottenEarly()).isZero();
  }

  @Test
  void neverMoreBytesThanTheLimitAndWhoHasMostForgetsFirst() {
    var small = new RequestMemory(new Limits(1000, 20_000));
    var quiet = new LogPartition(Topic.PODS, 3);
    add(small, quiet, 1, Duration.ZERO, "quiet");
    for (int i = 0; i < 1000; i++) {
      add(small, S, i, Duration.ZERO, "id-" + i);
    }
    assertThat(small.size()).isBetween(10, 60);
    assertThat(small.forgottenEarly()).isEqualTo(1001 - small.size());
    assertThat(small.find(quiet, "user:alice", "quiet")).isPresent();
    assertThat(small.find(S, "user:alice", "id-999")).isPresent();
    // what is forgotten gives its bytes back
    add(small, S, 2000, Duration.ofHours(2), "later");
    add(small, quiet, 2000, Duration.ofHours(2), "later");
    assertThat(small.size()).isEqualTo(2);
    long before = small.forgottenEarly();
    for (int i = 0; i < 8; i++) {
      add(small, S, 3000 + i, Duration.ofHours(2), "new-" + i);
    }
    assertThat(small.forgottenEarly()).isEqualTo(before);
  }

  @Test
  void tombstonesAndRecordsWithoutRequestAreNothingToRemember() {
    memory.add(
        new LogEntry(
            S,
            1,
            TestObjects.NOON,
            new LogEvent.Tombstone(TestObjects.service("web", "10.96.0.1").key())));
    assertThat(memory.size()).isZero();
  }
}
