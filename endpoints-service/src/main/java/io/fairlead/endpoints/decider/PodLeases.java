package io.fairlead.endpoints.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodLease;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * Which Pods with a lease were not applied again in time. Whoever owns a Pod's partition is told of
 * every request for it, so nobody else has to be asked. A renewal counts when it arrives and not
 * when it is decided: no Pod loses its lease while the log is away. Thread-safe. Soft: a new owner
 * gives every Pod its whole lease again, and so does one that did not look for a while.
 */
public final class PodLeases {
  private final Map<ObjectName, Duration> leased = new ConcurrentHashMap<>();
  private final Map<ObjectName, Long> renewedNanos = new ConcurrentHashMap<>();

  /** Since when this replica owns them; touched by {@link #overdue} only. */
  private final Map<ObjectName, Long> ownedSinceNanos = new HashMap<>();

  private OptionalLong lastLookNanos = OptionalLong.empty();

  /** The loader applied a delta; called on its thread. */
  void update(ClusterDelta delta, ClusterImage image) {
    for (var name : delta.pods()) {
      image
          .pods()
          .get(name)
          .map(Versioned::object)
          .filter(pod -> pod.status().deleting().isEmpty())
          .flatMap(pod -> PodLease.of(pod.meta().annotations()))
          .ifPresentOrElse(lease -> leased.put(name, lease), () -> leased.remove(name));
    }
  }

  /**
   * That somebody applied a Pod.
   *
   * @param beforeNanos when that was before; empty where it is not known
   */
  public record Renewal(ObjectName name, long nanos, Optional<Long> beforeNanos) {}

  /** Somebody applies a Pod that is to have a lease. */
  public Renewal renewed(ObjectName name, long nowNanos) {
    return new Renewal(name, nowNanos, Optional.ofNullable(renewedNanos.put(name, nowNanos)));
  }

  /**
   * It was refused, so the Pod that is there is not what they have: its lease goes on as before,
   * unless another renewal came since.
   */
  public void refused(Renewal renewal) {
    renewedNanos.computeIfPresent(
        renewal.name(),
        (_, nanos) -> nanos == renewal.nanos() ? renewal.beforeNanos().orElse(null) : nanos);
  }

  /**
   * Whether nobody applied a Pod again since it was overdue; false also where it has no lease any
   * more. For whoever decides that it goes, at that moment.
   */
  boolean ranOut(ObjectName name, long nowNanos) {
    var lease = Optional.ofNullable(leased.get(name));
    var renewed = Optional.ofNullable(renewedNanos.get(name));
    return lease.isPresent()
        && renewed.filter(nanos -> nowNanos - nanos < lease.get().toNanos()).isEmpty();
  }

  /**
   * The Pods whose lease ran out. Of one thread.
   *
   * @param owned whether this replica decides about the Pod now
   */
  List<Pod> overdue(ClusterImage image, Predicate<ObjectName> owned, long nowNanos) {
    renewedNanos.keySet().retainAll(leased.keySet());
    ownedSinceNanos.keySet().retainAll(leased.keySet());
    var overdue = new ArrayList<Pod>();
    long unseen = nowNanos - lastLookNanos.orElse(nowNanos);
    lastLookNanos = OptionalLong.of(nowNanos);
    for (var entry : leased.entrySet()) {
      var name = entry.getKey();
      if (!owned.test(name)) {
        ownedSinceNanos.remove(name);
        continue;
      }
      if (unseen >= entry.getValue().toNanos() / 2) {
        // This process stood still, or was no owner for a while: renewals may wait to be read.
        ownedSinceNanos.remove(name);
      }
      long owning = nowNanos - ownedSinceNanos.computeIfAbsent(name, _ -> nowNanos);
      long silent = nowNanos - renewedNanos.getOrDefault(name, nowNanos - owning);
      if (Math.min(owning, silent) >= entry.getValue().toNanos()) {
        image.pods().get(name).map(Versioned::object).ifPresent(overdue::add);
      }
    }
    return overdue;
  }
}
