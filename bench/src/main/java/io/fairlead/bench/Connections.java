package io.fairlead.bench;

import io.fairlead.devkit.fabric.FabricPod;
import io.fairlead.devkit.fabric.NetnsSockets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/**
 * New connections over TCP from and to Pods of a fabric. Servers close at once; clients see that
 * and reset, so that neither end has to wait before its port is free.
 */
final class Connections {
  private static final int WARM_UP = 500;

  /** Shorter than the wait before a second SYN: a lost first one is a failure. */
  private static final Duration LIMIT = Duration.ofMillis(900);

  private Connections() {}

  /** Takes connections in a Pod and closes them. */
  static ServerSocketChannel serve(FabricPod pod, int port) throws IOException {
    var server = NetnsSockets.listen(pod.namespace(), new InetSocketAddress(port));
    Thread.ofPlatform()
        .daemon()
        .name("serve-" + pod.namespace())
        .start(() -> {
          try {
            while (true) {
              server.accept().close();
            }
          } catch (IOException _) {
            // closed: the end
          }
        });
    return server;
  }

  private static void connect(InetSocketAddress to) throws IOException {
    try (var channel = SocketChannel.open()) {
      channel.setOption(StandardSocketOptions.SO_LINGER, 0);
      channel.socket().connect(to, Math.toIntExact(LIMIT.toMillis()));
      awaitEnd(channel);
    }
  }

  private static void awaitEnd(SocketChannel connection) throws IOException {
    if (connection.read(ByteBuffer.allocate(1)) >= 0) {
      throw new IOException("the server said something");
    }
  }

  /**
   * Nanoseconds of so many connects, one after another: each waits for its first packet's answer.
   */
  static Histogram latency(FabricPod from, InetSocketAddress to, int count) throws IOException {
    return NetnsSockets.call(
        from.namespace(),
        () -> {
          var nanos = new Histogram(Duration.ofSeconds(10).toNanos(), 3);
          for (int i = -WARM_UP; i < count; i++) {
            try (var channel = SocketChannel.open()) {
              channel.setOption(StandardSocketOptions.SO_LINGER, 0);
              long start = System.nanoTime();
              channel.connect(to);
              if (i >= 0) {
                nanos.recordValue(System.nanoTime() - start);
              }
              awaitEnd(channel);
            }
          }
          return nanos;
        });
  }

  /** Connections a second of so many clients, each with one after another. */
  static double rate(FabricPod from, InetSocketAddress to, int clients, Duration length)
      throws InterruptedException {
    var made = new AtomicLong();
    long start = System.nanoTime();
    try (var load = new Constant(from, to, clients, made)) {
      Thread.sleep(length);
      load.end();
      if (!load.failures().isEmpty()) {
        throw new IllegalStateException("a connection failed", load.failures().getFirst());
      }
      return made.get() * 1e9 / (System.nanoTime() - start);
    }
  }

  /** Clients that connect one after another until they are told to stop. */
  static final class Constant implements AutoCloseable {
    private final AtomicBoolean stop = new AtomicBoolean();
    private final ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong made;

    Constant(FabricPod from, InetSocketAddress to, int clients, AtomicLong made) {
      this.made = made;
      for (int i = 0; i < clients; i++) {
        threads.add(
            Thread.ofPlatform()
                .daemon()
                .name("connect-" + i)
                .start(() ->
                    NetnsSockets.call(
                        from.namespace(),
                        () -> {
                          run(to);
                          return Optional.empty();
                        })));
      }
    }

    private void run(InetSocketAddress to) {
      while (!stop.get()) {
        try {
          connect(to);
          made.incrementAndGet();
        } catch (IOException e) {
          failures.add(e);
        }
      }
    }

    long made() {
      return made.get();
    }

    List<Exception> failures() {
      return List.copyOf(failures);
    }

    /** Waits for the connections under way. */
    void end() throws InterruptedException {
      stop.set(true);
      for (var thread : threads) {
        thread.join();
      }
    }

    @Override
    public void close() {
      stop.set(true);
    }
  }
}
