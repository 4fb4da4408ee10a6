package io.fairlead.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.runtime.ConfigSchema;
import io.fairlead.runtime.ConfigValues;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EndpointsConfigTest {
  private static ConfigValues values(String... args) {
    return switch (EndpointsConfig.SCHEMA.parse(args, Map.of())) {
      case ConfigSchema.Complete(var values) -> values;
      case ConfigSchema.Faulty(var faults) -> throw new AssertionError(faults);
      case ConfigSchema.Informative(var text) -> throw new AssertionError(text);
    };
  }

  @Test
  void hasDefaultsForEverything() {
    var config = EndpointsConfig.of(values("--replica=a"));
    assertThat(config.listen()).hasToString("[0.0.0.0:7402]");
    assertThat(config.httpListen()).hasToString("0.0.0.0:7482");
    assertThat(config.replicationFactor()).isEqualTo(3);
    assertThat(config.nodeLoss().after()).isEqualTo(Duration.ofSeconds(40));
    assertThat(config.streams().leaseTtl()).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void developmentHasOneCopy() {
    assertThat(EndpointsConfig.of(values("--development")).replicationFactor()).isEqualTo(1);
  }

  @Test
  void refusesOneCopyOtherwise() {
    assertThatThrownBy(() -> EndpointsConfig.of(values("--replication-factor=1")))
        .hasMessageContaining("replication-factor")
        .hasMessageContaining("--development");
  }

  @Test
  void refusesNodesThatAreLostBeforeTheirLeaseRunsOut() {
    assertThatThrownBy(
            () -> EndpointsConfig.of(values("--node-lost-after=5s", "--node-lease-ttl=10s")))
        .hasMessageContaining("node-lost-after")
        .hasMessageContaining("node-lease-ttl");
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertThat(EndpointsConfig.SCHEMA.parse(new String[] {"--node-lost=5s"}, Map.of()))
        .isInstanceOf(ConfigSchema.Faulty.class);
  }
}
