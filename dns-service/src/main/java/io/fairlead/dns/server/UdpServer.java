package io.fairlead.dns.server;

import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.Time;
import io.fairlead.dns.wire.Reply;
import io.fairlead.dns.wire.Transport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.time.Duration;
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

  /** So that a socket that fails for good does not keep a processor busy. */
  private static final Duration BACK_OFF = Duration.ofMillis(10);

  private final DatagramChannel channel;
  private final GuardedResponder responder;
  private final QueryStats stats;
  private final Time time;
  private final LogLimit limit;
  private final Thread thread;

  private UdpServer(
      DatagramChannel channel,
      GuardedResponder responder,
      QueryStats stats,
      FaultHandler faults,
      Time time) {
    this.channel = channel;
    this.responder = responder;
    this.stats = stats;
    this.time = time;
    this.limit = new LogLimit(time, Duration.ofMinutes(1));
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
      GuardedResponder responder,
      QueryStats stats,
      FaultHandler faults,
      Time time)
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
    var server = new UdpServer(channel, responder, stats, faults, time);
    server.thread.start();
    return server;
  }

  /** The bound address. */
  public InetSocketAddress address() throws IOException {
    return (InetSocketAddress) channel.getLocalAddress();
  }

  private void run() throws InterruptedException {
    var buffer = ByteBuffer.allocate(LONGEST_QUERY);
    while (channel.isOpen()) {
      try {
        buffer.clear();
        var client = channel.receive(buffer);
        answer(Arrays.copyOf(buffer.array(), buffer.position()), client);
      } catch (IOException | RuntimeException e) {
        // Concerns one packet, or all of them for a while: only close() ends this.
        if (channel.isOpen()) {
          stats.failed();
          limit
              .pass()
              .ifPresent(kept ->
                  LOG.atWarn()
                      .setCause(e)
                      .addKeyValue("notLogged", kept)
                      .log("Receiving by UDP failed, going on"));
          time.sleep(BACK_OFF);
        }
      }
    }
  }

  private void answer(byte[] octets, SocketAddress client) {
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
  }

  private void send(byte[] answer, SocketAddress client) {
    try {
      channel.send(ByteBuffer.wrap(answer), client);
      stats.answer(answer);
    } catch (IOException | RuntimeException e) {
      // e.g. a source port of 0: concerns one client, who asks again
      if (channel.isOpen()) {
        stats.failed();
        LOG.atDebug().addKeyValue("cause", e.toString()).log("sending failed");
      }
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
