package io.fairlead.dns.server;

import io.fairlead.core.run.Time;
import io.fairlead.dns.wire.Reply;
import io.fairlead.dns.wire.Transport;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection; its queries are answered in their order, on one virtual thread. Somebody else
 * looks at {@link #isOverdue} and closes it: only a close ends a write that the client does not
 * take.
 */
final class TcpConnection implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TcpConnection.class);

  private final Socket socket;
  private final InetAddress client;
  private final GuardedResponder responder;
  private final QueryStats stats;
  private final TcpLimits limits;
  private final Time time;

  /** Until when the client has to do something; empty = it waits for us. */
  private volatile Optional<Long> deadlineNanos;

  TcpConnection(
      Socket socket, GuardedResponder responder, QueryStats stats, TcpLimits limits, Time time) {
    this.socket = socket;
    this.client = socket.getInetAddress(); // a closed socket has none any more
    this.responder = responder;
    this.stats = stats;
    this.limits = limits;
    this.time = time;
    this.deadlineNanos = Optional.of(time.nanoTime() + limits.idle().toNanos());
  }

  InetAddress client() {
    return client;
  }

  boolean isOverdue() {
    return deadlineNanos.filter(deadline -> time.nanoTime() - deadline >= 0).isPresent();
  }

  /** Until the client is done, or too slow. */
  void serve() {
    try (socket) {
      socket.setTcpNoDelay(true);
      var in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      var out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
      while (true) {
        var query = read(in);
        if (query.isEmpty() || !answer(query.get(), out)) {
          return;
        }
      }
    } catch (EOFException _) {
      // the client went within a query
    } catch (IOException | RuntimeException e) {
      if (!socket.isClosed()) {
        stats.failed();
        LOG.atDebug().addKeyValue("cause", e.toString()).log("connection failed");
      }
    }
  }

  /** The next query; empty where the client is done. */
  private Optional<byte[]> read(DataInputStream in) throws IOException {
    within(limits.idle());
    int high = in.read();
    if (high < 0) {
      return Optional.empty();
    }
    within(limits.message());
    var octets = new byte[high << 8 | in.readUnsignedByte()];
    in.readFully(octets);
    deadlineNanos = Optional.empty();
    return Optional.of(octets);
  }

  /** Whether to go on. */
  private boolean answer(byte[] query, DataOutputStream out) throws IOException {
    stats.query(Transport.TCP);
    switch (responder.respond(query, Transport.TCP)) {
      case Reply.Send(var answer) -> write(answer, out);
      case Reply.Drop _ -> {
        stats.dropped();
        return false; // whoever sends that speaks something else
      }
      case Reply.Elsewhere(var pending) -> {
        stats.forwarded();
        write(responder.resolve(pending), out);
      }
    }
    return true;
  }

  private void write(byte[] answer, DataOutputStream out) throws IOException {
    within(limits.write());
    out.writeShort(answer.length);
    out.write(answer);
    out.flush(); // length and message in one segment
    stats.answer(answer);
  }

  private void within(Duration limit) {
    deadlineNanos = Optional.of(time.nanoTime() + limit.toNanos());
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
