package io.fairlead.bench;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that each wait for an answer before they ask again. Stateless. */
final class Clients {
  private Clients() {}

  /** One call; its number among all. */
  @FunctionalInterface
  interface Call {
    void make(int number) throws Exception;
  }

  /**
   * Makes so many calls; the first failure ends it.
   *
   * @return how long all took
   */
  static Duration run(int clients, int calls, Samples samples, Call call) throws Exception {
    var next = new AtomicInteger();
    long start = System.nanoTime();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running =
          java.util.stream.IntStream.range(0, clients)
              .mapToObj(_ ->
                  threads.submit(() -> {
                    for (int i = next.getAndIncrement(); i < calls; i = next.getAndIncrement()) {
                      long from = System.nanoTime();
                      call.make(i);
                      samples.add(Duration.ofNanos(System.nanoTime() - from));
                    }
                    return true;
                  }))
              .toList();
      try {
        for (var client : running) {
          client.get();
        }
      } catch (Exception e) {
        threads.shutdownNow();
        throw e;
      }
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }
}
