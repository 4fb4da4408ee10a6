package io.fairlead.endpoints.stream;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.pcollections.TreePMap;

/**
 * Which keys changed lately, step by step, as this replica took them from the log. It tells for any
 * position of the log which keys may differ between the state there and now; the present state of
 * those is what an agent that comes with the position lacks.
 *
 * <p>A position need not be one at which this replica ever was: another one takes other records
 * together, and those of several partitions in another order. Let the position cover everything up
 * to step {@code k}, and step {@code j} cover everything in the position. What came and went, or
 * changed and changed back, between {@code k} and {@code j} is in no step's touches, but may be in
 * the agent's state. So the state at the position is made anew: the image of {@code k}, and those
 * records of the steps to {@code j} that the position has. The records that it has not lead from
 * there to the image of {@code j}, which is a function of the latest record of each key, so their
 * order across partitions does not matter; that delta, like any other, tells every entry that
 * differs. After {@code j} the touches hold. Where {@code k} is {@code j} there is nothing to make.
 *
 * <p>The records, and images between them, are kept of the latest steps only; of older ones a
 * position counts only if it is that of a step.
 *
 * <p>Where a log is read that was compacted, objects that were there once are in no record any
 * more, neither what stored them nor what deleted them. An agent that comes from such a moment
 * would keep them, so the journal tells nothing of positions before that. Immutable; derived from
 * the log.
 */
final class Journal {
  /**
   * A key that changed.
   *
   * @param nodes whom it concerns; empty = all
   */
  record Touch(EntryKey key, Set<String> nodes) {}

  /**
   * One change of the content, by one or more records.
   *
   * @param base how far the records before it go
   * @param firsts offsets of its first records
   * @param led its records; empty also where they are not kept any more
   * @param accepted when the first of its records was; empty = it has none
   */
  private record Step(
      Position base,
      List<Touch> touches,
      Map<LogPartition, Long> firsts,
      List<LogEntry> led,
      Optional<Instant> accepted) {
    /** What it takes in the journal. */
    int weight() {
      return Math.max(1, touches.size());
    }

    /** Whether one of its records is in the state at a position. */
    boolean began(Position at) {
      return firsts.entrySet().stream().anyMatch(first -> at.of(first.getKey()) > first.getValue());
    }

    Step withoutRecords() {
      return new Step(base, touches, firsts, List.of(), accepted);
    }
  }

  /** What is known of a position. */
  sealed interface Found {
    /**
     * Whatever differs between there and now is among these keys and those that were touched after
     * that number.
     */
    record Reached(long number, List<Touch> before) implements Found {}

    /** It is of another log, or further back than the journal goes without a gap. */
    record TooOld() implements Found {}

    /** It lies within a step whose records are not kept any more. */
    record WithinStep() implements Found {}
  }

  /** How many records are kept with their steps: some seconds of a cluster that is very busy. */
  static final int MOST_RECORDS = 10_000;

  /** Records between two images: more cost memory, fewer the time of each who comes. */
  private static final int BETWEEN_IMAGES = 64;

  private final long number;

  /** After the last record of each partition: the position without what is no record. */
  private final Position records;

  private final TreePMap<Long, Step> steps;

  /** By the number of the step that led to it. The steps after the first have their records. */
  private final TreePMap<Long, ClusterImage> images;

  /** Records since the last image. */
  private final int sinceImage;

  private final int touches;
  private final int kept;
  private final int maxTouches;

  /**
   * When the last record of each partition was accepted. Behind the position at which it began
   * nothing is missing, as if that had just been.
   */
  private final Map<LogPartition, Instant> ages;

  /** Before the end of that step records may be missing. */
  private final long incomplete;

  private Journal(
      long number,
      Position records,
      TreePMap<Long, Step> steps,
      TreePMap<Long, ClusterImage> images,
      int sinceImage,
      int touches,
      int kept,
      int maxTouches,
      Map<LogPartition, Instant> ages,
      long incomplete) {
    this.number = number;
    this.records = records;
    this.steps = steps;
    this.images = images;
    this.sinceImage = sinceImage;
    this.touches = touches;
    this.kept = kept;
    this.maxTouches = maxTouches;
    this.ages = Map.copyOf(ages);
    this.incomplete = incomplete;
  }

  /**
   * One that begins there: nothing is known of what was before.
   *
   * @param number of the content there
   * @param maxTouches how many changed keys it keeps
   */
  static Journal from(long number, ClusterImage image, Position position, int maxTouches) {
    var ages = new HashMap<LogPartition, Instant>();
    position.next().keySet().forEach(partition -> ages.put(partition, Instant.MAX));
    return new Journal(
        number,
        position,
        TreePMap.empty(),
        TreePMap.<Long, ClusterImage>empty().plus(number, image),
        0,
        0,
        0,
        maxTouches,
        ages,
        number);
  }

  /** One that begins anew there, with a number of its own. */
  Journal restarted(ClusterImage image, Position position) {
    return from(number + 1, image, position, maxTouches);
  }

