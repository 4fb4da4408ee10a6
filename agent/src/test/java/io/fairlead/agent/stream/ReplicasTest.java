package io.fairlead.agent.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.HostPort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ReplicasTest {
  private static final List<HostPort> THREE =
      List.of(HostPort.of("a:1"), HostPort.of("b:1"), HostPort.of("c:1"));

  @Test
  void triesAllAtOnceBeforeItWaits() {
    var replicas = new Replicas(THREE, RandomSource.seeded(3));
    var tried = new HashSet<HostPort>();
    for (int i = 0; i < 3; i++) {
      tried.add(replicas.take());
      var pause = replicas.failed();
      assertThat(pause.isZero()).isEqualTo(i < 2);
    }
    assertThat(tried).hasSize(3);
  }

  @Test
  void waitsLongerEachRoundUpToSecondsAndBeginsAnewOnceOneWorked() {
    var replicas = new Replicas(THREE.subList(0, 1), RandomSource.seeded(3));
    var pauses = new ArrayList<Duration>();
    for (int i = 0; i < 30; i++) {
      pauses.add(replicas.failed());
    }
    assertThat(pauses.getFirst()).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
    assertThat(pauses.getLast()).isBetween(Duration.ofMillis(2_500), Duration.ofSeconds(5));
    assertThat(new HashSet<>(pauses)).as("with jitter").hasSize(30);
    replicas.worked();
    assertThat(replicas.failed()).isLessThanOrEqualTo(Duration.ofMillis(100));
  }
}
