package io.fairlead.endpoints.stream;

import com.google.protobuf.ByteString;
import io.fairlead.api.EntryCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.pcollections.HashPMap;
import org.pcollections.HashTreePMap;

/**
 * What the streams carry at one moment: every entry, encoded once, and a bounded journal of which
 * keys changed lately. A stream is at a number of it, and one that comes at a position; what it
 * lacks is the present state of the keys that were touched since. Immutable; derived from the log.
 */
final class Content {
  /** An entry as it is sent. Empty node = for all nodes, else for that one alone. */
  private record Encoded(ByteString bytes, Optional<String> node) {}

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

  private final HashPMap<EntryKey, Encoded> entries;
  private final Journal journal;

  /** The one that was asked for last. */
  private volatile Optional<Move> move = Optional.empty();

  /** By the number that was had: as many as streams differ in how far they are. Made when asked. */
  private final Map<Long, Common> commons = new ConcurrentHashMap<>();

  /** The same, by positions within a step. */
  private final Map<Position, Common> within = new ConcurrentHashMap<>();

  /** By position: those who come from a replica that is gone come with the same one. */
  private final Map<Position, Journal.Found> found = new ConcurrentHashMap<>();

  private Content(Position position, HashPMap<EntryKey, Encoded> entries, Journal journal) {
    this.position = position;
    this.offsets = position.offsets();
    this.entries = entries;
    this.journal = journal;
  }

  /**
   * Nothing at all.
   *
   * @param maxTouches how many changed keys the journal keeps
   */
  static Content empty(Position start, int maxTouches) {
    return new Content(
        start, HashTreePMap.empty(), Journal.from(0, ClusterImage.EMPTY, start, maxTouches));
  }

  /**
   * All of that image, with nothing known of what was before: whoever is at an earlier position has
   * to be sent everything, as what he has may be there no more.
   *
   * @param from how far the log is in it
   */
  Content restored(ClusterImage image, Position from) {
    Map<EntryKey, Encoded> encoded = new HashMap<>();
    Entries.of(image).forEach((key, entry) -> encoded.put(key, encode(entry)));
    return new Content(from, HashTreePMap.from(encoded), journal.restarted(image, from));
  }

  /**
   * This content after a delta, at a later position.
   *
   * @param image the delta applied
   * @param led the records that led there, in order within each partition
   * @param completeSince of what the log took since then no record is missing
   */
  Content with(
      ClusterDelta delta,
      ClusterImage image,
      Position later,
      List<LogEntry> led,
      Instant completeSince) {
    var changes = Entries.changed(delta, image);
    if (changes.isEmpty() && led.isEmpty()) {
      return new Content(later, entries, journal);
    }
    var next = entries;
    for (var change : changes.entrySet()) {
      var after = change.getValue().after();
      next =
          after.isPresent()
              ? next.plus(change.getKey(), encode(after.get()))
              : next.minus(change.getKey());
    }
    return new Content(later, next, journal.with(changes, image, led, completeSince));
  }

  private static Encoded encode(Entry entry) {
    return new Encoded(EntryCodec.proto(entry).toByteString(), Journal.node(entry));
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

  /** When the first of the changes after that number was accepted; empty where there are none. */
  Optional<Instant> accepted(long had) {
    return journal.accepted(had);
  }

  /** Grows with every change, not with the position alone. */
  long number() {
    return journal.number();
  }

  /** How many entries there are. */
  int size() {
    return entries.size();
  }

  /** How many changed keys the journal holds. */
  int journal() {
    return journal.size();
  }

  /** How many records the journal holds. */
  int journalRecords() {
    return journal.records();
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
    if (!journal.reaches(had)) {
      return Optional.empty();
    }
    if (had >= number()) {
      return Optional.of(Common.NOTHING.of(node));
    }
    return Optional.of(remembered(commons, had, () -> common(List.of(), had)).of(node));
  }

  /** What a node lacks that comes. */
  sealed interface Back {
    /** Perhaps nothing. */
    record Difference(Lacking lacking) implements Back {}

    record Everything(Why why) implements Back {}
  }

  /** Why it is not told the difference only. */
  enum Why {
    /** It has no state of this log, or none that it goes on from. */
    NO_POSITION,
    /** Its position is further back than the journal goes, or than the log is complete. */
    BEYOND_JOURNAL,
    /** Its position is within a step of this replica whose records are not kept any more. */
    WITHIN_STEP
  }

  /**
   * What a node lacks whose agent has the state at that position, whichever replica it was told by.
   */
  Back back(Position had, String node) {
    return switch (remembered(found, had, () -> journal.find(had))) {
      case Journal.Found.Reached(var number, var before) when before.isEmpty() ->
          since(number, node)
              .<Back>map(Back.Difference::new)
              .orElseGet(() -> new Back.Everything(Why.BEYOND_JOURNAL));
      case Journal.Found.Reached(var number, var before) ->
          new Back.Difference(remembered(within, had, () -> common(before, number)).of(node));
      case Journal.Found.TooOld _ -> new Back.Everything(Why.BEYOND_JOURNAL);
      case Journal.Found.WithinStep _ -> new Back.Everything(Why.WITHIN_STEP);
    };
  }

  private static <K, V> V remembered(Map<K, V> known, K had, Supplier<V> made) {
    return known.size() < MOST_COMMONS || known.containsKey(had)
        ? known.computeIfAbsent(had, _ -> made.get())
        : made.get(); // streams that far apart have little in common
  }

  /** What those lack for whom these keys, and those touched after that number, may differ. */
  private Common common(List<Journal.Touch> before, long number) {
    var keys = new HashSet<EntryKey>();
    var all = new ArrayList<Item>();
    var some = new HashMap<String, List<Item>>();
    for (var touches : List.of(before, journal.since(number))) {
      for (var touch : touches) {
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
