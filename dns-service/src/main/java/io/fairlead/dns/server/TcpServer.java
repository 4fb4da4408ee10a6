package io.fairlead.dns.server;

import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers DNS over TCP (RFC 7766) on one address: a platform thread that accepts, a virtual thread
 * for each connection, one that closes those that take too long. Holds nothing.
 */
public final class TcpServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TcpServer.class);

  /** Accepting fails while the process has no file descriptor left: others give theirs back. */
  private static final Duration BACK_OFF = Duration.ofMillis(100);

  private static final Duration SLOWEST_LOOK = Duration.ofSeconds(1);

  private final ServerSocketChannel listener;
  private final GuardedResponder responder;
  private final QueryStats stats;
  private final TcpLimits limits;
  private final Time time;
  private final LogLimit limit;
  private final Set<TcpConnection> open = ConcurrentHashMap.newKeySet();

  /** How many are open, by client; the acceptor adds, connections take away. */
  private final ConcurrentMap<InetAddress, Integer> clients = new ConcurrentHashMap<>();

  private final Thread acceptor;
  private final Thread watcher;

  private TcpServer(
      ServerSocketChannel listener,
      GuardedResponder responder,
      QueryStats stats,
      TcpLimits limits,
      FaultHandler faults,
      Time time) {
    this.listener = listener;
    this.responder = responder;
    this.stats = stats;
    this.limits = limits;
    this.time = time;
    this.limit = new LogLimit(time, Duration.ofMinutes(1));
    this.acceptor =
        Thread.ofPlatform()
            .name("dns-tcp")
            .unstarted(() -> {
              try {
                accept();
              } catch (Throwable t) {
                faults.fault("accepting DNS over TCP", t);
              }
            });
    this.watcher = Thread.ofVirtual().name("dns-tcp-watch").unstarted(this::watch);
  }

  /** Binds and starts. @throws IOException the address cannot be bound; says which */
  public static TcpServer start(
      InetSocketAddress address,
      ServerSockets sockets,
      GuardedResponder responder,
      QueryStats stats,
      TcpLimits limits,
      FaultHandler faults,
      Time time)
      throws IOException {
    ServerSocketChannel listener;
    try {
      listener = sockets.tcp(address);
    } catch (IOException e) {
      throw new IOException("cannot listen on " + address + " by TCP: " + e.getMessage(), e);
    }
    var server = new TcpServer(listener, responder, stats, limits, faults, time);
    server.acceptor.start();
    server.watcher.start();
    return server;
  }

  /** The bound address. */
  public InetSocketAddress address() throws IOException {
    return (InetSocketAddress) listener.getLocalAddress();
  }

  /** Connections that are open now. */
  public int connections() {
    return open.size();
  }

  private void accept() throws InterruptedException {
    while (listener.isOpen()) {
      try {
        var socket = listener.accept().socket();
        var connection = new TcpConnection(socket, responder, stats, limits, time);
        if (!admit(connection)) {
          stats.refusedConnection();
          connection.close();
          continue;
        }
        Thread.ofVirtual().name("dns-tcp-connection").start(() -> serve(connection));
      } catch (IOException | RuntimeException e) {
        if (listener.isOpen()) {
          stats.failed();
          limit
              .pass()
              .ifPresent(kept ->
                  LOG.atWarn()
                      .setCause(e)
                      .addKeyValue("notLogged", kept)
                      .log("A connection could not be accepted, going on"));
          time.sleep(BACK_OFF);
        }
      }
    }
  }

  private boolean admit(TcpConnection connection) {
    var client = connection.client();
    if (open.size() >= limits.connections()
        || clients.getOrDefault(client, 0) >= limits.perClient()) {
      return false;
    }
    clients.merge(client, 1, Integer::sum);
    open.add(connection);
    return true;
  }

  private void serve(TcpConnection connection) {
    try {
      connection.serve();
    } finally {
      open.remove(connection);
      clients.computeIfPresent(connection.client(), (_, count) -> count == 1 ? null : count - 1);
    }
  }

  private void watch() {
    var look = shortest(shortest(limits.idle(), limits.message()), limits.write()).dividedBy(4);
    try {
      while (listener.isOpen()) {
        for (var connection : open) {
          if (connection.isOverdue()) {
            expire(connection);
          }
        }
        time.sleep(shortest(look, SLOWEST_LOOK));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private void expire(TcpConnection connection) {
    if (open.remove(connection)) {
      stats.expiredConnection();
      close(connection);
    }
  }

  private static Duration shortest(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static void close(TcpConnection connection) {
    try {
      connection.close();
    } catch (IOException e) {
      LOG.atDebug().addKeyValue("cause", e.toString()).log("closing failed");
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    watcher.interrupt();
    try {
      acceptor.join();
      watcher.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    open.forEach(TcpServer::close);
  }
}
