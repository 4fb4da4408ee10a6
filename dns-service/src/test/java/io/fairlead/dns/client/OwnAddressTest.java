package io.fairlead.dns.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.fairlead.core.model.Address;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class OwnAddressTest {
  private static Optional<InetAddress> ofThisMachine() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(a -> !a.isLoopbackAddress() && !a.isLinkLocalAddress())
        .findFirst();
  }

  private static HostPort of(ServerSocket server) {
    return new HostPort(server.getInetAddress().getHostAddress(), server.getLocalPort());
  }

  /** A port that nobody listens on: it was free a moment ago. */
  private static HostPort nobody(InetAddress address) throws IOException {
    try (var server = new ServerSocket(0, 1, address)) {
      return of(server);
    }
  }

  @Test
  void isTheLocalAddressOfAConnectionToTheFirstThatAnswers() throws IOException {
    var machine = ofThisMachine();
    assumeThat(machine).as("this machine has only the loopback interface").isPresent();
    var ip = machine.get();
    try (var server = new ServerSocket(0, 1, ip)) {
      var own =
          new OwnAddress.TowardsOneOf(
              List.of(new HostPort("no-such-host.invalid", 7402), nobody(ip), of(server)));
      assertThat(own.find()).contains(Address.ofBytes(ip.getAddress()));
    }
  }

  @Test
  void isUnknownWhileNobodyAnswersAndSaysWho() throws IOException {
    var away = nobody(InetAddress.getLoopbackAddress());
    var own = new OwnAddress.TowardsOneOf(List.of(away));
    assertThat(own.find()).isEmpty();
    assertThat(own.trouble()).contains(away.toString());
  }

  /** Pods elsewhere would reach themselves there. */
  @Test
  void isNeverTheLoopback() throws IOException {
    try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThat(new OwnAddress.TowardsOneOf(List.of(of(server))).find()).isEmpty();
    }
  }
}
