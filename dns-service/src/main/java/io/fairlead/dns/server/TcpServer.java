package io.fairlead.dns.server;

import io.fairlead.core.run.FaultHandler;
import io.fairlead.dns.wire.Reply;
import io.fairlead.dns.wire.Responder;
import io.fairlead.dns.wire.Transport;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers DNS over TCP (RFC 7766) on one address: a virtual thread for each connection, queries of
 * one connection in their order. Connections are bounded in number and in idle time.
 */
public final class TcpServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TcpServer.class);

  private final ServerSocketChannel listener;
  private final Responder responder;
  private final QueryStats stats;
  private final Duration idle;
  private final Semaphore connections;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final Thread thread;

  private TcpServer(
      ServerSocketChannel listener,
      Responder responder,
      QueryStats stats,
      Limits limits,
      FaultHandler faults) {
    this.listener = listener;
    this.responder = responder;
    this.stats = stats;
    this.idle = limits.idle();
    this.connections = new Semaphore(limits.connections());
    this.thread =
        Thread.ofPlatform()
            .name("dns-tcp")
            .unstarted(() -> {
              try {
                run();
              } catch (Throwable t) {
                faults.fault("accepting DNS over TCP", t);
              }
            });
  }

  /**
   * @param connections at one time; one more is closed at once
   * @param idle after which a connection without a query is closed
   */
  public record Limits(int connections, Duration idle) {}

  /** Binds and starts. @throws IOException the address cannot be bound; says which */
  public static TcpServer start(
      InetSocketAddress address,
      ServerSockets sockets,
      Responder responder,
      QueryStats stats,
      Limits limits,
      FaultHandler faults)
      throws IOException {
    ServerSocketChannel listener;
    try {
      listener = sockets.tcp(address);
    } catch (IOException e) {
      throw new IOException("cannot listen on " + address + " by TCP: " + e.getMessage(), e);
    }
    var server = new TcpServer(listener, responder, stats, limits, faults);
    server.thread.start();
    return server;
  }

  /** The bound address. */
  public InetSocketAddress address() throws IOException {
    return (InetSocketAddress) listener.getLocalAddress();
  }

  private void run() {
    while (listener.isOpen()) {
      try {
        var socket = listener.accept().socket();
        if (!connections.tryAcquire()) {
          stats.refusedConnection();
          socket.close();
          continue;
        }
        open.add(socket);
        Thread.ofVirtual().name("dns-tcp-connection").start(() -> serve(socket));
      } catch (ClosedChannelException _) {
        return; // closed
      } catch (IOException e) {
        stats.failed();
        LOG.atDebug().addKeyValue("cause", e.toString()).log("accepting failed");
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setSoTimeout((int) idle.toMillis());
      socket.setTcpNoDelay(true);
      var in = new DataInputStream(socket.getInputStream());
      var out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
      while (true) {
        var octets = new byte[in.readUnsignedShort()];
        in.readFully(octets);
        stats.query(Transport.TCP);
        switch (responder.respond(octets, Transport.TCP)) {
          case Reply.Send(var answer) -> send(out, answer);
          case Reply.Drop _ -> {
            stats.dropped();
            return; // whoever sends that speaks something else
          }
          case Reply.Elsewhere(var pending) -> {
            stats.forwarded();
            send(out, responder.resolve(pending));
          }
        }
      }
    } catch (EOFException | SocketTimeoutException _) {
      // the client is done, or idle
    } catch (IOException e) {
      stats.failed();
      LOG.atDebug().addKeyValue("cause", e.toString()).log("connection failed");
    } finally {
      open.remove(socket);
      connections.release();
    }
  }

  private void send(DataOutputStream out, byte[] answer) throws IOException {
    out.writeShort(answer.length);
    out.write(answer);
    out.flush(); // length and message in one segment
    stats.answer(answer);
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (var socket : open) {
      socket.close();
    }
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
