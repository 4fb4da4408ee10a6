package io.fairlead.allocator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.runtime.ConfigSchema;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class AllocatorConfigTest {
  private static AllocatorConfig config(Map<String, String> environment, String... args) {
    return switch (AllocatorConfig.SCHEMA.parse(args, environment)) {
      case ConfigSchema.Complete(var values) -> AllocatorConfig.of(values);
      case ConfigSchema.Faulty(var faults) ->
          throw new IllegalArgumentException(String.join("; ", faults));
      case ConfigSchema.Informative(var text) -> throw new AssertionError(text);
    };
  }

  @Test
  void hasTheDefaultsOfTheDocumentation() {
    var config = config(Map.of(), "--replica=a");
    assertThat(config.listen()).hasToString("[0.0.0.0:7401]");
    assertThat(config.httpListen()).hasToString("0.0.0.0:7481");
    assertThat(config.advertise().port()).isEqualTo(7401);
    assertThat(config.replicationFactor()).isEqualTo(3);
    assertThat(config.serviceCidrs()).containsExactly(Cidr.of("10.96.0.0/16"));
    assertThat(config.services().defaultBalancing()).isEqualTo(Balancing.ROUND_ROBIN);
    assertThat(config.services().roundRobinLimit()).isEqualTo(256);
  }

  @Test
  void readsOptionsAndTheirVariables() {
    var config =
        config(
            Map.of(
                "FAIRLEAD_SERVICE_CIDRS",
                "10.96.0.0/24,fd00:10:96::/112",
                "FAIRLEAD_ROUND_ROBIN_LIMIT",
                "9"),
            "--replica=a",
            "--development",
            "--default-load-balancing=source-hash",
            "--advertise=10.0.0.5:7401");
    assertThat(config.replicationFactor()).isEqualTo(1);
    assertThat(config.serviceCidrs())
        .isEqualTo(List.of(Cidr.of("10.96.0.0/24"), Cidr.of("fd00:10:96::/112")));
    assertThat(config.services().roundRobinLimit()).isEqualTo(9);
    assertThat(config.services().defaultBalancing()).isEqualTo(Balancing.SOURCE_HASH);
    assertThat(config.advertise()).hasToString("10.0.0.5:7401");
  }

  @ParameterizedTest(name = "{0} is refused: {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "--service-cidrs=10.96.0.1/16|is not a CIDR block without host bits",
        "--service-cidrs=10.96.0.0/16,10.97.0.0/16|a second range must be of the other family",
        "--service-cidrs=fd00::/48|at least 64",
        "--service-cidrs=10.96.0.0/32|has no address that can be given out",
        "--default-load-balancing=fastest|round-robin, random or source-hash",
        "--round-robin-limit=-1|0..65536",
        "--lease-ttl=1s|a duration from 2s to 5m",
        "--fault-points=/nowhere/at/all|is not a directory",
        "--replication-factor=1|only with --development",
        "--service-cidr=10.96.0.0/16|did you mean --service-cidrs?",
      })
  void refusesWhatCannotBe(String option, String words) {
    assertThatThrownBy(() -> config(Map.of(), "--replica=a", option))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(words);
  }
}
