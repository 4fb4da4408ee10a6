package io.fairlead.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;

/** Real sockets on loopback. */
@Timeout(60)
class TcpServerTest {
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final Duration LONG = Duration.ofMinutes(5);
  private static final TcpLimits PATIENT = new TcpLimits(10, 10, LONG, LONG, LONG);

  private final TestServers servers = new TestServers(Optional.empty());

  private static Socket connect(TcpServer server) throws IOException {
    var socket = new Socket();
    socket.connect(server.address());
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static byte[] framed(Message query) {
    var octets = query.toWire();
    return ByteBuffer.allocate(octets.length + 2)
        .putShort((short) octets.length)
        .put(octets)
        .array();
  }

  private static Message ask(Socket socket) throws IOException {
    socket.getOutputStream().write(framed(TestServers.query(TestServers.SERVER)));
    var in = new DataInputStream(socket.getInputStream());
    var answer = new byte[in.readUnsignedShort()];
    in.readFully(answer);
    return new Message(answer);
  }

  private static boolean isServed(TcpServer server) throws IOException {
    try (var socket = connect(server)) {
      return ask(socket).getSection(Section.ANSWER).size() == 1;
    }
  }

  @Test
  void answersAQueryThatMeetsAFaultAndGoesOn() throws Exception {
    try (var server = servers.tcp(ServerSockets.plain(), PATIENT);
        var socket = connect(server)) {
      servers.faultsToMeet.set(1);
      assertThat(ask(socket).getRcode()).isEqualTo(Rcode.SERVFAIL);
      assertThat(ask(socket).getSection(Section.ANSWER)).hasSize(1);
      assertThat(servers.counts.faults).hasValue(1);
    }
  }

  @Test
  void goesOnWhenAcceptingFails() throws Exception {
    try (var server = servers.tcp(failingToAccept(3), PATIENT)) {
      assertThat(isServed(server)).isTrue();
      assertThat(servers.counts.failed).hasValue(3);
      assertThat(servers.halts).hasValue(0);
    }
  }

  @Test
  void closesAnIdleConnection() throws Exception {
    try (var server = servers.tcp(ServerSockets.plain(), new TcpLimits(10, 10, SHORT, LONG, LONG));
        var socket = connect(server)) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
      await("it is given back").until(() -> server.connections() == 0);
      assertThat(servers.counts.expired).hasValue(1);
    }
  }

  @Test
  void closesAConnectionWhoseQueryDoesNotEnd() throws Exception {
    try (var server = servers.tcp(ServerSockets.plain(), new TcpLimits(10, 10, LONG, SHORT, LONG));
        var socket = connect(server)) {
      socket.getOutputStream().write(new byte[] {0, 50, 1});
      assertThat(endsWithin(socket)).isTrue();
      await("it is given back").until(() -> server.connections() == 0);
      assertThat(servers.counts.expired).hasValue(1);
    }
  }

  /** Queries are sent until nothing more fits between the two, and no answer is read. */
  @Test
  void closesAConnectionThatTakesNoAnswers() throws Exception {
    try (var server = servers.tcp(ServerSockets.plain(), new TcpLimits(10, 10, LONG, LONG, SHORT));
        var socket = connect(server)) {
      var query = framed(TestServers.query(TestServers.SERVER));
      var sender =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  while (true) {
                    socket.getOutputStream().write(query);
                  }
                } catch (IOException _) {
                  // closed, which is what is awaited
                }
              });
      await("it is given back")
          .atMost(Duration.ofSeconds(40))
          .until(() -> servers.counts.expired.get() == 1 && server.connections() == 0);
      sender.join();
      assertThat(isServed(server)).isTrue();
    }
  }

  @Test
  void leavesRoomForOthersThanOneClient() throws Exception {
    var limits = new TcpLimits(10, 2, LONG, LONG, LONG);
    try (var server = servers.tcp(ServerSockets.plain(), limits);
        var first = connect(server);
        var second = connect(server)) {
      ask(first);
      ask(second);
      try (var third = connect(server)) {
        assertThat(endsWithin(third)).isTrue();
      }
      assertThat(servers.counts.refused).hasValue(1);
      first.shutdownOutput();
      await("its place is free").until(() -> server.connections() == 1);
      assertThat(isServed(server)).isTrue();
    }
  }

  /** By an end or a reset. */
  private static boolean endsWithin(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read() == -1;
    } catch (java.net.SocketTimeoutException e) {
      throw e;
    } catch (IOException _) {
      return true;
    }
  }

  /** As a process without a file descriptor left. */
  private static ServerSockets failingToAccept(int times) {
    return new ServerSockets() {
      @Override
      public DatagramChannel udp(InetSocketAddress address) throws IOException {
        return ServerSockets.plain().udp(address);
      }

      @Override
      public ServerSocketChannel tcp(InetSocketAddress address) throws IOException {
        return new FailingListener(ServerSockets.plain().tcp(address), times);
      }
    };
  }
}
