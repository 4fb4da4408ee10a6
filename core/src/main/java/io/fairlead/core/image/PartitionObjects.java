package io.fairlead.core.image;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Partitioning;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Which objects a reader of a partition has, to find those in which two readers differ. Immutable.
 *
 * @param next offset up to which the partition was read
 * @param objects by key, in text form, since another reader may know more kinds
 */
public record PartitionObjects(long next, SortedMap<String, State> objects) {
  /**
   * An object, told by the offset of its record and its digest.
   *
   * @param digest of the object alone
   */
  public record State(long offset, Digest digest) {
    @Override
    public String toString() {
      return "version " + offset + " with digest " + digest;
    }
  }

  public PartitionObjects {
    objects = Collections.unmodifiableSortedMap(new TreeMap<>(objects));
  }

  /** An object with its key. */
  public record Keyed(String key, State state) {}

  /** Those of an image, sorted within each kind; each digest is made when it is asked for. */
  public static Iterator<Keyed> of(
      ClusterImage image, Partitioning partitioning, LogPartition partition) {
    return of(image, key -> partitioning.of(key).equals(partition));
  }

  /** Likewise, of an image that has no objects of other partitions. */
  public static Iterator<Keyed> of(ClusterImage image) {
    return of(image, _ -> true);
  }

  private static Iterator<Keyed> of(ClusterImage image, Predicate<ObjectKey> wanted) {
    var found = new ArrayList<Versioned<? extends DomainObject>>();
    image.forEach(versioned -> {
      if (wanted.test(versioned.object().key())) {
        found.add(versioned);
      }
      return true;
    });
    var digests = new Digest.Maker();
    return found.stream()
        .map(v ->
            new Keyed(v.object().key().toString(), new State(v.offset(), digests.of(v.object()))))
        .iterator();
  }

  /** Those of an iterator, at an offset. */
  public static PartitionObjects at(long next, Iterator<Keyed> objects) {
    var sorted = new TreeMap<String, State>();
    objects.forEachRemaining(object -> sorted.put(object.key(), object.state()));
    return new PartitionObjects(next, sorted);
  }

  /**
   * An object in which two readers differ.
   *
   * @param one empty = the first does not have it
   * @param other empty = the second does not have it
   */
  public record Difference(String key, Optional<State> one, Optional<State> other) {
    /** For people. */
    public String words(String nameOfOne, String nameOfOther) {
      return "%s: %s at %s, %s at %s"
          .formatted(key, words(one), nameOfOne, words(other), nameOfOther);
    }

    private static String words(Optional<State> state) {
      return state.map(State::toString).orElse("none");
    }
  }

  /**
   * In which objects one reader differed from another where that one was. Nothing is said of
   * objects that changed since, so that both may go on reading meanwhile.
   *
   * @param earlier the one reader, not further than the other; empty = of objects that only the
   *     other has nothing is said
   * @param later the one reader, at least as far as the other
   */
  public static List<Difference> differences(
      Optional<PartitionObjects> earlier, PartitionObjects later, PartitionObjects other) {
    var keys = new TreeSet<>(later.objects.keySet());
    keys.addAll(other.objects.keySet());
    var differences = new ArrayList<Difference>();
    for (var key : keys) {
      var one = Optional.ofNullable(later.objects.get(key));
      var two = Optional.ofNullable(other.objects.get(key));
      // it is since then as it was written, so it was so where the other one is
      boolean settled = one.filter(state -> state.offset < other.next).isPresent();
      // or it was not there before, although the other has it since earlier
      boolean missed =
          one.isEmpty()
              && earlier
                  .filter(then ->
                      !then.objects.containsKey(key)
                          && two.filter(state -> state.offset < then.next).isPresent())
                  .isPresent();
      if ((settled || missed) && !one.equals(two)) {
        differences.add(new Difference(key, one, two));
      }
    }
    return List.copyOf(differences);
  }
}
