package io.fairlead.devkit.fabric;

import io.fairlead.devkit.posix.Libc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Sockets of this JVM in other network namespaces. A socket belongs for good to the namespace of
 * the thread that made it, and works from every thread afterwards; so only its making happens on a
 * thread of its own, which has moved there and ends with it.
 *
 * <p>Moves sockets only: files are this process' own, also /etc/resolv.conf, so use addresses and
 * not names there. What makes its sockets on other threads (Netty, {@code java.net.http}) is not
 * moved. Stateless, any thread. Needs root.
 */
public final class NetnsSockets {
  private static final Path NAMESPACES = Path.of("/run/netns");

  private NetnsSockets() {}

  /** What to do in a namespace. */
  @FunctionalInterface
  public interface Work<T, E extends Exception> {
    T run() throws E;
  }

  /**
   * Runs the work on a new platform thread inside the namespace and waits for its result. An
   * interrupt of the caller is passed on to that thread.
   *
   * @param namespace a name that {@code ip netns} lists
   * @throws E what the work throws
   * @throws io.fairlead.devkit.posix.PosixException when there is no such namespace or this process
   *     is not root; the work has not run
   */
  public static <T, E extends Exception> T call(String namespace, Work<T, E> work) throws E {
    var result = new CompletableFuture<T>();
    var file = NAMESPACES.resolve(namespace);
    var thread =
        Thread.ofPlatform()
            .daemon()
            .name("netns-" + namespace)
            .start(() -> {
              try {
                Libc.enterNetworkNamespace(file);
                result.complete(work.run());
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            });
    var interrupted = false;
    try {
      while (true) {
        try {
          return result.get();
        } catch (InterruptedException _) {
          interrupted = true;
          thread.interrupt();
        }
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case Exception checked -> {
          @SuppressWarnings(
              "unchecked") // what is checked can only come from the work, which throws E
          var own = (E) checked;
          throw own;
        }
        case null, default -> throw new IllegalStateException("work in " + namespace, e);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** A listening socket; its accepted connections are in the namespace, too. */
  public static ServerSocketChannel listen(String namespace, InetSocketAddress local)
      throws IOException {
    return call(
        namespace,
        () -> {
          var channel = ServerSocketChannel.open();
          try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            return channel.bind(local, 1024);
          } catch (IOException e) {
            channel.close();
            throw e;
          }
        });
  }

  /** A blocking socket that is not connected yet: connect it from any thread. */
  public static SocketChannel socket(String namespace) throws IOException {
    return NetnsSockets.<SocketChannel, IOException>call(namespace, SocketChannel::open);
  }

  /**
   * A connected, blocking socket.
   *
   * @throws java.net.SocketTimeoutException when nobody answered in time
   */
  public static SocketChannel connect(String namespace, InetSocketAddress remote, Duration limit)
      throws IOException {
    var channel = socket(namespace);
    try {
      channel.socket().connect(remote, Math.toIntExact(limit.toMillis()));
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** A UDP socket. */
  public static DatagramChannel datagram(String namespace, InetSocketAddress local)
      throws IOException {
    return call(
        namespace,
        () -> {
          var channel = DatagramChannel.open();
          try {
            return channel.bind(local);
          } catch (IOException e) {
            channel.close();
            throw e;
          }
        });
  }
}
