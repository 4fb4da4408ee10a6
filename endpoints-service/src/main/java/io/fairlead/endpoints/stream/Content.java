package io.fairlead.endpoints.stream;

import com.google.protobuf.ByteString;
import io.fairlead.api.EntryCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.pcollections.HashPMap;
import org.pcollections.HashTreePMap;
import org.pcollections.TreePMap;

/**
 * What the streams carry at one moment: every entry, encoded once, and a bounded journal of which
 * keys changed lately. A stream is at a number of it, or at a position; what it lacks is the
 * present state of the keys that were touched since. Immutable; derived from the log.
 */
final class Content {
  /** An entry as it is sent. Empty node = for all nodes, else for that one alone. */
  private record Encoded(ByteString bytes, Optional<String> node) {}

  /**
   * A key that changed.
   *
   * @param nodes whom it concerns; empty = all
   */
  private record Touch(EntryKey key, Set<String> nodes) {}

  /**
   * One change of the content, by one or more records.
   *
   * @param base how far the records before it go
   * @param firsts offsets of its first records
   */
  private record Step(Position base, List<Touch> touches, Map<LogPartition, Long> firsts) {
    /** What it takes in the journal. */
    int weight() {
      return Math.max(1, touches.size());
    }
  }

  /** What a stream has to be told. */
  sealed interface Item {
    /** The entry, as bytes of its message. */
    record Put(ByteString bytes) implements Item {}

    /** The key, in text form. */
    record Removed(String key) implements Item {}
  }

  /** How the position is told to who was told that one. */
  private record Move(Position before, io.fairlead.v1.Position told) {}

  /**
   * What is lacked between two contents.
   *
   * @param some what single nodes lack beside, by node
   */
  private record Common(Lacking all, Map<String, List<Item>> some) {
    private static final Common NOTHING = new Common(List.of(), Map.of());

    Common(List<Item> all, Map<String, List<Item>> some) {
      this(new Lacking(all), some);
    }

    Lacking of(String node) {
      var beside = some.get(node);
      if (beside == null) {
        return all;
      }
      var items = new ArrayList<>(all.items());
      items.addAll(beside);
      return new Lacking(List.copyOf(items));
    }
  }

  /** How many are remembered, about. */
  private static final int MOST_COMMONS = 16;

  private final Position position;
  private final String offsets;

  /** After the last record of each partition: the position without what is no record. */
  private final Position records;

  private final long number;
  private final HashPMap<EntryKey, Encoded> entries;
  private final TreePMap<Long, Step> steps;
  private final int touches;
  private final int maxTouches;

  /** The one that was asked for last. */
  private volatile Optional<Move> move = Optional.empty();

  /** By the number that was had: as many as streams differ in how far they are. Made when asked. */
  private final Map<Long, Common> commons = new ConcurrentHashMap<>();

  private Content(
      Position position,
      Position records,
      long number,
      HashPMap<EntryKey, Encoded> entries,
      TreePMap<Long, Step> steps,
      int touches,
      int maxTouches) {
    this.position = position;
    this.offsets = position.offsets();
    this.records = records;
    this.number = number;
    this.entries = entries;
    this.steps = steps;
    this.touches = touches;
    this.maxTouches = maxTouches;
  }

  /**
   * Nothing at all.
   *
   * @param maxTouches how many changed keys the journal keeps
   */
  static Content empty(Position start, int maxTouches) {
    return new Content(start, start, 0, HashTreePMap.empty(), TreePMap.empty(), 0, maxTouches);
  }

  /**
   * All of that, with nothing known of what was before: whoever is at an earlier position has to be
   * sent everything, as what he has may be there no more.
   *
   * @param from how far the log is in it
   */
  Content restored(Map<EntryKey, Entry> all, Position from) {
    Map<EntryKey, Encoded> encoded = new HashMap<>();
    all.forEach((key, entry) -> encoded.put(key, encode(entry)));
    return new Content(
        from, from, number, HashTreePMap.from(encoded), TreePMap.empty(), 0, maxTouches);
  }

  /**
   * This content after some changes, at a later position.
   *
   * @param led the records that led there, in order within each partition
   */
  Content with(Map<EntryKey, Entries.Change> changes, Position later, List<LogEntry> led) {
    if (changes.isEmpty() && led.isEmpty()) {
      return new Content(later, records, number, entries, steps, touches, maxTouches);
    }
    var nextEntries = entries;
    var touched = new ArrayList<Touch>(changes.size());
    for (var change : changes.entrySet()) {
      var key = change.getKey();
      var after = change.getValue().after();
      nextEntries =
          after.isPresent() ? nextEntries.plus(key, encode(after.get())) : nextEntries.minus(key);
      touched.add(new Touch(key, nodes(change.getValue())));
    }
    var firsts = new HashMap<LogPartition, Long>();
    var lasts = new TreeMap<>(records.next());
    for (var entry : led) {
      firsts.putIfAbsent(entry.partition(), entry.offset());
      lasts.put(entry.partition(), entry.offset() + 1);
    }
    var step = new Step(records, List.copyOf(touched), Map.copyOf(firsts));
    var nextSteps = steps.plus(number + 1, step);
    int kept = touches + step.weight();
    while (kept > maxTouches && !nextSteps.isEmpty()) {
      kept -= nextSteps.firstEntry().getValue().weight();
      nextSteps = nextSteps.minusFirstEntry();
    }
    var last = new Position(records.log(), lasts);
    return new Content(later, last, number + 1, nextEntries, nextSteps, kept, maxTouches);
  }

