package io.fairlead.devkit.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class FabricSpecTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "Upper", "with-dash", "elevenchars", "a/b"})
  void refusesAnIdThatMakesNoNames(String id) {
    var nodes = List.of("node-a");
    assertThatThrownBy(() -> FabricSpec.of(id, nodes)).hasMessageContaining("fabric id");
    assertThatThrownBy(() -> Fabric.clear(id)).hasMessageContaining("fabric id");
  }

  @ParameterizedTest
  @ValueSource(strings = {"node_a", "-a", "fabric", ""})
  void refusesANodeName(String name) {
    var nodes = List.of(name);
    assertThatThrownBy(() -> FabricSpec.of("x", nodes))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesNoNodesAndEqualNodes() {
    assertThatThrownBy(() -> FabricSpec.of("x", List.of())).hasMessageContaining("1 to 200");
    assertThatThrownBy(() -> FabricSpec.of("x", List.of("a", "a"))).hasMessageContaining("differ");
    var spec = FabricSpec.of("x", List.of("a"));
    assertThatThrownBy(() -> spec.withNumber(255)).hasMessageContaining("0 to 254");
    var narrow = Ipv4Network.parse("172.30.0.0/24");
    assertThatThrownBy(() -> spec.withNodeNetwork(narrow)).hasMessageContaining("/16");
  }

  @ParameterizedTest
  @CsvSource({
    "10.244.0.0/16, 24, 3, 10.244.3.0/24",
    "10.244.0.0/16, 16, 0, 10.244.0.0/16",
    "172.30.0.0/16, 24, 254, 172.30.254.0/24",
    "192.168.0.0/16, 30, 16383, 192.168.255.252/30"
  })
  void cutsANetworkIntoParts(String whole, int prefix, int index, String part) {
    assertThat(Ipv4Network.parse(whole).part(prefix, index)).hasToString(part);
  }

  @Test
  void countsAddresses() {
    var network = Ipv4Network.parse("10.244.1.0/24");
    assertThat(network.address(1)).isEqualTo("10.244.1.1");
    assertThat(network.address(255)).isEqualTo("10.244.1.255");
    assertThatThrownBy(() -> network.address(256)).hasMessageContaining("256");
    assertThatThrownBy(() -> network.part(25, 2)).hasMessageContaining("/25");
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0", "10.0.0.1/16", "10.0.0.0/x", "fd00::/64", "10.0/16/3"})
  void refusesWhatIsNoNetwork(String text) {
    assertThatThrownBy(() -> Ipv4Network.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void writesResolvConf() {
    assertThat(ResolvConf.ofPod("10.96.0.10", "shop", "cluster.local").text())
        .isEqualTo(
            """
            nameserver 10.96.0.10
            search shop.svc.cluster.local svc.cluster.local cluster.local
            options ndots:5
            """);
  }
}
