package io.fairlead.core.image;

import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import org.pcollections.TreePMap;

/**
 * EndpointSlices that somebody wrote, by namespace and name, sorted. Immutable; derived wholly from
 * the log.
 *
 * @param byService names of the slices whose label names a Service
 */
public record SlicesImage(
    TreePMap<ObjectName, Versioned<ManualSlice>> byName, Index<ObjectName, ObjectName> byService) {
  public static final SlicesImage EMPTY = new SlicesImage(TreePMap.empty(), Index.empty());

  public Optional<Versioned<ManualSlice>> get(ObjectName name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Sorted by namespace and name. */
  public Collection<Versioned<ManualSlice>> all() {
    return byName.values();
  }

  /** Sorted by name. */
  public Collection<Versioned<ManualSlice>> inNamespace(String namespace) {
    return Namespaces.part(byName, namespace).values();
  }

  /** Those whose label names that Service, whether or not it is there; sorted by name. */
  public List<Versioned<ManualSlice>> of(ObjectName service) {
    return byService.get(service).stream().flatMap(name -> get(name).stream()).toList();
  }

  /** Every Service that a slice names, whether or not it is there; sorted. */
  public SortedSet<ObjectName> services() {
    return byService.byKey().keySet();
  }

  SlicesImage with(Versioned<ManualSlice> slice) {
    var name = slice.object().name();
    return new SlicesImage(
        byName.plus(name, slice), without(name).byService.plus(slice.object().service(), name));
  }

  SlicesImage without(ObjectName name) {
    var before = byName.get(name);
    return before == null
        ? this
        : new SlicesImage(byName.minus(name), byService.minus(before.object().service(), name));
  }
}
