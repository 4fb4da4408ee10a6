package io.fairlead.core.image;

import java.util.AbstractSet;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** A persistent sorted set that takes many changes in one go, see {@link SortedTable}. */
@SuppressWarnings("JdkObsolete") // as much as anybody asks of one; NavigableSet has 14 methods more
final class SortedNames<K extends Comparable<K>> extends AbstractSet<K> implements SortedSet<K> {
  private static final SortedNames<?> EMPTY =
      new SortedNames<String>(SortedTable.<String, Boolean>empty());

  private final SortedTable<K, Boolean> table;

  private SortedNames(SortedTable<K, Boolean> table) {
    this.table = table;
  }

  @SuppressWarnings("unchecked") // there is nothing in it
  static <K extends Comparable<K>> SortedNames<K> empty() {
    return (SortedNames<K>) EMPTY;
  }

  /** Whether a name will be among them. */
  enum Becomes {
    PRESENT,
    ABSENT
  }

  record Edit<K>(K key, Becomes becomes) implements SortedTable.Edit<K, Boolean> {
    @Override
    public @Nullable Boolean after(@Nullable Boolean before) {
      return becomes == Becomes.PRESENT ? Boolean.TRUE : null;
    }
  }

  /**
   * @param edits rising by key, each key once
   */
  SortedNames<K> edited(List<Edit<K>> edits) {
    return of(table.edited(edits));
  }

  @SuppressWarnings("ReferenceEquality") // the same where nothing was changed
  private SortedNames<K> of(SortedTable<K, Boolean> changed) {
    return changed == table ? this : new SortedNames<>(changed);
  }

  @Override
  public boolean contains(Object name) {
    return table.containsKey(name);
  }

  @Override
  public Iterator<K> iterator() {
    return table.keySet().iterator();
  }

  @Override
  public int size() {
    return table.size();
  }

  @Override
  public @Nullable Comparator<? super K> comparator() {
    return null; // the natural order
  }

  @Override
  public SortedSet<K> subSet(K from, K to) {
    return of(table.range(from, to));
  }

  @Override
  public SortedSet<K> headSet(K to) {
    return of(table.range(null, to));
  }

  @Override
  public SortedSet<K> tailSet(K from) {
    return of(table.range(from, null));
  }

  @Override
  public K first() {
    return table.firstKey();
  }

  @Override
  public K last() {
    return table.lastKey();
  }
}
