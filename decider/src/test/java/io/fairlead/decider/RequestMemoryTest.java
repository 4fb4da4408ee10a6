package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class RequestMemoryTest {
  private static final LogPartition S = LogPartition.SERVICES;
  private final RequestMemory memory = new RequestMemory(3);

  private LogEntry add(long offset, Duration after, String id) {
    var envelope =
        new Envelope(
            TestObjects.uid("event-" + offset),
            TestObjects.NOON,
            "user:alice",
            Optional.of(new RequestStamp(id, "00")),
            Optional.empty(),
            Optional.empty());
    var entry =
        new LogEntry(
            S,
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
    assertThat(memory.find(S, "user:alice", "a").orElseThrow().first()).isEqualTo(first);
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
