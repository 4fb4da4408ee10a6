package io.fairlead.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class FakeTimeTest {
  private final FakeTime time = new FakeTime();

  @Test
  void standsStillUntilAdvanced() {
    long nanos = time.nanoTime();
    assertThat(time.now()).isEqualTo(FakeTime.START);
    time.advance(Duration.ofSeconds(3));
    assertThat(time.nanoTime() - nanos).isEqualTo(3_000_000_000L);
    assertThat(time.now()).isEqualTo(FakeTime.START.plusSeconds(3));
  }

  @Test
  void wakesASleeperWhenItsTimeHasCome() throws InterruptedException {
    var sleeper =
        Thread.ofVirtual()
            .start(() -> {
              try {
                time.sleep(Duration.ofSeconds(2));
              } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
              }
            });
    await("the thread sleeps").until(() -> time.sleepers() == 1);
    time.advance(Duration.ofSeconds(1));
    assertThat(sleeper.isAlive()).isTrue();
    time.advance(Duration.ofSeconds(1));
    assertThat(sleeper.join(Duration.ofSeconds(10))).isTrue();
  }

  @Test
  void doesNotCountSleepersWhoseTimeHasComeBeforeTheyRun() {
    for (int i = 0; i < 50; i++) {
      Thread.ofVirtual()
          .start(() -> {
            try {
              time.sleep(Duration.ofSeconds(1));
            } catch (InterruptedException _) {
              Thread.currentThread().interrupt();
            }
          });
    }
    await("all sleep").until(() -> time.sleepers() == 50);
    time.advance(Duration.ofSeconds(1));
    assertThat(time.sleepers()).isZero();
  }

  @Test
  void jumpsOfTheWallClockLeaveMonotonicTimeAlone() {
    time.jumpWallClock(Duration.ofHours(-1));
    assertThat(time.nanoTime()).isZero();
    assertThat(time.now()).isEqualTo(FakeTime.START.minusSeconds(3600));
  }
}