  /**
   * With one more step.
   *
   * @param led its records, in order within each partition
   * @param completeSince of what the log took since then no record is missing
   */
  Journal with(
      Map<EntryKey, Entries.Change> changes,
      ClusterImage image,
      List<LogEntry> led,
      Instant completeSince) {
    var firsts = new HashMap<LogPartition, Long>();
    var lasts = new TreeMap<>(records.next());
    var nextAges = new HashMap<>(ages);
    boolean lacks = false; // only what is older than the time: nothing behind a younger record
    for (var entry : led) {
      firsts.putIfAbsent(entry.partition(), entry.offset());
      lasts.put(entry.partition(), entry.offset() + 1);
      var before = nextAges.getOrDefault(entry.partition(), Instant.MIN);
      lacks |= entry.offset() > 0 && before.isBefore(completeSince);
      nextAges.put(entry.partition(), entry.timestamp());
    }
    var accepted = led.stream().map(LogEntry::timestamp).min(Comparator.naturalOrder());
    var step = new Step(records, touches(changes), Map.copyOf(firsts), List.copyOf(led), accepted);
    long next = number + 1;
    var nextSteps = steps.plus(next, step);
    var nextImages = images;
    int nextSince = sinceImage + led.size();
    int nextTouches = touches + step.weight();
    int nextKept = kept + led.size();
    if (nextSince >= BETWEEN_IMAGES) {
      nextImages = nextImages.plus(next, image);
      nextSince = 0;
    }
    while (nextTouches > maxTouches && !nextSteps.isEmpty()) {
      var oldest = nextSteps.firstEntry();
      nextTouches -= oldest.getValue().weight();
      nextKept -= oldest.getValue().led().size();
      nextSteps = nextSteps.minusFirstEntry();
    }
    long first = nextSteps.isEmpty() ? next : nextSteps.firstKey() - 1;
    while (nextImages.firstKey() < first || nextKept > MOST_RECORDS) {
      long from = nextImages.firstKey();
      nextImages = nextImages.minusFirstEntry();
      if (nextImages.isEmpty()) {
        nextImages = nextImages.plus(next, image);
        nextSince = 0;
      }
      // what no image is before is of no use
      for (var old : nextSteps.subMap(from, false, nextImages.firstKey(), true).entrySet()) {
        nextKept -= old.getValue().led().size();
        nextSteps = nextSteps.plus(old.getKey(), old.getValue().withoutRecords());
      }
    }
    return new Journal(
        next,
        new Position(records.log(), lasts),
        nextSteps,
        nextImages,
        nextSince,
        nextTouches,
        nextKept,
        maxTouches,
        nextAges,
        lacks ? next : incomplete);
  }

  /** When the first of the changes after that number was accepted; empty where there are none. */
  Optional<Instant> accepted(long had) {
    return steps.tailMap(had, false).values().stream()
        .filter(step -> !step.touches().isEmpty())
        .flatMap(step -> step.accepted().stream())
        .min(Comparator.naturalOrder());
  }

  private static List<Touch> touches(Map<EntryKey, Entries.Change> changes) {
    var touched = new ArrayList<Touch>(changes.size());
    changes.forEach((key, change) -> touched.add(new Touch(key, nodes(change))));
    return List.copyOf(touched);
  }

  private static Set<String> nodes(Entries.Change change) {
    var nodes = new HashSet<String>();
    change.before().flatMap(Journal::node).ifPresent(nodes::add);
    change.after().flatMap(Journal::node).ifPresent(nodes::add);
    return Set.copyOf(nodes);
  }

  /** The one node an entry is for; a Pod that is nowhere is for none, which no node's name is. */
  static Optional<String> node(Entry entry) {
    return switch (entry) {
      case Entry.PodEntry pod -> Optional.of(pod.pod().spec().nodeName().orElse(""));
      case Entry.ServicePortEntry _, Entry.EndpointEntry _, Entry.ServiceCidrEntry _ ->
          Optional.empty();
    };
  }

  /** Grows with every step. */
  long number() {
    return number;
  }

  /** How many changed keys it holds. */
  int size() {
    return touches;
  }

  /** How many records it holds. */
  int records() {
    return kept;
  }

  /** Whether it knows what was touched after that number. */
  boolean reaches(long had) {
    return had >= number || (!steps.isEmpty() && steps.firstKey() <= had + 1);
  }

  /** What was touched after that number, oldest first; a key may come several times. */
  Iterable<Touch> since(long had) {
    return () ->
        steps.tailMap(had, false).values().stream().flatMap(s -> s.touches().stream()).iterator();
  }

  /** What may differ between a position and now. */
  Found find(Position at) {
    if (at.covers(records)) {
      return new Found.Reached(number, List.of());
    }
    long to = number; // covers everything in the position
    for (var numbered : steps.descendingMap().entrySet()) {
      long after = numbered.getKey();
      if (after <= incomplete) {
        break;
      }
      if (to == after && !numbered.getValue().began(at)) {
        to = after - 1;
      }
      if (at.covers(numbered.getValue().base())) {
        return between(after - 1, at, to);
      }
    }
    return new Found.TooOld();
  }

  /** Of a position that has everything up to {@code from}, and nothing after {@code to}. */
  private Found between(long from, Position at, long to) {
    if (from == to) {
      return new Found.Reached(to, List.of());
    }
    var start = images.floorEntry(from);
    if (start == null) {
      return new Found.WithinStep();
    }
    var before = new ClusterDelta(start.getValue());
    var missing = new ArrayList<LogEntry>();
    for (var step : steps.subMap(start.getKey(), false, to, true).values()) {
      for (var entry : step.led()) {
        if (entry.offset() < at.of(entry.partition())) {
          before.replay(entry);
        } else {
          missing.add(entry);
        }
      }
    }
    var after = new ClusterDelta(before.apply());
    missing.forEach(after::replay);
    return new Found.Reached(to, touches(Entries.changed(after, after.apply())));
  }
}
