package io.fairlead.core.image;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A persistent map, sorted by key, that takes many changes in one go: {@link #edited} goes down the
 * tree once for all of them and copies no node twice, so m changes of n entries cost O(m log(n / m
 * + 1)) comparisons. That is what makes the replay of a log cheap, where changes come by the
 * thousand. Immutable; neither keys nor values are null.
 *
 * <p>A weight-balanced tree, put together by joining (Blelloch, Ferizovic, Sun: Just Join for
 * Parallel Ordered Sets, 2016), with the parameters 3 and 2 that Hirai and Yamamoto proved
 * (Balancing weight-balanced trees, 2011).
 */
final class SortedTable<K extends Comparable<K>, V> extends AbstractMap<K, V> {
  private static final int DELTA = 3;
  private static final int RATIO = 2;
  private static final SortedTable<?, ?> EMPTY = new SortedTable<String, String>(null);

  /** What becomes of one entry. */
  interface Edit<K, V> {
    K key();

    /**
     * @param before null = there is none
     * @return null = there will be none
     */
    @Nullable V after(@Nullable V before);
  }

  /** An entry and what is below it; the entries of the map themselves, so that none is made. */
  private static final class Node<K, V> implements Map.Entry<K, V> {
    private final K key;
    private final V value;
    private final @Nullable Node<K, V> left;
    private final @Nullable Node<K, V> right;
    private final int size;

    Node(K key, V value, @Nullable Node<K, V> left, @Nullable Node<K, V> right) {
      this.key = key;
      this.value = value;
      this.left = left;
      this.right = right;
      this.size = size(left) + size(right) + 1;
    }

    @Override
    public K getKey() {
      return key;
    }

    @Override
    public V getValue() {
      return value;
    }

    @Override
    public V setValue(V other) {
      throw new UnsupportedOperationException("immutable");
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Map.Entry<?, ?> that
          && key.equals(that.getKey())
          && value.equals(that.getValue());
    }

    @Override
    public int hashCode() {
      return key.hashCode() ^ value.hashCode();
    }

    @Override
    public String toString() {
      return key + "=" + value;
    }
  }

  private final @Nullable Node<K, V> root;

  private SortedTable(@Nullable Node<K, V> root) {
    this.root = root;
  }

  @SuppressWarnings("unchecked") // there is nothing in it
  static <K extends Comparable<K>, V> SortedTable<K, V> empty() {
    return (SortedTable<K, V>) EMPTY;
  }

  private SortedTable<K, V> of(@Nullable Node<K, V> changed) {
    if (same(changed, root)) {
      return this;
    }
    return changed == null ? empty() : new SortedTable<>(changed);
  }

  /** What is under a key. */
  Optional<V> find(K key) {
    var node = root;
    while (node != null) {
      int order = key.compareTo(node.key);
      if (order == 0) {
        return Optional.of(node.value);
      }
      node = order < 0 ? node.left : node.right;
    }
    return Optional.empty();
  }

  /**
   * @throws ClassCastException not a key of this map
   */
  @Override
  @SuppressWarnings("unchecked") // as Map.get says
  public @Nullable V get(Object key) {
    return find((K) key).orElse(null);
  }

  @Override
  public boolean containsKey(Object key) {
    return get(key) != null;
  }

  @Override
  public int size() {
    return size(root);
  }

  SortedTable<K, V> plus(K key, V value) {
    return edited(
        List.of(
            new Edit<K, V>() {
              @Override
              public K key() {
                return key;
              }

              @Override
              public V after(@Nullable V before) {
                return value;
              }
            }));
  }

  SortedTable<K, V> minus(K key) {
    return edited(
        List.of(
            new Edit<K, V>() {
              @Override
              public K key() {
                return key;
              }

              @Override
              public @Nullable V after(@Nullable V before) {
                return null;
              }
            }));
  }

  /**
   * With all those changes; this one itself where they change nothing.
   *
   * @param edits rising by key, each key once; each is asked once, in this order
   */
  SortedTable<K, V> edited(List<? extends Edit<K, V>> edits) {
    return of(edited(root, edits, 0, edits.size()));
  }

  private static <K extends Comparable<K>, V> @Nullable Node<K, V> edited(
      @Nullable Node<K, V> node, List<? extends Edit<K, V>> edits, int from, int to) {
    if (from == to) {
      return node;
    }
    if (node == null) {
      return built(edits, from, to);
    }
    int low = from;
    int high = to;
    boolean here = false;
    while (low < high) {
      int middle = (low + high) >>> 1;
      int order = edits.get(middle).key().compareTo(node.key);
      if (order == 0) {
        low = middle;
        here = true;
        break;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    var left = edited(node.left, edits, from, low);
    var value = here ? edits.get(low).after(node.value) : node.value;
    var right = edited(node.right, edits, here ? low + 1 : low, to);
    if (value == null) {
      return joined(left, right);
    }
    return same(left, node.left) && same(right, node.right) && same(value, node.value)
        ? node
        : joined(left, node.key, value, right);
  }

  /** Not equality: nothing was changed where both are the same object, and only then. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean same(@Nullable Object one, @Nullable Object other) {
    return one == other;
  }

  /** Where nothing was. */
  private static <K extends Comparable<K>, V> @Nullable Node<K, V> built(
      List<? extends Edit<K, V>> edits, int from, int to) {
    if (from == to) {
      return null;
    }
    int middle = (from + to) >>> 1;
    var left = built(edits, from, middle);
    var edit = edits.get(middle);
    var value = edit.after(null);
    var right = built(edits, middle + 1, to);
    return value == null ? joined(left, right) : joined(left, edit.key(), value, right);
  }

  /**
   * The entries from a key on and before another.
   *
   * @param from null = from the first
   * @param to null = to the last
   */
  SortedTable<K, V> range(@Nullable K from, @Nullable K to) {
    var node = root;
    if (from != null) {
      node = from(node, from);
    }
    if (to != null) {
      node = before(node, to);
    }
    return of(node);
  }

  private static <K extends Comparable<K>, V> @Nullable Node<K, V> from(
      @Nullable Node<K, V> node, K key) {
    if (node == null) {
      return null;
    }
    int order = node.key.compareTo(key);
    return order < 0
        ? from(node.right, key)
        : joined(order == 0 ? null : from(node.left, key), node.key, node.value, node.right);
  }

  private static <K extends Comparable<K>, V> @Nullable Node<K, V> before(
      @Nullable Node<K, V> node, K key) {
    if (node == null) {
      return null;
    }
    return node.key.compareTo(key) >= 0
        ? before(node.left, key)
        : joined(node.left, node.key, node.value, before(node.right, key));
  }

  /**
   * @throws NoSuchElementException it is empty
   */
  K firstKey() {
    var node = required(root);
    while (node.left != null) {
      node = node.left;
    }
    return node.key;
  }

  /**
   * @throws NoSuchElementException it is empty
   */
  K lastKey() {
    var node = required(root);
    while (node.right != null) {
      node = node.right;
    }
    return node.key;
  }

  private static <T> T required(@Nullable T node) {
    if (node == null) {
      throw new NoSuchElementException("empty");
    }
    return node;
  }

  // --- balance

  private static int size(@Nullable Node<?, ?> node) {
    return node == null ? 0 : node.size;
  }

  /** Two trees of any sizes with an entry between them. */
  private static <K, V> Node<K, V> joined(
      @Nullable Node<K, V> left, K key, V value, @Nullable Node<K, V> right) {
    if (left == null) {
      return right == null ? new Node<>(key, value, null, null) : withFirst(key, value, right);
    }
    if (right == null) {
      return withLast(left, key, value);
    }
    if (DELTA * left.size < right.size) {
      return balanced(joined(left, key, value, right.left), right.key, right.value, right.right);
    }
    if (DELTA * right.size < left.size) {
      return balanced(left.left, left.key, left.value, joined(left.right, key, value, right));
    }
    return new Node<>(key, value, left, right);
  }

  private static <K, V> Node<K, V> withFirst(K key, V value, @Nullable Node<K, V> node) {
    return node == null
        ? new Node<>(key, value, null, null)
        : balanced(withFirst(key, value, node.left), node.key, node.value, node.right);
  }

  private static <K, V> Node<K, V> withLast(@Nullable Node<K, V> node, K key, V value) {
    return node == null
        ? new Node<>(key, value, null, null)
        : balanced(node.left, node.key, node.value, withLast(node.right, key, value));
  }

  /** Two trees of any sizes, all keys of the first before those of the other. */
  private static <K, V> @Nullable Node<K, V> joined(
      @Nullable Node<K, V> left, @Nullable Node<K, V> right) {
    if (left == null) {
      return right;
    }
    if (right == null) {
      return left;
    }
    if (DELTA * left.size < right.size) {
      return balanced(joined(left, right.left), right.key, right.value, right.right);
    }
    if (DELTA * right.size < left.size) {
      return balanced(left.left, left.key, left.value, joined(left.right, right));
    }
    if (left.size > right.size) {
      var last = left;
      while (last.right != null) {
        last = last.right;
      }
      return balanced(withoutLast(left), last.key, last.value, right);
    }
    var first = right;
    while (first.left != null) {
      first = first.left;
    }
    return balanced(left, first.key, first.value, withoutFirst(right));
  }

  private static <K, V> @Nullable Node<K, V> withoutLast(Node<K, V> node) {
    return node.right == null
        ? node.left
        : balanced(node.left, node.key, node.value, withoutLast(node.right));
  }

  private static <K, V> @Nullable Node<K, V> withoutFirst(Node<K, V> node) {
    return node.left == null
        ? node.right
        : balanced(withoutFirst(node.left), node.key, node.value, node.right);
  }

  /** Where one side may have become a little too heavy. */
  private static <K, V> Node<K, V> balanced(
      @Nullable Node<K, V> left, K key, V value, @Nullable Node<K, V> right) {
    int light = size(left);
    int heavy = size(right);
    if (light + heavy > 1) {
      if (right != null && heavy > DELTA * light) {
        return leaningLeft(left, key, value, right);
      }
      if (left != null && light > DELTA * heavy) {
        return leaningRight(left, key, value, right);
      }
    }
    return new Node<>(key, value, left, right);
  }

  private static <K, V> Node<K, V> leaningLeft(
      @Nullable Node<K, V> left, K key, V value, Node<K, V> right) {
    var inner = right.left;
    if (inner == null || inner.size < RATIO * size(right.right)) {
      return new Node<>(right.key, right.value, new Node<>(key, value, left, inner), right.right);
    }
    return new Node<>(
        inner.key,
        inner.value,
        new Node<>(key, value, left, inner.left),
        new Node<>(right.key, right.value, inner.right, right.right));
  }

  private static <K, V> Node<K, V> leaningRight(
      Node<K, V> left, K key, V value, @Nullable Node<K, V> right) {
    var inner = left.right;
    if (inner == null || inner.size < RATIO * size(left.left)) {
      return new Node<>(left.key, left.value, left.left, new Node<>(key, value, inner, right));
    }
    return new Node<>(
        inner.key,
        inner.value,
        new Node<>(left.key, left.value, left.left, inner.left),
        new Node<>(key, value, inner.right, right));
  }

  /** Whether no side of any entry is heavier than it may be; for tests. */
  boolean isBalanced() {
    return isBalanced(root);
  }

  private static boolean isBalanced(@Nullable Node<?, ?> node) {
    if (node == null) {
      return true;
    }
    int left = size(node.left);
    int right = size(node.right);
    return (left + right <= 1 || (left <= DELTA * right && right <= DELTA * left))
        && isBalanced(node.left)
        && isBalanced(node.right);
  }

  // --- as a map

  @Override
  public Set<Map.Entry<K, V>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public Iterator<Map.Entry<K, V>> iterator() {
        return new Entries<>(root);
      }

      @Override
      public int size() {
        return SortedTable.this.size();
      }
    };
  }

  private static final class Entries<K, V> implements Iterator<Map.Entry<K, V>> {
    private final Deque<Node<K, V>> path = new ArrayDeque<>();

    Entries(@Nullable Node<K, V> root) {
      descend(root);
    }

    private void descend(@Nullable Node<K, V> from) {
      for (var node = from; node != null; node = node.left) {
        path.push(node);
      }
    }

    @Override
    public boolean hasNext() {
      return !path.isEmpty();
    }

    @Override
    public Map.Entry<K, V> next() {
      var node = path.pop();
      descend(node.right);
      return node;
    }
  }
}
