package io.fairlead.testbed.check;

import io.fairlead.core.model.Address;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Connects again and again, one connection at a time, until closed: what fails is kept with its
 * words. Bounded by its thread: it waits for each answer.
 */
public final class ConstantLoad implements AutoCloseable {
  private static final int KEPT_FAILURES = 100;
  private static final long PAUSE_MILLIS = 5;

  private final AtomicLong succeeded = new AtomicLong();
  private final List<String> failures = java.util.Collections.synchronizedList(new ArrayList<>());
  private final Thread thread;
  private volatile boolean stopping;

  private ConstantLoad(NamespaceClient client, Address address, int port) {
    this.thread =
        Thread.ofPlatform()
            .name("load-" + address)
            .start(() -> {
              while (!stopping) {
                try {
                  client.get(address, port, "/");
                  succeeded.incrementAndGet();
                  Thread.sleep(
                      PAUSE_MILLIS); // bounds the load: about 150 connections a second at most
                } catch (InterruptedException _) {
                  return;
                } catch (IOException | RuntimeException e) {
                  if (stopping) {
                    return;
                  }
                  if (failures.size() < KEPT_FAILURES) {
                    failures.add(java.time.Instant.now() + " " + e);
                  }
                }
              }
            });
  }

  public static ConstantLoad start(NamespaceClient client, Address address, int port) {
    return new ConstantLoad(client, address, port);
  }

  public long succeeded() {
    return succeeded.get();
  }

  /** What failed, oldest first; at most a hundred. */
  public List<String> failures() {
    return List.copyOf(failures);
  }

  @Override
  public void close() {
    stopping = true;
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
