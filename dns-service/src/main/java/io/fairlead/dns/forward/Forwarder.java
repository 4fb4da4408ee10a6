package io.fairlead.dns.forward;

import io.fairlead.dns.wire.Transport;
import io.fairlead.dns.wire.Upstream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;

/**
 * Passes queries on, octets as they are but for the id, to the first of its servers that answers.
 * Thread-safe; blocks its callers, of whom there are at most {@code limit}.
 *
 * <p>Each try uses a socket of its own: a random port and a random id are what an off-path attacker
 * has to guess (RFC 5452).
 */
public final class Forwarder implements Upstream {
  private static final int ROUNDS = 2;
  private static final int LONGEST = 65_535;

  private final List<InetSocketAddress> servers;
  private final Duration timeout;
  private final Semaphore permits;
  private final RandomGenerator random;

  /**
   * @param servers asked in that order; not empty
   * @param timeout for one server in one round
   * @param limit queries under way; one more is answered at once as if nobody replied
   * @param random must not be guessable
   */
  public Forwarder(
      List<InetSocketAddress> servers, Duration timeout, int limit, RandomGenerator random) {
    this.servers = List.copyOf(servers);
    this.timeout = timeout;
    this.permits = new Semaphore(limit);
    this.random = random;
  }

  @Override
  public Optional<byte[]> ask(byte[] query, Transport transport) {
    if (!permits.tryAcquire()) {
      return Optional.empty();
    }
    try {
      for (int round = 0; round < ROUNDS; round++) {
        for (var server : servers) {
          var reply = askOne(server, query, transport);
          if (reply.isPresent()) {
            return reply;
          }
        }
      }
      return Optional.empty();
    } finally {
      permits.release();
    }
  }

  private Optional<byte[]> askOne(InetSocketAddress server, byte[] query, Transport transport) {
    try {
      var reply = askUdp(server, query);
      boolean truncated = (reply[2] & 0x02) != 0;
      return Optional.of(truncated && transport == Transport.TCP ? askTcp(server, query) : reply);
    } catch (IOException _) {
      return Optional.empty(); // silent, refused or unreachable: the next server is asked
    }
  }

  private byte[] askUdp(InetSocketAddress server, byte[] query) throws IOException {
    try (var socket = new DatagramSocket()) {
      socket.connect(server); // other sources are not delivered
      socket.setSoTimeout((int) timeout.toMillis());
      var sent = withId(query, random.nextInt(0x1_0000));
      socket.send(new DatagramPacket(sent, sent.length));
      var buffer = new DatagramPacket(new byte[LONGEST], LONGEST);
      while (true) {
        socket.receive(buffer); // SocketTimeoutException ends this
        var reply = Arrays.copyOf(buffer.getData(), buffer.getLength());
        if (answers(reply, sent)) {
          return withId(reply, id(query));
        }
      }
    }
  }

  private byte[] askTcp(InetSocketAddress server, byte[] query) throws IOException {
    try (var socket = new Socket()) {
      socket.connect(server, (int) timeout.toMillis());
      socket.setSoTimeout((int) timeout.toMillis());
      var sent = withId(query, random.nextInt(0x1_0000));
      var framed = new DataOutputStream(socket.getOutputStream());
      var frame = new byte[sent.length + 2];
      frame[0] = (byte) (sent.length >> 8);
      frame[1] = (byte) sent.length;
      System.arraycopy(sent, 0, frame, 2, sent.length);
      framed.write(frame);
      framed.flush();
      var in = new DataInputStream(socket.getInputStream());
      var reply = new byte[in.readUnsignedShort()];
      in.readFully(reply);
      if (!answers(reply, sent)) {
        throw new IOException("an answer to another question");
      }
      return withId(reply, id(query));
    }
  }

  /** Same id, an answer, and the same question in the same case. */
  private static boolean answers(byte[] reply, byte[] sent) {
    int question = questionEnd(sent);
    return reply.length >= 12
        && reply[0] == sent[0]
        && reply[1] == sent[1]
        && (reply[2] & 0x80) != 0
        && reply.length >= question
        && Arrays.equals(reply, 12, question, sent, 12, question);
  }

  private static int questionEnd(byte[] message) {
    int at = 12;
    while (at < message.length && message[at] != 0) {
      at += (message[at] & 255) + 1;
    }
    return Math.min(message.length, at + 5);
  }

  private static int id(byte[] message) {
    return (message[0] & 255) << 8 | message[1] & 255;
  }

  private static byte[] withId(byte[] message, int id) {
    var changed = message.clone();
    changed[0] = (byte) (id >> 8);
    changed[1] = (byte) id;
    return changed;
  }
}
