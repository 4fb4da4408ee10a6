package io.fairlead.agent.probe;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Looks up the hosts that probes name, on threads that are nobody else's: the system's lookup
 * cannot be interrupted and holds the processor that a virtual thread runs on, so that a few name
 * servers without an answer would stop all probes and this process's HTTP. Thread-safe; owned by
 * the prober. At most {@link #MOST} threads.
 */
final class HostLookup {
  private static final int MOST = 16;

  /** The system's. */
  interface Resolver {
    InetAddress byName(String host) throws UnknownHostException;
  }

  private final Resolver resolver;
  private final Semaphore free = new Semaphore(MOST);

  HostLookup(Resolver resolver) {
    this.resolver = resolver;
  }

  static HostLookup ofSystem() {
    return new HostLookup(InetAddress::getByName);
  }

  /**
   * The address of that host; at once where it is an address.
   *
   * @throws SocketTimeoutException no answer in time, or too many lookups wait for theirs
   * @throws UnknownHostException there is no such host
   */
  InetAddress address(String host, Deadline deadline) throws IOException {
    try {
      return InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException _) {
      // a name
    }
    if (!free.tryAcquire()) {
      throw new SocketTimeoutException("too many hosts are being looked up");
    }
    var task =
        new FutureTask<InetAddress>(() -> {
          try {
            return resolver.byName(host);
          } finally {
            free.release();
          }
        });
    Thread.ofPlatform().daemon().name("lookup-" + host).start(task);
    try {
      return task.get(deadline.leftMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      throw new SocketTimeoutException("no address of " + host + " in time");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while " + host + " was looked up");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof UnknownHostException
          ? new UnknownHostException(host)
          : new IOException("cannot look up " + host, e.getCause());
    }
  }
}
