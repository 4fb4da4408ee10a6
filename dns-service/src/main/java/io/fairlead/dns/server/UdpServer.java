package io.fairlead.dns.server;

import io.fairlead.core.run.FaultHandler;
import io.fairlead.dns.wire.Reply;
import io.fairlead.dns.wire.Responder;
import io.fairlead.dns.wire.Transport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers DNS over UDP on one address. One platform thread receives and answers; what needs another
 * server goes to a virtual thread each, bounded by the forwarder. Holds nothing: a restart loses
 * only packets under way.
 */
public final class UdpServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UdpServer.class);
  private static final int LONGEST_QUERY = 4096;
  private static final int RECEIVE_BUFFER = 4 << 20;

  private final DatagramChannel channel;
  private final Responder responder;
  private final QueryStats stats;
  private final Thread thread;

  private UdpServer(
      DatagramChannel channel, Responder responder, QueryStats stats, FaultHandler faults) {
    this.channel = channel;
    this.responder = responder;
    this.stats = stats;
    this.thread =
        Thread.ofPlatform()
            .name("dns-udp")
            .unstarted(() -> {
              try {
                run();
              } catch (Throwable t) {
                faults.fault("answering DNS over UDP", t);
              }
            });
  }

  /** Binds and starts. @throws IOException the address cannot be bound; says which */
  public static UdpServer start(
      InetSocketAddress address,
      ServerSockets sockets,
      Responder responder,
      QueryStats stats,
      FaultHandler faults)
      throws IOException {
    DatagramChannel channel;
    try {
      channel = sockets.udp(address);
    } catch (IOException e) {
      throw new IOException("cannot listen on " + address + " by UDP: " + e.getMessage(), e);
    }
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
    var server = new UdpServer(channel, responder, stats, faults);
    server.thread.start();
    return server;
  }

  /** The bound address. */
  public InetSocketAddress address() throws IOException {
    return (InetSocketAddress) channel.getLocalAddress();
  }

  private void run() {
    var buffer = ByteBuffer.allocate(LONGEST_QUERY);
    while (channel.isOpen()) {
      try {
        buffer.clear();
        var client = channel.receive(buffer);
        var octets = Arrays.copyOf(buffer.array(), buffer.position());
        stats.query(Transport.UDP);
        switch (responder.respond(octets, Transport.UDP)) {
          case Reply.Send(var answer) -> send(answer, client);
          case Reply.Drop _ -> stats.dropped();
          case Reply.Elsewhere(var pending) -> {
            stats.forwarded();
            Thread.ofVirtual()
                .name("dns-forward")
                .start(() -> send(responder.resolve(pending), client));
          }
        }
      } catch (ClosedChannelException _) {
        return;
      } catch (IOException e) {
        // e.g. ICMP unreachable of an earlier answer: concerns one client, not the server
        stats.failed();
        LOG.atDebug().addKeyValue("cause", e.toString()).log("receiving failed");
      }
    }
  }

  private void send(byte[] answer, SocketAddress client) {
    try {
      channel.send(ByteBuffer.wrap(answer), client);
      stats.answer(answer);
    } catch (ClosedChannelException _) {
      // stopping: the client asks again
    } catch (IOException e) {
      stats.failed();
      LOG.atDebug().addKeyValue("cause", e.toString()).log("sending failed");
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
