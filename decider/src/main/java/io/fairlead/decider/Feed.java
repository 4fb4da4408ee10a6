package io.fairlead.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.file.RawEntry;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What the loader delivered, for the deciders: the image of the moment, the requests of the last
 * hour, and who waits for a position or for a record of its own. Handed to the loader as its last
 * publisher, so that whoever is answered finds what the others make of the record, too. Written by
 * the loader's thread only; read by all.
 */
public final class Feed implements Publisher {
  /** Image and how far it was read; they belong together. */
  public record State(ClusterImage image, Position position) {}

  /** An own record, delivered; and the state that has it. */
  record Delivered(LogEntry entry, State state) {}

  private record Waiter(Map<LogPartition, Long> next, CompletableFuture<State> reached) {}

  private final RequestMemory memory;

  /** Guards the fields below; state is written under it and read without. */
  private final ReentrantLock lock = new ReentrantLock();

  private final List<Waiter> waiters = new ArrayList<>();
  private final Map<UUID, CompletableFuture<Delivered>> expected = new HashMap<>();
  private volatile State state;

  /** Remembers up to 100,000 requests for each partition, in 128 MiB together. */
  public Feed(LogIdentity log) {
    this.memory = new RequestMemory(RequestMemory.Limits.DEFAULT);
    this.state = new State(ClusterImage.EMPTY, Position.start(log));
  }

  /** Takes the next step. */
  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    var position = manifest.position();
    var entries = manifest.entries();
    entries.forEach(memory::add);
    var next = new State(image, position);
    var reached = new ArrayList<Waiter>();
    var delivered = new HashMap<CompletableFuture<Delivered>, Delivered>();
    lock.lock();
    try {
      state = next;
      waiters.removeIf(waiter -> {
        boolean ready = position.coversOffsets(waiter.next);
        if (ready) {
          reached.add(waiter);
        }
        return ready || waiter.reached.isDone();
      });
      if (!expected.isEmpty()) {
        for (var entry : entries) {
          RequestMemory.envelope(entry.event())
              .map(envelope -> expected.remove(envelope.eventId()))
              .ifPresent(future -> delivered.put(future, new Delivered(entry, next)));
        }
      }
    } finally {
      lock.unlock();
    }
    reached.forEach(waiter -> waiter.reached.complete(next));
    delivered.forEach(CompletableFuture::complete);
  }

  public State current() {
    return state;
  }

  /** Completes when everything before those offsets is in the image. */
  CompletableFuture<State> applied(Map<LogPartition, Long> next) {
    var reached = new CompletableFuture<State>();
    lock.lock();
    try {
      if (!state.position.coversOffsets(next)) {
        waiters.add(new Waiter(Map.copyOf(next), reached));
        return reached;
      }
    } finally {
      lock.unlock();
    }
    reached.complete(state);
    return reached;
  }

  /** Waits for {@link #applied}; nobody is waited for after the limit. */
  State awaitApplied(Map<LogPartition, Long> next, Duration limit)
      throws InterruptedException, TimeoutException {
    var reached = applied(next);
    try {
      return reached.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a state is never awaited in vain", e);
    } finally {
      reached.cancel(false);
    }
  }

  /** To be called before the record is appended. */
  CompletableFuture<Delivered> expect(UUID eventId) {
    var delivered = new CompletableFuture<Delivered>();
    lock.lock();
    try {
      expected.put(eventId, delivered);
    } finally {
      lock.unlock();
    }
    return delivered;
  }

  /** They will not come, or nobody waits any more. */
  void forget(Collection<UUID> eventIds) {
    lock.lock();
    try {
      eventIds.forEach(expected::remove);
    } finally {
      lock.unlock();
    }
  }

  /** The requests that are remembered, for whoever keeps them with an image. */
  public List<RawEntry> requests() {
    return memory.entries();
  }

  /** Before the first step: remembers what was kept with the image that it begins with. */
  public void remember(List<RawEntry> requests) {
    requests.forEach(request -> request.decode().ifPresent(memory::add));
  }

  RequestMemory memory() {
    return memory;
  }

  /** How many requests are remembered, for metrics. */
  public int remembered() {
    return memory.size();
  }

  /** How many requests were forgotten before their hour was over, for metrics. */
  public long forgottenEarly() {
    return memory.forgottenEarly();
  }
}
