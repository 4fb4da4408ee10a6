package io.fairlead.endpoints.stream;

import io.fairlead.core.model.LogPartition;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The log's end offsets of the moment, asked for by many at once: whoever comes while a look is
 * under way shares the next one. So a thousand agents that come back cost a few looks. Thread-safe.
 */
public final class EndOffsets {
  private final Supplier<Map<LogPartition, Long>> look;

  /** Held while Kafka is asked, by one caller for all who wait. */
  private final ReentrantLock turn = new ReentrantLock();

  /** Guards {@code next}. */
  private final ReentrantLock lock = new ReentrantLock();

  private CompletableFuture<Map<LogPartition, Long>> next = new CompletableFuture<>();

  /**
   * Wraps a look.
   *
   * @param look asks the log; blocks, may throw a GatewayException
   */
  public EndOffsets(Supplier<Map<LogPartition, Long>> look) {
    this.look = look;
  }

  /** End offsets that were taken after this was called. Blocks; throws what the look throws. */
  Map<LogPartition, Long> now() {
    CompletableFuture<Map<LogPartition, Long>> mine;
    lock.lock();
    try {
      mine = next; // nobody began this one: whoever does, does it after this moment
    } finally {
      lock.unlock();
    }
    turn.lock();
    try {
      if (!mine.isDone()) {
        begin();
        try {
          mine.complete(look.get());
        } catch (RuntimeException e) {
          mine.completeExceptionally(e);
        }
      }
    } finally {
      turn.unlock();
    }
    try {
      return mine.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private void begin() {
    lock.lock();
    try {
      next = new CompletableFuture<>();
    } finally {
      lock.unlock();
    }
  }
}
