package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class CommitHealthTest {
  /** Where a machine's monotonic clock may begin. */
  private static final long ORIGIN = -5_000_000_000_000L;

  private final CommitHealth health = new CommitHealth();

  private static long at(double seconds) {
    return ORIGIN + Math.round(seconds * Duration.ofSeconds(1).toNanos());
  }

  @Test
  void isNotHopelessAfterOneFailure() {
    health.failed(at(0), at(0));
    health.answered();
    assertThat(health.hopeless()).isFalse();
  }

  @Test
  void isHopelessWhenAttemptsFailedForThreeSeconds() {
    health.failed(at(0), at(0));
    health.failed(at(2), at(2));
    health.silent(at(2.9), at(2.9));
    assertThat(health.hopeless()).isFalse();
    health.silent(at(3), at(3));
    assertThat(health.hopeless()).isTrue();
  }

  @Test
  void countsTheTimeThatAttemptsTake() {
    health.failed(at(0), at(2));
    health.failed(at(2.5), at(3.5));
    assertThat(health.hopeless()).isTrue();
  }

  @Test
  void aCommitEndsTheTrouble() {
    health.failed(at(0), at(0));
    health.failed(at(2), at(2));
    health.worked();
    health.failed(at(4), at(4));
    assertThat(health.hopeless()).isFalse();
  }

  @Test
  void asksEverySecondUntilItIsAnswered() {
    assertThat(health.probeDue(at(0))).isFalse();
    health.failed(at(0), at(0));
    assertThat(health.probeDue(at(0.9))).isFalse();
    assertThat(health.probeDue(at(1))).isTrue();
    health.silent(at(1), at(1.1));
    assertThat(health.probeDue(at(2))).isFalse();
    assertThat(health.probeDue(at(2.1))).isTrue();
    health.answered();
    assertThat(health.probeDue(at(60))).isFalse();
  }

  @Test
  void anAnswerEndsTheSilenceAndNothingElse() {
    health.failed(at(0), at(0));
    health.silent(at(1), at(2));
    health.answered();
    health.silent(at(3), at(5));
    assertThat(health.hopeless()).as("silent for 2 s").isFalse();
    health.answered();
    health.failed(at(6), at(6));
    health.answered();
    assertThat(health.hopeless()).isFalse();
    health.failed(at(8), at(9));
    assertThat(health.hopeless()).as("appends that follow one another, for 3 s").isTrue();
  }

  @Test
  void timeWithoutAttemptsIsNoSilence() {
    health.failed(at(0), at(0));
    health.silent(at(60), at(60));
    health.silent(at(61), at(62.9));
    assertThat(health.hopeless()).isFalse();
    health.silent(at(63), at(63));
    assertThat(health.hopeless()).isTrue();
  }

  @Test
  void threeAppendsInARowAreEnoughHoweverRare() {
    health.failed(at(0), at(0));
    health.answered();
    health.failed(at(60), at(60));
    health.answered();
    assertThat(health.hopeless()).isFalse();
    health.failed(at(120), at(120));
    assertThat(health.hopeless()).isTrue();
  }
}
