package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.HostPort;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WaitingTest {
  private static final List<HostPort> NOWHERE = List.of(HostPort.of("127.0.0.1:1"));

  private final FakeTime time = new FakeTime();
  private final Session session =
      new Session(
          new Session.Settings(NOWHERE, NOWHERE, Duration.ofSeconds(30)),
          time,
          RandomSource.seeded(1));

  /** How much time each look had, where each takes some. */
  private List<Duration> looks(Duration patience, Duration each) {
    var looks = new ArrayList<Duration>();
    assertThat(
            Waiting.unmet(
                session,
                patience,
                in -> {
                  looks.add(in.settings().timeout());
                  time.advance(each);
                  return Optional.of("not yet");
                }))
        .contains("not yet");
    return looks;
  }

  @Test
  void aLookHasNoMoreTimeThanIsLeft() {
    assertThat(looks(Duration.ofSeconds(10), Duration.ofSeconds(10)))
        .containsExactly(Duration.ofSeconds(10));
    assertThat(looks(Duration.ofSeconds(50), Duration.ofSeconds(50)))
        .containsExactly(Duration.ofSeconds(30));
  }

  @Test
  void looksOnceWhereNoTimeIsLeft() {
    assertThat(looks(Duration.ofSeconds(-3), Duration.ofSeconds(1)))
        .containsExactly(Duration.ofMillis(500));
  }

  private CallFailedException unanswered() {
    time.advance(Duration.ofSeconds(6));
    return new CallFailedException(NOWHERE, Status.DEADLINE_EXCEEDED.asRuntimeException());
  }

  /** A last look that is only late is no news. */
  @Test
  void aShortSilenceAtTheEndIsNotTold() {
    var looks = new ArrayDeque<>(List.of("Pending"));
    var _ =
        Thread.ofVirtual()
            .start(() -> {
              await("it pauses").until(() -> time.sleepers() == 1);
              time.advance(Duration.ofSeconds(1));
            });
    assertThat(
            Waiting.unmet(
                session,
                Duration.ofSeconds(1),
                _ -> {
                  if (looks.isEmpty()) {
                    throw new CallFailedException(
                        NOWHERE, Status.DEADLINE_EXCEEDED.asRuntimeException());
                  }
                  return Optional.of(looks.remove());
                }))
        .contains("Pending");
  }

  @Test
  void whatWasSeenBeforeTheLastLookCountsWhereThatIsNotAnswered() {
    var looks = new ArrayDeque<>(List.of("Pending"));
    var _ =
        Thread.ofVirtual()
            .start(() -> {
              await("it pauses").until(() -> time.sleepers() == 1);
              time.advance(Duration.ofSeconds(1));
            });
    assertThat(
            Waiting.unmet(
                session,
                Duration.ofSeconds(5),
                _ -> {
                  if (looks.isEmpty()) {
                    throw unanswered();
                  }
                  return Optional.of(looks.remove());
                }))
        .contains(
            "Pending; since 2026-11-01T12:00:00Z nothing was answered: Error from server (Timeout): no answer from 127.0.0.1:1 in time");
    assertThatThrownBy(() ->
            Waiting.unmet(
                session,
                Duration.ofSeconds(5),
                _ -> {
                  throw unanswered();
                }))
        .isInstanceOf(CallFailedException.class);
  }
}
