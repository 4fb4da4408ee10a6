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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.pcollections.OrderedPSet;

/**
 * Addresses that a Service lost within the last minute: nodes that lag behind may still send their
 * traffic to its Pods, so they are given out last. Soft: a new owner knows of those that it saw in
 * the log. Written by the loader's thread, read by the owner's.
 */
public final class FreshlyFreed implements Publisher {
  static final Duration KEPT = Duration.ofMinutes(1);

  /** So that deletions in bulk stay cheap to remember: the oldest go first. */
  static final int MOST = 4096;

  private final Time time;

  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  /** When each was freed last, oldest first. */
  private final LinkedHashMap<Address, Long> freedNanos = new LinkedHashMap<>();

  /** Its keys, for decisions: a change costs a logarithm of how many there are, wherever it is. */
  private OrderedPSet<Address> view = OrderedPSet.empty();

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
      for (var address : freed) {
        freedNanos.putLast(address, now); // freed twice: the later time counts
        view = view.minus(address).plus(address);
        if (freedNanos.size() > MOST) {
          forgetOldest();
        }
      }
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

  /** In this order, oldest first. Some may be in use again. Does not change any more. */
  public Set<Address> recent() {
    long now = time.nanoTime();
    lock.lock();
    try {
      while (!freedNanos.isEmpty() && now - freedNanos.firstEntry().getValue() >= KEPT.toNanos()) {
        forgetOldest();
      }
      return view;
    } finally {
      lock.unlock();
    }
  }

  private void forgetOldest() {
    view = view.minus(freedNanos.pollFirstEntry().getKey());
  }
}
