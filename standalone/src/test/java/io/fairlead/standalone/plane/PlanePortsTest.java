package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import io.fairlead.standalone.plane.PlanePorts.NodesMode;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class PlanePortsTest {
  @Test
  void choosesPortsThatDiffer() {
    var ports = PlanePorts.choose(PortsChoice.FREE);

    assertThat(ports.uses(NodesMode.WITH_NODES)).hasSize(12);
    assertThat(ports.uses(NodesMode.WITHOUT_NODES)).hasSize(11).containsEntry(ports.dns(), "DNS");
    assertThat(PlanePorts.choose(PortsChoice.DEFAULT).uses(NodesMode.WITH_NODES))
        .containsEntry(7401, "allocator-service, gRPC")
        .containsEntry(2379, "etcd, clients");
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "0.0.0.0", "::"})
  void saysWhoHasAPort(String address) throws IOException {
    Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"), "needs /proc");
    var ports = PlanePorts.choose(PortsChoice.FREE);
    try (var _ = new ServerSocket(ports.kafka(), 1, InetAddress.ofLiteral(address))) {
      assertThat(ports.taken(NodesMode.WITHOUT_NODES))
          .singleElement()
          .asString()
          .as("the program, and none of its arguments")
          .isEqualTo(
              "127.0.0.1:%d (Kafka): pid %d, java"
                  .formatted(ports.kafka(), ProcessHandle.current().pid()));
    }
    assertThat(ports.taken(NodesMode.WITHOUT_NODES)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "0.0.0.0"})
  void saysWhoAnswersDnsAlready(String address) throws IOException {
    Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"), "needs /proc");
    var ports = PlanePorts.choose(PortsChoice.FREE);
    try (var _ = new DatagramSocket(ports.dns(), InetAddress.ofLiteral(address))) {
      assertThat(ports.taken(NodesMode.WITHOUT_NODES))
          .containsExactly(
              "127.0.0.1:%d (DNS by UDP): pid %d, java"
                  .formatted(ports.dns(), ProcessHandle.current().pid()));
      assertThat(ports.taken(NodesMode.WITH_NODES)).isEmpty();
    }
  }
}
