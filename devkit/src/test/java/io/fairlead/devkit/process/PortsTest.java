package io.fairlead.devkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PortsTest {
  @Test
  void givesDifferentPortsOutsideTheRangeOfOutgoingConnections() {
    var ports = Ports.free("127.0.0.1", 20);
    assertThat(ports).doesNotHaveDuplicates().hasSize(20).allMatch(port -> port < 32_768);
  }

  @Test
  void namesThePortThatIsTaken() throws IOException {
    try (var taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      assertThatThrownBy(() -> Ports.requireFree("--some-port", "127.0.0.1", taken.getLocalPort()))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("--some-port")
          .hasMessageContaining("127.0.0.1:" + taken.getLocalPort());
    }
  }

  @Test
  void acceptsAPortThatIsFree() {
    Ports.requireFree("--some-port", "127.0.0.1", Ports.free("127.0.0.1"));
  }
}
