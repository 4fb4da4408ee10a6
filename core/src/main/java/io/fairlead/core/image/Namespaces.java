package io.fairlead.core.image;

import io.fairlead.core.model.ObjectName;
import org.pcollections.TreePMap;

/** Parts of maps that are sorted by namespace and name. */
final class Namespaces {
  private Namespaces() {}

  /** The entries of one namespace; costs the depth of the tree. */
  static <V> TreePMap<ObjectName, V> part(TreePMap<ObjectName, V> byName, String namespace) {
    return byName.subMap(
        new ObjectName(namespace, ""),
        new ObjectName(namespace + '\0', "")); // the next text there is
  }
}
