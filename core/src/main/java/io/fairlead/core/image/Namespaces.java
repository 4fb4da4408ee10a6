package io.fairlead.core.image;

import io.fairlead.core.model.ObjectName;
import org.pcollections.TreePMap;

/** Parts of maps that are sorted by namespace and name. */
final class Namespaces {
  private Namespaces() {}

  /** The entries of one namespace; costs the depth of the tree. */
  static <V> TreePMap<ObjectName, V> part(TreePMap<ObjectName, V> byName, String namespace) {
    return byName.subMap(first(namespace), first(namespace + '\0')); // the next text there is
  }

  /** Likewise. */
  static <V> SortedTable<ObjectName, V> part(SortedTable<ObjectName, V> byName, String namespace) {
    return byName.range(first(namespace), first(namespace + '\0'));
  }

  private static ObjectName first(String namespace) {
    return new ObjectName(namespace, "");
  }
}
