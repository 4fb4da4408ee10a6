package io.fairlead.core.image;

import io.fairlead.core.model.Namespace;
import java.util.Collection;
import java.util.Optional;
import org.pcollections.TreePMap;

/** Namespaces that were made, by name, sorted. Immutable; derived wholly from the log. */
public record NamespacesImage(TreePMap<String, Versioned<Namespace>> byName) {
  public static final NamespacesImage EMPTY = new NamespacesImage(TreePMap.empty());

  public Optional<Versioned<Namespace>> get(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Sorted by name. */
  public Collection<Versioned<Namespace>> all() {
    return byName.values();
  }

  NamespacesImage with(Versioned<Namespace> namespace) {
    return new NamespacesImage(byName.plus(namespace.object().meta().name(), namespace));
  }

  NamespacesImage without(String name) {
    return new NamespacesImage(byName.minus(name));
  }
}
