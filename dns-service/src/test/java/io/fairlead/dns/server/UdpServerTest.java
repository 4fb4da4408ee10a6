package io.fairlead.dns.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;

/** Real sockets on loopback. */
@Timeout(30)
class UdpServerTest {
  private static Message ask(InetSocketAddress server, Message query) throws IOException {
    try (var socket = new DatagramSocket()) {
      socket.connect(server);
      socket.setSoTimeout(10_000);
      var octets = query.toWire();
      socket.send(new DatagramPacket(octets, octets.length));
      var packet = new DatagramPacket(new byte[65_535], 65_535);
      socket.receive(packet);
      return new Message(java.util.Arrays.copyOf(packet.getData(), packet.getLength()));
    }
  }

  @Test
  void answersAQueryThatMeetsAFaultAndGoesOn() throws Exception {
    var servers = new TestServers(Optional.empty());
    try (var server = servers.udp(ServerSockets.plain())) {
      servers.faultsToMeet.set(1);
      var query = TestServers.query(TestServers.SERVER);
      var answer = ask(server.address(), query);
      assertThat(answer.getRcode()).isEqualTo(Rcode.SERVFAIL);
      assertThat(answer.getHeader().getID()).isEqualTo(query.getHeader().getID());
      assertThat(answer.getQuestion()).isEqualTo(query.getQuestion());
      assertThat(ask(server.address(), query).getSection(Section.ANSWER)).hasSize(1);
      assertThat(servers.counts.faults).hasValue(1);
      assertThat(servers.halts).hasValue(0);
    }
  }

  @Test
  void answersAForwardedQueryThatMeetsAFault() throws Exception {
    var servers =
        new TestServers(
            Optional.of((_, _) -> {
              throw new IllegalStateException("a fault that the test asked for");
            }));
    try (var server = servers.udp(ServerSockets.plain())) {
      assertThat(ask(server.address(), TestServers.query("www.example.test.")).getRcode())
          .isEqualTo(Rcode.SERVFAIL);
      assertThat(servers.counts.faults).hasValue(1);
    }
  }
}
