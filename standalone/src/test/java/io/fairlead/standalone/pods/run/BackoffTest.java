package io.fairlead.standalone.pods.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class BackoffTest {
  @Test
  void waitsLongerEachTimeUpToAMinute() {
    var backoff = new Backoff();
    assertThat(IntStream.range(0, 9).mapToObj(_ -> backoff.after(Duration.ofSeconds(3))))
        .extracting(Duration::toSeconds)
        .containsExactly(0L, 1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L);
  }

  @Test
  void forgetsAfterALongRun() {
    var backoff = new Backoff();
    for (int i = 0; i < 5; i++) {
      var _ = backoff.after(Duration.ZERO);
    }
    assertThat(backoff.after(Duration.ofMinutes(10))).isZero();
    assertThat(backoff.after(Duration.ZERO)).hasSeconds(1);
  }
}
