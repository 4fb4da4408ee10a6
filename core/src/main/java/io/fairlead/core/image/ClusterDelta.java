package io.fairlead.core.image;

import io.fairlead.core.image.ClusterImage.Summary;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a run of events changes in a base image: for each key the last thing they say. Scratch that
 * dies after {@link #apply}; owned by the loader's thread.
 */
public final class ClusterDelta {
  private final ClusterImage base;
  private final SortedMap<ObjectKey, Latest> latest = new TreeMap<>();

  private sealed interface Latest {
    LogPartition partition();
  }

  private record Stored(LogPartition partition, Versioned<DomainObject> versioned)
      implements Latest {}

  private record Gone(LogPartition partition) implements Latest {}

  public ClusterDelta(ClusterImage base) {
    this.base = base;
  }

  public ClusterImage base() {
    return base;
  }

  /** Takes the next event in; within each key in the order of the log. */
  public void replay(LogEntry entry) {
    switch (entry.event()) {
      case LogEvent.Stored(var object, _) ->
          latest.put(
              object.key(), new Stored(entry.partition(), Versioned.at(object, entry.offset())));
      case LogEvent.Deleted(var key, _, _) -> gone(key, entry.partition());
      case LogEvent.Tombstone(var key) -> gone(key, entry.partition());
    }
  }

  private void gone(ObjectKey key, LogPartition partition) {
    if (base.get(key).isPresent()) {
      latest.put(key, new Gone(partition));
    } else {
      latest.remove(key); // nobody who knows the base ever saw it
    }
  }

  /**
   * Takes back what happened to a key, as a step back in the log does.
   *
   * @param before what the step leads back to; empty = nothing was there
   */
  public void restore(
      ObjectKey key,
      LogPartition partition,
      Optional<? extends Versioned<? extends DomainObject>> before) {
    if (before.isPresent()) {
      DomainObject object = before.get().object();
      latest.put(key, new Stored(partition, Versioned.at(object, before.get().offset())));
    } else {
      gone(key, partition);
    }
  }

  /** The base after the events. */
  public ClusterImage apply() {
    var image = base;
    var summaries = new TreeMap<LogPartition, Summary>();
    for (var entry : latest.entrySet()) {
      var key = entry.getKey();
      var partition = entry.getValue().partition();
      var summary =
          summaries.getOrDefault(partition, base.summaries().getOrDefault(partition, Summary.NONE));
      var before = base.get(key);
      if (before.isPresent()) {
        summary = summary.minus(before.get().object());
      }
      switch (entry.getValue()) {
        case Stored(_, var versioned) -> {
          image = image.stored(versioned);
          summary = summary.plus(versioned.object());
        }
        case Gone _ -> image = image.removed(key);
      }
      summaries.put(partition, summary);
    }
    for (var summary : summaries.entrySet()) {
      image = image.withSummary(summary.getKey(), summary.getValue());
    }
    return image;
  }

  /** Whether applying it gives the base. */
  public boolean isEmpty() {
    return latest.isEmpty();
  }

  /** Keys that were stored or removed, sorted. */
  public SortedSet<ObjectKey> keys() {
    return Collections.unmodifiableSortedSet(new TreeSet<>(latest.keySet()));
  }

  /** What the events leave under a key that is among {@link #keys}; empty = it is removed. */
  public Optional<Versioned<DomainObject>> stored(ObjectKey key) {
    return Optional.ofNullable(latest.get(key))
        .flatMap(
            l -> l instanceof Stored(_, var versioned) ? Optional.of(versioned) : Optional.empty());
  }

  /** Services that were stored or removed. */
  public SortedSet<ObjectName> services() {
    return names(Kind.SERVICE);
  }

  /** Pods that were stored or removed, or whose readiness was. */
  public SortedSet<ObjectName> pods() {
    var names = new TreeSet<>(names(Kind.POD));
    names.addAll(names(Kind.POD_READINESS));
    return Collections.unmodifiableSortedSet(names);
  }

  /** EndpointSlices that somebody stored or removed. */
  public SortedSet<ObjectName> slices() {
    return names(Kind.ENDPOINT_SLICE);
  }

  /** Nodes that were stored or removed. */
  public SortedSet<String> nodes() {
    return clusterNames(Kind.NODE);
  }

  /** Namespaces that were made or deleted. */
  public SortedSet<String> namespaces() {
    return clusterNames(Kind.NAMESPACE);
  }

  /** ServiceCIDRs that were stored or removed. */
  public SortedSet<String> serviceCidrs() {
    return clusterNames(Kind.SERVICE_CIDR);
  }

  private SortedSet<ObjectName> names(Kind kind) {
    var names = new TreeSet<ObjectName>();
    for (var key : latest.keySet()) {
      if (key.kind() == kind) {
        names.add(key.objectName());
      }
    }
    return Collections.unmodifiableSortedSet(names);
  }

  private SortedSet<String> clusterNames(Kind kind) {
    var names = new TreeSet<String>();
    for (var key : latest.keySet()) {
      if (key.kind() == kind) {
        names.add(key.name());
      }
    }
    return Collections.unmodifiableSortedSet(names);
  }
}
