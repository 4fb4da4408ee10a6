package io.fairlead.core.image;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What a run of events changes in a base image: for each key the last thing they say. Scratch that
 * dies after {@link #apply}; owned by the loader's thread.
 */
public final class ClusterDelta {
  private final ClusterImage base;

  /** The base after all but the fresh ones. */
  private ClusterImage image;

  /**
   * What came since the image, in that order, which is often nearly that of names; of a key that is
   * removed, too, whether or not it was there.
   */
  private Map<ObjectKey, Latest> fresh = new LinkedHashMap<>();

  /** What the image has that the base has not; only keys that one of them has. */
  private Map<ObjectKey, Latest> latest = new HashMap<>();

  /**
   * The last thing that was said of a key.
   *
   * @param stored empty = it is removed
   */
  record Latest(ObjectKey key, LogPartition partition, Optional<Versioned<DomainObject>> stored) {}

  public ClusterDelta(ClusterImage base) {
    this.base = base;
    this.image = base;
  }

  public ClusterImage base() {
    return base;
  }

  /** Takes the next event in; within each key in the order of the log. */
  public void replay(LogEntry entry) {
    switch (entry.event()) {
      case LogEvent.Stored(var object, _) ->
          put(object.key(), entry.partition(), Optional.of(Versioned.at(object, entry.offset())));
      case LogEvent.Deleted(var key, _, _) -> put(key, entry.partition(), Optional.empty());
      case LogEvent.Tombstone(var key) -> put(key, entry.partition(), Optional.empty());
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
    put(key, partition, before.map(versioned -> versioned.as(DomainObject.class)));
  }

  private void put(
      ObjectKey key, LogPartition partition, Optional<Versioned<DomainObject>> stored) {
    fresh.put(key, new Latest(key, partition, stored));
  }

  /** Takes the fresh ones into the image, all at once: that is much cheaper than one by one. */
  private void fold() {
    if (fresh.isEmpty()) {
      return;
    }
    image = image.after(fresh.values());
    if (latest.isEmpty()) {
      latest = fresh;
    } else {
      latest.putAll(fresh);
    }
    var traceless = new ArrayList<ObjectKey>(); // nobody who knows the base ever saw them
    for (var change : fresh.values()) {
      if (change.stored().isEmpty() && base.get(change.key()).isEmpty()) {
        traceless.add(change.key());
      }
    }
    traceless.forEach(latest::remove);
    fresh = new LinkedHashMap<>();
  }

  private Map<ObjectKey, Latest> all() {
    fold();
    return latest;
  }

  /** The base after the events. */
  public ClusterImage apply() {
    fold();
    return image;
  }

  /** Whether applying it gives the base. */
  public boolean isEmpty() {
    return all().isEmpty();
  }

  /** Keys that were stored or removed, sorted. */
  public SortedSet<ObjectKey> keys() {
    return Collections.unmodifiableSortedSet(new TreeSet<>(all().keySet()));
  }

  /** What the events leave under a key that is among {@link #keys}; empty = it is removed. */
  public Optional<Versioned<DomainObject>> stored(ObjectKey key) {
    return Optional.ofNullable(all().get(key)).flatMap(Latest::stored);
  }

  /** Services that were stored or removed. */
  public SortedSet<ObjectName> services() {
    return names(Kind.SERVICE);
  }

  /**
   * Pods that were stored or removed, or whose readiness was; and those that claim ports of an
   * address of one that came, went or changed: which of them has a port may have changed.
   */
  public SortedSet<ObjectName> pods() {
    var stored = names(Kind.POD);
    var names = new TreeSet<>(stored);
    names.addAll(names(Kind.POD_READINESS));
    for (var name : stored) {
      var before = base.pods().get(name).map(Versioned::object);
      var after =
          stored(ObjectKey.of(Kind.POD, name))
              .flatMap(v -> v.object() instanceof Pod pod ? Optional.of(pod) : Optional.empty());
      before.ifPresent(pod -> names.addAll(base.pods().sharing(pod)));
      // those that came together are named anyway
      after
          .filter(pod -> before.filter(b -> isAtSameAddresses(b, pod)).isEmpty())
          .ifPresent(pod -> names.addAll(base.pods().sharing(pod)));
    }
    return Collections.unmodifiableSortedSet(names);
  }

  private static boolean isAtSameAddresses(Pod one, Pod other) {
    return PodClaims.addresses(one).equals(PodClaims.addresses(other));
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
    for (var key : all().keySet()) {
      if (key.kind() == kind) {
        names.add(key.objectName());
      }
    }
    return Collections.unmodifiableSortedSet(names);
  }

  private SortedSet<String> clusterNames(Kind kind) {
    var names = new TreeSet<String>();
    for (var key : all().keySet()) {
      if (key.kind() == kind) {
        names.add(key.name());
      }
    }
    return Collections.unmodifiableSortedSet(names);
  }
}
