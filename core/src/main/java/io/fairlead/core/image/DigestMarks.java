package io.fairlead.core.image;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/**
 * Digests of one partition at every thousandth offset: number k is of the state before the first
 * record with an offset of {@code k * EVERY} or more. Immutable.
 *
 * @param first number of the first digest
 * @param digests one after another, without a gap
 * @param exactFrom number from which on they are those of every other reader, too; below,
 *     compaction may have removed a record that counted then, and others may have read it
 */
public record DigestMarks(long first, PVector<Digest> digests, long exactFrom) {
  /** Offsets between two digests. */
  public static final long EVERY = 1_000;

  /** There are none yet; the first would be number 1: before that there is nothing. */
  public static final DigestMarks NONE = new DigestMarks(1, TreePVector.empty(), 1);

  public DigestMarks {
    if (first < 0 || exactFrom < 0) {
      throw new IllegalArgumentException("digests from " + first + ", exact from " + exactFrom);
    }
  }

  /** Of digests that somebody told. */
  public static DigestMarks of(long first, List<Digest> digests, long exactFrom) {
    return new DigestMarks(first, TreePVector.from(digests), exactFrom);
  }

  /** Number behind the last digest. */
  public long end() {
    return first + digests.size();
  }

  /** The digest of that number, if it is known and exact. */
  public Optional<Digest> exact(long number) {
    return number < Math.max(first, exactFrom) || number >= end()
        ? Optional.empty()
        : Optional.of(digests.get((int) (number - first)));
  }

  /** Those behind that number. */
  public DigestMarks after(long number) {
    int from = (int) Math.min(digests.size(), Math.max(0, number + 1 - first));
    return new DigestMarks(first + from, digests.subList(from, digests.size()), exactFrom);
  }

  /**
   * What came of a comparison.
   *
   * @param numbers how many digests at least two had exactly
   * @param from number of the first of these; 0 where there are none
   * @param to number of the last of these; 0 where there are none
   * @param differs empty = all that were compared are equal
   */
  public record Comparison(long numbers, long from, long to, Optional<Difference> differs) {}

  /**
   * The first digest that differs.
   *
   * @param holders who has which, sorted
   */
  public record Difference(long number, SortedMap<String, List<String>> holders) {
    /** Offset of the partition up to which the states are. */
    public long offset() {
      return number * EVERY;
    }
  }

  /**
   * Compares what several readers of a partition have, each digest among those that know it
   * exactly.
   */
  public static Comparison compare(SortedMap<String, DigestMarks> readers) {
    long begin =
        readers.values().stream().mapToLong(m -> Math.max(m.first, m.exactFrom)).min().orElse(0);
    long end = readers.values().stream().mapToLong(DigestMarks::end).max().orElse(0);
    long numbers = 0;
    long from = 0;
    long to = 0;
    Optional<Difference> differs = Optional.empty();
    var known = new ArrayList<Digest>();
    for (long number = begin; number < end; number++) {
      known.clear();
      for (var marks : readers.values()) {
        marks.exact(number).ifPresent(known::add);
      }
      if (known.size() < 2) {
        continue;
      }
      numbers++;
      from = from == 0 ? number : from;
      to = number;
      if (differs.isEmpty() && new HashSet<>(known).size() > 1) {
        differs = Optional.of(new Difference(number, holders(readers, number)));
      }
    }
    return new Comparison(numbers, from, to, differs);
  }

  private static SortedMap<String, List<String>> holders(
      Map<String, DigestMarks> readers, long number) {
    var holders = new TreeMap<String, List<String>>();
    readers.forEach((reader, marks) ->
        marks
            .exact(number)
            .ifPresent(digest ->
                holders.computeIfAbsent(digest.toString(), _ -> new ArrayList<>()).add(reader)));
    return holders;
  }
}
