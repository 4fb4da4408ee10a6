package io.fairlead.core.image;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * As {@link Index}, for what changes by the thousand, see {@link SortedTable}: a persistent
 * multimap, both sides sorted; a key without values is not there.
 */
record SortedIndex<K extends Comparable<K>, V extends Comparable<V>>(
    SortedTable<K, SortedNames<V>> byKey) {
  static <K extends Comparable<K>, V extends Comparable<V>> SortedIndex<K, V> empty() {
    return new SortedIndex<>(SortedTable.<K, SortedNames<V>>empty());
  }

  SortedSet<V> get(K key) {
    return byKey.find(key).orElse(SortedNames.empty());
  }

  /** What to change, by key; under each key each value once. */
  static final class Changes<K extends Comparable<K>, V extends Comparable<V>> {
    private final Map<K, Group<K, V>> groups = new HashMap<>();

    void add(K key, V value) {
      of(key).add(new SortedNames.Edit<>(value, SortedNames.Becomes.PRESENT));
    }

    void remove(K key, V value) {
      of(key).add(new SortedNames.Edit<>(value, SortedNames.Becomes.ABSENT));
    }

    private List<SortedNames.Edit<V>> of(K key) {
      return groups.computeIfAbsent(key, k -> new Group<>(k, new ArrayList<>())).edits();
    }
  }

  private record Group<K extends Comparable<K>, V extends Comparable<V>>(
      K key, List<SortedNames.Edit<V>> edits) implements SortedTable.Edit<K, SortedNames<V>> {
    @Override
    public @Nullable SortedNames<V> after(@Nullable SortedNames<V> before) {
      edits.sort(Comparator.comparing(SortedNames.Edit::key));
      var after = (before == null ? SortedNames.<V>empty() : before).edited(edits);
      return after.isEmpty() ? null : after;
    }
  }

  SortedIndex<K, V> edited(Changes<K, V> changes) {
    if (changes.groups.isEmpty()) {
      return this;
    }
    var groups = new ArrayList<>(changes.groups.values());
    groups.sort(Comparator.comparing(Group::key));
    return new SortedIndex<>(byKey.edited(groups));
  }
}
