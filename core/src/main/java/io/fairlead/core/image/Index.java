package io.fairlead.core.image;

import java.util.SortedSet;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * A persistent multimap, both sides sorted; a key without values is not there, so equal contents
 * are equal.
 */
record Index<K extends Comparable<K>, V extends Comparable<V>>(TreePMap<K, TreePSet<V>> byKey) {
  static <K extends Comparable<K>, V extends Comparable<V>> Index<K, V> empty() {
    return new Index<>(TreePMap.<K, TreePSet<V>>empty());
  }

  SortedSet<V> get(K key) {
    return byKey.getOrDefault(key, TreePSet.empty());
  }

  Index<K, V> plus(K key, V value) {
    var values = byKey.getOrDefault(key, TreePSet.empty());
    return new Index<>(byKey.plus(key, values.plus(value)));
  }

  Index<K, V> minus(K key, V value) {
    var values = byKey.getOrDefault(key, TreePSet.empty()).minus(value);
    return new Index<>(values.isEmpty() ? byKey.minus(key) : byKey.plus(key, values));
  }
}
