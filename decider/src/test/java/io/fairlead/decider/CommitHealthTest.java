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
  void isNotHopelessAfterOneFailureHoweverLongAgo() {
    health.failed(at(0), at(0));
    assertThat(health.hopeless()).isFalse();
    health.failed(at(60), at(60));
    assertThat(health.hopeless()).isFalse();
  }

  @Test
  void isHopelessWhenAttemptsFailedForThreeSeconds() {
    health.failed(at(0), at(0));
    health.failed(at(2), at(2));
    health.failed(at(2.9), at(2.9));
    assertThat(health.hopeless()).isFalse();
    health.failed(at(3), at(3));
    assertThat(health.hopeless()).isTrue();
  }

  @Test
  void countsTheTimeThatAttemptsTake() {
    health.failed(at(0), at(2));
    health.failed(at(4), at(8));
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
  void asksEverySecondWhileInTrouble() {
    assertThat(health.probeDue(at(0))).isFalse();
    health.failed(at(0), at(0));
    assertThat(health.probeDue(at(0.9))).isFalse();
    assertThat(health.probeDue(at(1))).isTrue();
    health.answered(at(1));
    assertThat(health.probeDue(at(1.9))).isFalse();
    assertThat(health.probeDue(at(2))).isTrue();
  }

  @Test
  void anAnswerEndsTheTroubleOnlyWhereNothingFailedForAWhile() {
    health.failed(at(0), at(0));
    health.answered(at(1));
    health.failed(at(1.5), at(1.5));
    health.answered(at(2.5));
    health.failed(at(3), at(3));
    assertThat(health.hopeless()).isTrue();
    health.answered(at(6.5));
    assertThat(health.hopeless()).isFalse();
    assertThat(health.probeDue(at(60))).isFalse();
  }
}
