package io.fairlead.core.image;

import io.fairlead.core.model.Node;
import java.util.Collection;
import java.util.Optional;
import org.pcollections.TreePMap;

/** Nodes by name, sorted. Immutable; derived wholly from the log. */
public record NodesImage(TreePMap<String, Versioned<Node>> byName) {
  public static final NodesImage EMPTY = new NodesImage(TreePMap.empty());

  public Optional<Versioned<Node>> get(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Sorted by name. */
  public Collection<Versioned<Node>> all() {
    return byName.values();
  }

  NodesImage with(Versioned<Node> node) {
    return new NodesImage(byName.plus(node.object().name(), node));
  }

  NodesImage without(String name) {
    return new NodesImage(byName.minus(name));
  }
}
