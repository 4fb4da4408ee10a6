package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FaultsTest {
  @Test
  void aFaultTurnsTheProcessNotReadyAndNamesTheFirst() {
    var health = new Health();
    var faults = Faults.unready(health);
    assertThat(health.isReady()).isTrue();
    faults.fault("applying s:12", new IllegalStateException("boom"));
    faults.fault("applying s:13", new IllegalStateException("boom"));
    assertThat(health.isReady()).isFalse();
    assertThat(health.readiness())
        .contains(new Health.Result("faults", Optional.of("applying s:12")));
    assertThat(health.liveness()).isEmpty();
  }
}
