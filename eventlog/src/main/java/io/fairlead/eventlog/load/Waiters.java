package io.fairlead.eventlog.load;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The newest snapshot and who waits for a later one. Thread-safe; futures are completed outside its
 * lock.
 */
final class Waiters {
  private record Waiter(Map<LogPartition, Long> offsets, CompletableFuture<Snapshot> future) {}

  /** Guards all fields, so that nobody begins to wait for what was just published. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Set<Waiter> waiting = new HashSet<>();
  private Optional<String> ended = Optional.empty();
  private volatile Snapshot current;

  Waiters(Snapshot start) {
    this.current = start;
  }

  Snapshot current() {
    return current;
  }

  CompletableFuture<Snapshot> await(Map<LogPartition, Long> offsets) {
    var future = new CompletableFuture<Snapshot>();
    lock.lock();
    try {
      if (current.position().coversOffsets(offsets)) {
        future.complete(current);
      } else if (ended.isPresent()) {
        future.completeExceptionally(failure(ended.get()));
      } else {
        var waiter = new Waiter(Map.copyOf(offsets), future);
        waiting.add(waiter);
        // whoever gives up is forgotten at once
        var _ = future.whenComplete((_, _) -> forget(waiter));
      }
    } finally {
      lock.unlock();
    }
    return future;
  }

  private void forget(Waiter waiter) {
    lock.lock();
    try {
      waiting.remove(waiter);
    } finally {
      lock.unlock();
    }
  }

  void publish(Snapshot next) {
    List<Waiter> done = new ArrayList<>();
    lock.lock();
    try {
      current = next;
      for (var waiter : waiting) {
        if (next.position().coversOffsets(waiter.offsets())) {
          done.add(waiter);
        }
      }
    } finally {
      lock.unlock();
    }
    done.forEach(waiter -> waiter.future().complete(next));
  }

  /** Nothing more will be published. */
  void end(String why) {
    List<Waiter> left;
    lock.lock();
    try {
      if (ended.isPresent()) {
        return;
      }
      ended = Optional.of(why);
      left = List.copyOf(waiting);
    } finally {
      lock.unlock();
    }
    left.forEach(waiter -> waiter.future().completeExceptionally(failure(why)));
  }

  int size() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  private static GatewayException failure(String why) {
    return new GatewayException(Outcome.KNOWN_FAILED, why);
  }
}
