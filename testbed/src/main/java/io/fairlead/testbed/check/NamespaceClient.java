package io.fairlead.testbed.check;

import io.fairlead.core.model.Address;
import io.fairlead.devkit.fabric.NetnsSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;

/**
 * Makes requests from within a network namespace, each on a connection of its own, as a workload
 * there would.
 */
public final class NamespaceClient {
  private static final int DNS_PORT = 53;
  private static final int LONGEST = 65_535;

  private final String namespace;
  private final Duration limit;

  /**
   * @param limit for each step of a request
   */
  public NamespaceClient(String namespace, Duration limit) {
    this.namespace = namespace;
    this.limit = limit;
  }

  /**
   * The body of an HTTP GET.
   *
   * @throws IOException refused, silent for too long, or not answered with 200
   */
  public String get(Address address, int port, String path) throws IOException {
    try (var channel =
        NetnsSockets.connect(
            namespace,
            new InetSocketAddress(InetAddress.getByAddress(address.bytes()), port),
            limit)) {
      return exchange(channel, address, path);
    }
  }

  private String exchange(SocketChannel channel, Address address, String path) throws IOException {
    channel.socket().setSoTimeout(Math.toIntExact(limit.toMillis()));
    var request = "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n";
    Channels.newOutputStream(channel).write(request.getBytes(StandardCharsets.US_ASCII));
    var response =
        new String(channel.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int body = response.indexOf("\r\n\r\n");
    if (!response.startsWith("HTTP/1.1 200 ") || body < 0) {
      throw new IOException("answered: " + response.lines().findFirst().orElse("nothing"));
    }
    return response.substring(body + 4);
  }

  /**
   * What a DNS server says.
   *
   * @param records the answer section: addresses, or {@code port target} for SRV
   */
  public record Resolved(String code, List<String> records, boolean authority) {
    public List<Address> addresses() {
      return records.stream().map(Address::parse).flatMap(Optional::stream).toList();
    }
  }

  /** Asks by UDP. The type is a constant of {@link org.xbill.DNS.Type}. */
  public Resolved resolve(String server, String name, int type) throws IOException {
    var query = Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN));
    try (var channel = NetnsSockets.datagram(namespace, new InetSocketAddress("0.0.0.0", 0))) {
      channel.connect(new InetSocketAddress(server, DNS_PORT));
      channel.write(ByteBuffer.wrap(query.toWire()));
      channel.socket().setSoTimeout(Math.toIntExact(limit.toMillis()));
      var packet = new java.net.DatagramPacket(new byte[LONGEST], LONGEST);
      channel.socket().receive(packet);
      return read(new Message(ByteBuffer.wrap(packet.getData(), 0, packet.getLength())));
    }
  }

  /** As {@link #resolve}, by TCP. */
  public Resolved resolveByTcp(String server, String name, int type) throws IOException {
    var query = Message.newQuery(Record.newRecord(Name.fromString(name), type, DClass.IN)).toWire();
    try (var channel =
        NetnsSockets.connect(namespace, new InetSocketAddress(server, DNS_PORT), limit)) {
      channel.socket().setSoTimeout(Math.toIntExact(limit.toMillis()));
      var framed =
          ByteBuffer.allocate(query.length + 2).putShort((short) query.length).put(query).flip();
      while (framed.hasRemaining()) {
        channel.write(framed);
      }
      var in = new java.io.DataInputStream(channel.socket().getInputStream());
      var answer = new byte[in.readUnsignedShort()];
      in.readFully(answer);
      return read(new Message(answer));
    }
  }

  private static Resolved read(Message message) {
    var records = new ArrayList<String>();
    for (var record : message.getSection(Section.ANSWER)) {
      switch (record) {
        case ARecord a -> records.add(a.getAddress().getHostAddress());
        case AAAARecord a -> records.add(a.getAddress().getHostAddress());
        case SRVRecord srv -> records.add(srv.getPort() + " " + srv.getTarget());
        default -> records.add(record.rdataToString());
      }
    }
    return new Resolved(
        Rcode.string(message.getRcode()),
        records.stream().sorted().toList(),
        !message.getSection(Section.AUTHORITY).isEmpty());
  }

  /** Whether a connection is refused or never answered. */
  public String connectionTo(Address address, int port) {
    try (var _ =
        NetnsSockets.connect(
            namespace,
            new InetSocketAddress(InetAddress.getByAddress(address.bytes()), port),
            limit)) {
      return "connected";
    } catch (SocketTimeoutException _) {
      return "timed out";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
