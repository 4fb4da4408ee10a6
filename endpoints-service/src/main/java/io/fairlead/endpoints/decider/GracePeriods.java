package io.fairlead.endpoints.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * When Pods whose deletion was asked for go for good. A grace period is what its record says, from
 * when it was accepted until the deadline, both by the clock of whoever decided; it runs from when
 * this process read the record, by its monotonic clock. So a clock that is wrong, or is set, makes
 * no grace period shorter or longer; but where only the Pod is known and not the record, as after a
 * start from a snapshot, what is left of the deadline by this machine's clock. Thread-safe. Soft: a
 * process that starts otherwise gives every Pod its whole grace period again.
 */
final class GracePeriods {
  /** A Pod that ends, and by which deadline: another one is another period. */
  private record Ending(UUID uid, Instant deadline) {}

  private record Period(Ending ending, long endNanos) {}

  private final Map<ObjectName, Period> periods = new ConcurrentHashMap<>();

  /**
   * The loader applied a delta; called on its thread.
   *
   * @param entries that led to it; none where it is a kept image
   */
  void update(
      ClusterDelta delta, ClusterImage image, List<LogEntry> entries, Instant now, long nowNanos) {
    if (delta.pods().isEmpty()) {
      return;
    }
    var accepted = new HashMap<Ending, Instant>();
    for (var entry : entries) {
      if (entry.event() instanceof LogEvent.Stored(Pod pod, var envelope)) {
        pod.status()
            .deleting()
            .ifPresent(deadline ->
                accepted.putIfAbsent(new Ending(pod.uid(), deadline), envelope.accepted()));
      }
    }
    for (var name : delta.pods()) {
      var pod =
          image
              .pods()
              .get(name)
              .map(Versioned::object)
              .filter(found -> found.status().deleting().isPresent());
      if (pod.isEmpty()) {
        periods.remove(name);
        continue;
      }
      var ending = new Ending(pod.get().uid(), pod.get().status().deleting().get());
      var grace =
          Optional.ofNullable(accepted.get(ending))
              .map(at -> Duration.between(at, ending.deadline()))
              .orElseGet(() -> Duration.between(now, ending.deadline()));
      long endNanos = nowNanos + Math.max(0, grace.toNanos());
      periods.merge(name, new Period(ending, endNanos), GracePeriods::earlier);
    }
  }

  /** Asked for again, a deletion may come earlier, never later. */
  private static Period earlier(Period before, Period later) {
    if (!before.ending().uid().equals(later.ending().uid())) {
      return later;
    }
    return before.ending().equals(later.ending()) || later.endNanos() - before.endNanos() > 0
        ? new Period(later.ending(), before.endNanos())
        : later;
  }

  /** The Pods whose grace period is over. */
  Collection<ObjectName> over(long nowNanos) {
    return periods.entrySet().stream()
        .filter(entry -> nowNanos - entry.getValue().endNanos() >= 0)
        .map(Map.Entry::getKey)
        .toList();
  }
}
