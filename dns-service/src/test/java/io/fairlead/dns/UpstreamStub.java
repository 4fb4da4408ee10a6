package io.fairlead.dns;

import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;

/** Another DNS server, which knows one name. */
final class UpstreamStub implements AutoCloseable {
  private final DatagramSocket socket;
  private final java.util.concurrent.atomic.AtomicInteger asked =
      new java.util.concurrent.atomic.AtomicInteger();

  private volatile Message last = new Message();

  private UpstreamStub(DatagramSocket socket) {
    this.socket = socket;
  }

  static UpstreamStub start() throws IOException {
    var stub =
        new UpstreamStub(
            new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0)));
    Thread.ofVirtual().start(stub::run);
    return stub;
  }

  private void run() {
    var packet = new DatagramPacket(new byte[4096], 4096);
    try {
      while (true) {
        socket.receive(packet);
        asked.incrementAndGet();
        var query = new Message(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()));
        last = query;
        var answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        answer.addRecord(
            new org.xbill.DNS.ARecord(
                query.getQuestion().getName(), DClass.IN, 60, InetAddress.ofLiteral("192.0.2.53")),
            Section.ANSWER);
        var octets = answer.toWire();
        socket.send(new DatagramPacket(octets, octets.length, packet.getSocketAddress()));
      }
    } catch (IOException _) {
      // closed
    }
  }

  /** The newest query. */
  Message last() {
    return last;
  }

  HostPort address() {
    return new HostPort("127.0.0.1", socket.getLocalPort());
  }

  int asked() {
    return asked.get();
  }

  @Override
  public void close() {
    socket.close();
  }
}
