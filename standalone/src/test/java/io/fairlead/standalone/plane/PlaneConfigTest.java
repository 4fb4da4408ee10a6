package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class PlaneConfigTest {
  private static PlaneConfig withNodes(int nodes) {
    return new PlaneConfig(Path.of("/data"), nodes, PortsChoice.FREE);
  }

  @Test
  void namesNodesByLetters() {
    assertThat(withNodes(3).nodeNames()).containsExactly("node-a", "node-b", "node-c");
    assertThat(withNodes(26).nodeNames()).hasSize(26).last().isEqualTo("node-z");
    assertThat(withNodes(0).nodeNames()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 27})
  void refusesMoreNodesThanLetters(int nodes) {
    assertThatThrownBy(() -> withNodes(nodes))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--nodes: " + nodes + " is not within 0..26, one for each letter");
  }
}
