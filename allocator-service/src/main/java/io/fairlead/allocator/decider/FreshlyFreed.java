package io.fairlead.allocator.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Addresses that a Service lost within the last minute: nodes that lag behind may still send their
 * traffic to its Pods, so they are given out last. Soft: a new owner knows of those that it saw in
 * the log. Written by the loader's thread, read by the owner's; the lock guards the queue.
 */
public final class FreshlyFreed implements Publisher {
  static final Duration KEPT = Duration.ofMinutes(1);

  /** So that deletions in bulk stay cheap to remember: the oldest go first. */
  static final int MOST = 4096;

  private record Freed(Address address, long nanos) {}

  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Freed> queue = new ArrayDeque<>();

  /** What the queue holds, until it changes: asked for by every decision. */
  private Optional<SequencedSet<Address>> view = Optional.empty();

  public FreshlyFreed(Time time) {
    this.time = time;
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    var freed = new ArrayList<Address>();
    for (var name : delta.services()) {
      var before = addresses(delta.base(), name);
      before.removeAll(addresses(image, name));
      freed.addAll(before);
    }
    if (freed.isEmpty()) {
      return;
    }
    long now = time.nanoTime();
    lock.lock();
    try {
      freed.forEach(address -> queue.add(new Freed(address, now)));
      while (queue.size() > MOST) {
        queue.poll();
      }
      view = Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  private static List<Address> addresses(ClusterImage image, ObjectName service) {
    return new ArrayList<>(
        image
            .services()
            .get(service)
            .map(Versioned::object)
            .map(s -> s.spec().clusterIps())
            .orElse(List.of()));
  }

  /** Oldest first. Some may be in use again. Does not change any more. */
  public SequencedSet<Address> recent() {
    long now = time.nanoTime();
    lock.lock();
    try {
      while (!queue.isEmpty() && now - queue.getFirst().nanos() >= KEPT.toNanos()) {
        queue.poll();
        view = Optional.empty();
      }
      var recent = view.orElseGet(this::copy);
      view = Optional.of(recent);
      return recent;
    } finally {
      lock.unlock();
    }
  }

  private SequencedSet<Address> copy() {
    var recent = new LinkedHashSet<Address>();
    queue.forEach(freed -> recent.addLast(freed.address())); // freed twice: the later time counts
    return Collections.unmodifiableSequencedSet(recent);
  }
}