  private static Encoded encode(Entry entry) {
    return new Encoded(EntryCodec.proto(entry).toByteString(), node(entry));
  }

  /** The one node an entry is for; a Pod that is nowhere is for none, which no node's name is. */
  private static Optional<String> node(Entry entry) {
    return switch (entry) {
      case Entry.PodEntry pod -> Optional.of(pod.pod().spec().nodeName().orElse(""));
      case Entry.ServicePortEntry _, Entry.EndpointEntry _, Entry.ServiceCidrEntry _ ->
          Optional.empty();
    };
  }

  private static Set<String> nodes(Entries.Change change) {
    var nodes = new HashSet<String>();
    change.before().flatMap(Content::node).ifPresent(nodes::add);
    change.after().flatMap(Content::node).ifPresent(nodes::add);
    return Set.copyOf(nodes);
  }

  Position position() {
    return position;
  }

  /** The position's, in text form: made once for all streams. */
  String offsets() {
    return offsets;
  }

  /**
   * The position as it is told to who was told another one, without the log: what differs. Made
   * once for all who were told the same.
   */
  io.fairlead.v1.Position movedFrom(Position before) {
    var last = move;
    if (last.isPresent() && last.get().before().equals(before)) { // mostly the same object
      return last.get().told();
    }
    var told = PositionCodec.brief(position.since(before));
    move = Optional.of(new Move(before, told));
    return told;
  }

  /** Grows with every change, not with the position alone. */
  long number() {
    return number;
  }

  /** How many entries there are. */
  int size() {
    return entries.size();
  }

  /** How many changed keys the journal holds. */
  int journal() {
    return touches;
  }

  /**
   * The number of the content that is that of {@code base}: it has the records up to there and no
   * others. Empty where the journal does not reach back that far, or this replica never was there:
   * it took several records at once, or those of several partitions in another order. What came and
   * went between two of its own steps it does not know, and could not have removed.
   */
  OptionalLong numberAt(Position base) {
    if (base.covers(records)) {
      return OptionalLong.of(number);
    }
    var later = new HashMap<LogPartition, Long>(); // the first records that came after
    for (var numbered : steps.descendingMap().entrySet()) {
      var step = numbered.getValue();
      later.putAll(step.firsts());
      if (base.covers(step.base())) {
        boolean none = later.entrySet().stream().allMatch(e -> base.of(e.getKey()) <= e.getValue());
        return none ? OptionalLong.of(numbered.getKey() - 1) : OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  /** Everything a node has to know. */
  Iterator<Item> whole(String node) {
    return entries.values().stream()
        .filter(entry -> entry.node().isEmpty() || entry.node().get().equals(node))
        .<Item>map(entry -> new Item.Put(entry.bytes()))
        .iterator();
  }

  /**
   * What a node lacks that has the content of that number; empty where the journal has forgotten.
   * Most nodes lack the same, which is found, and made a message of, once.
   */
  Optional<Lacking> since(long had, String node) {
    if (had < number && (steps.isEmpty() || steps.firstKey() > had + 1)) {
      return Optional.empty();
    }
    if (had >= number) {
      return Optional.of(Common.NOTHING.of(node));
    }
    var common =
        commons.size() < MOST_COMMONS || commons.containsKey(had)
            ? commons.computeIfAbsent(had, this::common)
            : common(had); // streams that far apart have little in common
    return Optional.of(common.of(node));
  }

  /** What those lack who had that number, all of them and some of them. */
  private Common common(long had) {
    var keys = new HashSet<EntryKey>();
    var all = new ArrayList<Item>();
    var some = new HashMap<String, List<Item>>();
    for (var step : steps.tailMap(had, false).values()) {
      for (var touch : step.touches()) {
        if (touch.nodes().isEmpty()) {
          if (keys.add(touch.key())) {
            all.add(item(touch.key(), ""));
          }
        } else {
          for (var node : touch.nodes()) {
            some.computeIfAbsent(node, _ -> new ArrayList<>()).add(item(touch.key(), node));
          }
        }
      }
    }
    some.replaceAll((_, items) -> List.copyOf(new LinkedHashSet<>(items)));
    return new Common(List.copyOf(all), Map.copyOf(some));
  }

  /** The present state of a key, as that node is to know it. */
  private Item item(EntryKey key, String node) {
    return Optional.ofNullable(entries.get(key))
        .filter(entry -> entry.node().isEmpty() || entry.node().get().equals(node))
        .<Item>map(entry -> new Item.Put(entry.bytes()))
        .orElseGet(() -> new Item.Removed(key.text()));
  }
}
