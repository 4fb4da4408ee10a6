package io.fairlead.eventlog.acks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AckPublisherTest {
  private static final Duration NEVER = Duration.ofHours(1);

  /** Keeps what is written, and can fail. */
  private static final class Topic implements AckTopic {
    final List<Acknowledgement> written = new CopyOnWriteArrayList<>();
    volatile boolean away;
    volatile CountDownLatch gate = new CountDownLatch(0);

    @Override
    public void publish(Collection<Acknowledgement> words) {
      try {
        gate.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new GatewayException(Outcome.UNKNOWN, "interrupted", e);
      }
      if (away) {
        throw new GatewayException(Outcome.KNOWN_FAILED, "away");
      }
      written.addAll(words);
    }

    @Override
    public AutoCloseable read(Listener listener) {
      throw new UnsupportedOperationException();
    }
  }

  private final Topic topic = new Topic();

  private AckPublisher publisher(Duration spacing, Duration refresh) {
    return AckPublisher.start(
        topic, new AckPublisher.Settings(spacing, 2, refresh, Duration.ofMillis(1)), Time.system());
  }

  private static Acknowledgement word(String node, long session, long sequence) {
    return Acknowledgement.ofNode(
        node, session, sequence, Optional.empty(), "said " + sequence, List.of());
  }

  @Test
  void ofWhatIsSaidWhileItWritesOnlyTheLastWordOfEachIsWritten() {
    topic.gate = new CountDownLatch(1);
    try (var publisher = publisher(Duration.ofNanos(1), NEVER)) {
      for (int sequence = 1; sequence <= 1000; sequence++) {
        publisher.say(word("a", 1, sequence));
        publisher.say(word("b", 1, sequence));
      }
      topic.gate.countDown();
      await()
          .until(() -> topic.written.containsAll(List.of(word("a", 1, 1000), word("b", 1, 1000))));
      assertThat(topic.written).hasSizeLessThanOrEqualTo(4);
    }
  }

  @Test
  void whatSaysNothingNewIsNotWritten() {
    try (var publisher = publisher(Duration.ofNanos(1), NEVER)) {
      publisher.say(word("a", 1, 1));
      await().until(() -> topic.written.size() == 1);
      publisher.say(
          Acknowledgement.ofNode("a", 1, 2, Optional.empty(), "said 1", List.of())); // the same
      publisher.say(word("b", 1, 1));
      await().until(() -> topic.written.contains(word("b", 1, 1)));
      assertThat(topic.written).hasSize(2);
    }
  }

  @Test
  void aNodeMayNotSpeakMoreOftenThanTheSpacing() {
    try (var publisher = publisher(NEVER.dividedBy(2), NEVER)) {
      publisher.say(word("a", 1, 1));
      await().until(() -> topic.written.size() == 1);
      publisher.say(word("a", 1, 2)); // in half an hour
      publisher.say(word("b", 1, 1));
      await().until(() -> topic.written.contains(word("b", 1, 1)));
      assertThat(topic.written).containsExactly(word("a", 1, 1), word("b", 1, 1));
    }
  }

  @Test
  void everythingIsSaidAgainAfterAWhileUnlessItsMemberLeft() {
    try (var publisher = publisher(Duration.ofNanos(1), Duration.ofMillis(5))) {
      publisher.say(word("a", 1, 1));
      publisher.say(word("b", 1, 1));
      await().until(() -> times("a") >= 3 && times("b") >= 3);
      publisher.forget(new Member(Role.NODE, "a"), 1);
      publisher.forget(new Member(Role.NODE, "b"), 0); // another session
      int left = times("a");
      int stayed = times("b");
      await().until(() -> times("b") >= stayed + 3);
      assertThat(times("a")).isLessThanOrEqualTo(left + 1); // one may have been under way
    }
  }

  private int times(String node) {
    return (int) topic.written.stream().filter(w -> w.member().name().equals(node)).count();
  }

  @Test
  void whatCouldNotBeWrittenIsWrittenLaterAsItIsThen() {
    topic.away = true;
    try (var publisher = publisher(Duration.ofNanos(1), NEVER)) {
      publisher.say(word("a", 1, 1));
      await().until(() -> publisher.failures() > 1);
      publisher.say(word("a", 1, 2));
      topic.away = false;
      await().until(() -> topic.written.contains(word("a", 1, 2)));
    }
  }

  @Test
  void anOlderSessionIsNotHeard() {
    try (var publisher = publisher(Duration.ofNanos(1), NEVER)) {
      publisher.say(word("a", 2, 1));
      publisher.say(word("a", 1, 5));
      publisher.say(word("b", 1, 1));
      await().until(() -> topic.written.contains(word("b", 1, 1)));
      assertThat(topic.written).containsExactlyInAnyOrder(word("a", 2, 1), word("b", 1, 1));
    }
  }
}
