package io.fairlead.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.AgentConfig.Log;
import io.fairlead.agent.AgentConfig.Task;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.runtime.ConfigSchema.Complete;
import io.fairlead.runtime.ConfigSchema.Faulty;
import io.fairlead.runtime.HostPort;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class AgentConfigTest {
  private static AgentConfig of(Map<String, String> environment, String... args) {
    assertThat(AgentConfig.SCHEMA.parse(args, environment)).isInstanceOf(Complete.class);
    return AgentConfig.of(((Complete) AgentConfig.SCHEMA.parse(args, environment)).values());
  }

  @Test
  void readsAllThatANodeIsToldAndPrefersTheCommandLine() {
    var config =
        of(
            Map.of("FAIRLEAD_ZONE", "zone-1", "FAIRLEAD_NODE", "other"),
            "--node=node-a",
            "--endpoints=10.0.0.1:7402,[2001:db8::5]:7402",
            "--node-ip=192.0.2.1,2001:db8::1",
            "--cluster-cidrs=10.244.0.0/16",
            "--manifests=/etc/fairlead/manifests",
            "--adopt-log");
    assertThat(config.node()).isEqualTo("node-a");
    assertThat(config.zone()).contains("zone-1");
    assertThat(config.endpoints())
        .containsExactly(new HostPort("10.0.0.1", 7402), new HostPort("2001:db8::5", 7402));
    assertThat(config.nodeIps())
        .containsExactly(Address.of("192.0.2.1"), Address.of("2001:db8::1"));
    assertThat(config.clusterCidrs()).containsExactly(Cidr.of("10.244.0.0/16"));
    assertThat(config.manifests()).contains(Path.of("/etc/fairlead/manifests"));
    assertThat(config.log()).isEqualTo(Log.ADOPT);
    assertThat(config.task()).isEqualTo(Task.SERVE);
  }

  @Test
  void needsNothingToBeSaid() {
    var config = of(Map.of());
    assertThat(config.endpoints()).containsExactly(new HostPort("127.0.0.1", 7402));
    assertThat(config.nodeIps()).hasSize(1);
    assertThat(config.clusterCidrs()).isEmpty();
    assertThat(config.log()).isEqualTo(Log.SAME_ONLY);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--node=Node_A",
        "--endpoints=here",
        "--node-ip=10.0.0.256",
        "--cluster-cidrs=10.244.0.1/16",
        "--zone=-",
        "--manifest=/etc"
      })
  void refusesWhatItCannotUse(String option) {
    assertThat(AgentConfig.SCHEMA.parse(new String[] {option}, Map.of()))
        .isInstanceOfSatisfying(Faulty.class, faulty -> assertThat(faulty.faults()).hasSize(1));
  }
}
