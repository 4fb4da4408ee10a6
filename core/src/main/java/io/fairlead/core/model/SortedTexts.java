package io.fairlead.core.model;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map of texts, sorted by key, in one array: labels and the like, of which each object
 * has few and an image very many. A look-up costs O(log n).
 */
@SuppressWarnings("JdkObsolete") // as much as anybody asks of one; NavigableMap has 20 methods more
public final class SortedTexts extends AbstractMap<String, String>
    implements SortedMap<String, String> {
  private static final SortedTexts EMPTY = new SortedTexts(new String[0]);

  /** Key, value, key, value...; rising by key. */
  private final String[] texts;

  private SortedTexts(String[] texts) {
    this.texts = texts;
  }

  /** A copy; the map itself where it is one of these. */
  public static SortedTexts copyOf(Map<String, String> map) {
    if (map instanceof SortedTexts sorted) {
      return sorted;
    }
    if (map.isEmpty()) {
      return EMPTY;
    }
    Map<String, String> sorted = map.size() == 1 ? map : new TreeMap<>(map);
    var texts = new String[2 * sorted.size()];
    int at = 0;
    for (var entry : sorted.entrySet()) {
      texts[at++] = entry.getKey();
      texts[at++] = entry.getValue();
    }
    return new SortedTexts(texts);
  }

  /** Where a key is, or would be, among the keys. */
  private int rank(String key) {
    int low = 0;
    int high = size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (texts[2 * middle].compareTo(key) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public @Nullable String get(Object key) {
    if (!(key instanceof String text)) {
      return null;
    }
    int rank = rank(text);
    return rank < size() && texts[2 * rank].equals(text) ? texts[2 * rank + 1] : null;
  }

  @Override
  public boolean containsKey(Object key) {
    return get(key) != null;
  }

  @Override
  public int size() {
    return texts.length / 2;
  }

  @Override
  public void forEach(BiConsumer<? super String, ? super String> action) {
    for (int i = 0; i < texts.length; i += 2) {
      action.accept(texts[i], texts[i + 1]);
    }
  }

  @Override
  public @Nullable Comparator<? super String> comparator() {
    return null; // the natural order
  }

  @Override
  public SortedMap<String, String> subMap(String from, String to) {
    if (from.compareTo(to) > 0) {
      throw new IllegalArgumentException("from " + from + " to " + to);
    }
    return part(rank(from), rank(to));
  }

  @Override
  public SortedMap<String, String> headMap(String to) {
    return part(0, rank(to));
  }

  @Override
  public SortedMap<String, String> tailMap(String from) {
    return part(rank(from), size());
  }

  private SortedTexts part(int from, int to) {
    return new SortedTexts(Arrays.copyOfRange(texts, 2 * from, 2 * to));
  }

  @Override
  public String firstKey() {
    return key(0);
  }

  @Override
  public String lastKey() {
    return key(size() - 1);
  }

  private String key(int rank) {
    if (texts.length == 0) {
      throw new NoSuchElementException("empty");
    }
    return texts[2 * rank];
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public Iterator<Map.Entry<String, String>> iterator() {
        return new Entries();
      }

      @Override
      public int size() {
        return SortedTexts.this.size();
      }
    };
  }

  private final class Entries implements Iterator<Map.Entry<String, String>> {
    private int at;

    @Override
    public boolean hasNext() {
      return at < texts.length;
    }

    @Override
    public Map.Entry<String, String> next() {
      if (!hasNext()) {
        throw new NoSuchElementException("no more entries");
      }
      var entry = Map.entry(texts[at], texts[at + 1]);
      at += 2;
      return entry;
    }
  }
}
