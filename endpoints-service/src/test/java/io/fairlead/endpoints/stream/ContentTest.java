package io.fairlead.endpoints.stream;

import static io.fairlead.core.image.TestObjects.deleted;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.ready;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.stored;
import static io.fairlead.core.image.TestObjects.unready;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.view.Entries;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ContentTest {
  private static final Position START = Position.start(new LogIdentity("s", "p"));
  private static final LogPartition P1 = new LogPartition(Topic.PODS, 1);

  private static Map<String, ByteString> take(
      Map<String, ByteString> base, Iterator<Content.Item> items) {
    var entries = new HashMap<>(base);
    while (items.hasNext()) {
      switch (items.next()) {
        case Content.Item.Put(var bytes) -> entries.put(key(bytes), bytes);
        case Content.Item.Removed(var key) -> entries.remove(key);
      }
    }
    return entries;
  }

  private static String key(ByteString bytes) {
    try {
      return io.fairlead.v1.Entry.parseFrom(bytes).getKey();
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  /** A replica that takes the records of two partitions in steps of its own. */
  private static final class Follower {
    private final Map<LogPartition, List<LogEntry>> log;
    private final Random random;
    private ClusterImage image = ClusterImage.EMPTY;
    private final Map<LogPartition, Integer> taken = new TreeMap<>();
    Content content;

    /** Each content that it had, and what a new node would have been told. */
    final List<Map.Entry<Content, Map<String, ByteString>>> history = new ArrayList<>();

    Follower(Map<LogPartition, List<LogEntry>> log, int journal, Random random) {
      this.log = log;
      this.random = random;
      this.content = Content.empty(START, journal);
    }

    void follow(int most) {
      while (log.keySet().stream().anyMatch(p -> left(p) > 0)) {
        var delta = new ClusterDelta(image);
        var led = new ArrayList<LogEntry>();
        var position = content.position();
        for (var partition : log.keySet()) {
          for (int n = Math.min(left(partition), random.nextInt(most + 1)); n > 0; n--) {
            int next = taken.merge(partition, 1, Integer::sum);
            var entry = log.getOrDefault(partition, List.of()).get(next - 1);
            delta.replay(entry);
            led.add(entry);
            // behind the record there is a marker, which some have read and others have not
            position = position.with(partition, entry.offset() + 1 + random.nextInt(2));
          }
        }
        image = delta.apply();
        content = content.with(Entries.changed(delta, image), position, led);
        history.add(Map.entry(content, take(Map.of(), content.whole("n1"))));
      }
    }

    private int left(LogPartition partition) {
      return log.getOrDefault(partition, List.of()).size() - taken.getOrDefault(partition, 0);
    }
  }

  private static Map<LogPartition, List<LogEntry>> log(Random random) {
    var log = new TreeMap<LogPartition, List<LogEntry>>();
    for (var partition : List.of(LogPartition.SERVICES, P1)) {
      var entries = new ArrayList<LogEntry>();
      for (int i = 0; i < 60; i++) {
        var object = randomObject(random);
        if ((partition.topic() == Topic.SERVICES) != (object instanceof Service)) {
          continue;
        }
        long offset = 2L * entries.size();
        entries.add(
            random.nextInt(3) > 0
                ? stored(partition, offset, object)
                : deleted(partition, offset, object));
      }
      log.put(partition, entries);
    }
    return log;
  }

  /**
   * From whichever moment a node comes, with the difference it has what a new node is told: also
   * one that another replica had, which took other steps.
   */
  @RepeatedTest(10)
  void aDifferenceLeadsToTheWhole() {
    long seed = System.nanoTime();
    System.out.println("ContentTest seed " + seed);
    for (int round = 0; round < 20; round++) {
      var random = new Random(seed + round);
      var log = log(random);
      var other = new Follower(log, 1000, random);
      other.follow(1);
      var here = new Follower(log, 60, random);
      here.follow(1 + random.nextInt(3));
      var whole = take(Map.of(), here.content.whole("n1"));
      int differences = 0;
      for (var history : List.of(here.history, other.history)) {
        for (var moment : history) {
          var number = here.content.numberAt(moment.getKey().position());
          if (number.isPresent()) {
            var items = here.content.since(number.getAsLong(), "n1").orElseThrow().items();
            assertThat(take(moment.getValue(), items.iterator()))
                .as("from %s, seed %s", moment.getKey().position().offsets(), seed + round)
                .isEqualTo(whole);
            differences++;
          }
        }
      }
      assertThat(differences).as("moments that are known, seed %s", seed + round).isPositive();
      assertThat(here.content.journal()).as("seed %s", seed + round).isLessThanOrEqualTo(60);
    }
  }

  /** What came and went within one step is in none, but an agent of another replica may have it. */
  @Test
  void whoIsWhereThisReplicaNeverWasIsSentEverything() {
    var services = LogPartition.SERVICES;
    var gone = service("a", "10.96.0.1");
    var led = List.of(stored(services, 10, gone), deleted(services, 12, gone));
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    led.forEach(delta::replay);
    var content =
        Content.empty(START, 10)
            .with(Entries.changed(delta, delta.apply()), START.with(services, 14), led);
    assertThat(content.numberAt(START.with(services, 11))).isEmpty();
    assertThat(content.numberAt(START.with(services, 12))).isEmpty();
    assertThat(content.numberAt(START.with(services, 10))).hasValue(0);
    assertThat(content.numberAt(START.with(services, 13))).hasValue(1);
    var later = step(content, ClusterImage.EMPTY, 20, service("b", "10.96.0.2"));
    assertThat(later.numberAt(START.with(services, 12))).isEmpty();
    assertThat(later.numberAt(START.with(services, 14))).hasValue(1);
  }

  /** Nor is a moment known that lay between the records of two partitions, taken the other way. */
  @Test
  void whoHasRecordsOfTwoPartitionsInAnotherOrderIsSentEverything() {
    var first = step(Content.empty(START, 10), ClusterImage.EMPTY, 10, service("a", "10.96.0.1"));
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    var entry = stored(P1, 4, pod("p", "app", "n1", "10.244.0.1"));
    delta.replay(entry);
    var second =
        first.with(
            Entries.changed(delta, delta.apply()), first.position().with(P1, 5), List.of(entry));
    assertThat(second.numberAt(START.with(P1, 5))).isEmpty();
    assertThat(second.numberAt(START.with(LogPartition.SERVICES, 10).with(P1, 4))).hasValue(1);
  }

  /** The oldest changes are forgotten first, and whoever needs them is told everything. */
  @Test
  void theJournalKeepsTheLatestChangesOnly() {
    var one = step(Content.empty(START, 2), ClusterImage.EMPTY, 10, service("a", "10.96.0.1"));
    var two = step(one, ClusterImage.EMPTY, 20, service("b", "10.96.0.2"));
    assertThat(two.since(0, "n1").orElseThrow().items()).hasSize(2);
    var three = step(two, ClusterImage.EMPTY, 30, service("c", "10.96.0.3"));
    assertThat(three.journal()).isEqualTo(2);
    assertThat(three.since(0, "n1")).isEmpty();
    assertThat(three.numberAt(START)).isEmpty();
    assertThat(three.numberAt(one.position())).hasValue(1);
    assertThat(three.since(1, "n1").orElseThrow().items()).hasSize(2);
  }

  /**
   * What was there before an image that was kept, and is not in it, nobody knows: who is behind it
   * would never be told to remove that.
   */
  @Test
  void whoIsBehindAnImageThatWasKeptIsSentEverything() {
    var kept = START.with(LogPartition.SERVICES, 20);
    var image = TestObjects.image(service("a", "10.96.0.1"));
    var content = Content.empty(START, 10).restored(Entries.of(image), kept);
    assertThat(content.position()).isEqualTo(kept);
    assertThat(content.size()).isEqualTo(1);
    assertThat(content.numberAt(START.with(LogPartition.SERVICES, 19))).isEmpty();
    assertThat(content.numberAt(START)).isEmpty();
    var later = step(content, image, 30, service("b", "10.96.0.2"));
    assertThat(later.numberAt(START.with(LogPartition.SERVICES, 19))).isEmpty();
    long had = later.numberAt(kept).orElseThrow();
    assertThat(later.since(had, "n1").orElseThrow().items()).hasSize(1);
  }

  /** Between the records of two steps nothing is different. */
  @Test
  void aPositionBetweenTwoStepsCountsAsTheEarlierOne() {
    var one = step(Content.empty(START, 10), ClusterImage.EMPTY, 10, service("a", "10.96.0.1"));
    var two = step(one, ClusterImage.EMPTY, 20, service("b", "10.96.0.2"));
    assertThat(two.numberAt(START.with(LogPartition.SERVICES, 15))).hasValue(1);
    assertThat(two.numberAt(START.with(LogPartition.SERVICES, 20))).hasValue(2);
    assertThat(two.numberAt(START.with(P1, 5))).hasValue(0);
    assertThat(two.numberAt(Position.start(new LogIdentity("x", "y")))).isEmpty();
    assertThat(two.since(1, "n1").orElseThrow().items()).hasSize(1);
    assertThat(two.since(2, "n1").orElseThrow().items()).isEmpty();
  }

  /** What most nodes lack is looked for once, also its message; who lacks more gets its own. */
  @Test
  void nodesThatAreAsFarShareWhatTheyLack() {
    var first = step(Content.empty(START, 10), ClusterImage.EMPTY, 10, service("a", "10.96.0.1"));
    var second = step(first, ClusterImage.EMPTY, 20, pod("p", "app", "n1", "10.244.0.1"));
    var lacking = second.since(0, "n2").orElseThrow();
    assertThat(second.since(0, "n3")).containsSame(lacking);
    assertThat(lacking.items()).hasSize(1);
    assertThat(lacking.only(1000).orElseThrow()).isSameAs(lacking.only(1000).orElseThrow());
    assertThat(second.since(0, "n1").orElseThrow().items()).hasSize(2);
  }

  /** As many as one message carries, and no more; what is not sent stays. */
  @Test
  void aMessageCarriesAsMuchAsItMay() {
    var content = Content.empty(START, 10);
    for (int i = 1; i <= 3; i++) {
      content = step(content, ClusterImage.EMPTY, i * 10L, service("s" + i, "10.96.0." + i));
    }
    var lacking = content.since(0, "n1").orElseThrow();
    assertThat(lacking.only(1)).isEmpty();
    var items = lacking.items().iterator();
    assertThat(Lacking.next(items, 1).chunk().getSetCount()).isEqualTo(1);
    assertThat(Lacking.next(items, 1_000_000).chunk().getSetCount()).isEqualTo(2);
    assertThat(Lacking.next(items, 1_000_000).isEmpty()).isTrue();
  }

  private static Content step(Content base, ClusterImage image, long next, DomainObject object) {
    var delta = new ClusterDelta(image);
    var entry = stored(LogPartition.SERVICES, next - 1, object);
    delta.replay(entry);
    return base.with(
        Entries.changed(delta, delta.apply()),
        base.position().with(LogPartition.SERVICES, next),
        List.of(entry));
  }

  @Test
  void aPodThatMovesIsTakenFromOneNodeAndGivenToTheOther() {
    var before = ClusterImage.EMPTY;
    var first = step(Content.empty(START, 10), before, 1, pod("p", "app", "n1", "10.244.0.1"));
    var image = io.fairlead.core.image.TestObjects.image(pod("p", "app", "n1", "10.244.0.1"));
    var moved = step(first, image, 2, pod("p", "app", "n2", "10.244.0.1"));
    assertThat(moved.since(1, "n1").orElseThrow().items())
        .containsExactly(new Content.Item.Removed("pod/default/p"));
    assertThat(moved.since(1, "n2").orElseThrow().items()).hasSize(1);
    assertThat(moved.since(1, "n3").orElseThrow().items()).isEmpty();
    assertThat(take(Map.of(), moved.whole("n1"))).isEmpty();
  }

  private static DomainObject randomObject(Random random) {
    var letter = "" + (char) ('a' + random.nextInt(4));
    var node = "n" + (1 + random.nextInt(2));
    var pod =
        pod(
            letter,
            "" + (char) ('a' + random.nextInt(3)),
            node,
            "10.244.0." + (1 + random.nextInt(9)));
    return switch (random.nextInt(5)) {
      case 0 -> service(letter, "10.96.0." + (1 + random.nextInt(5)));
      case 1 -> ready(pod);
      case 2 -> unready(pod);
      case 3 -> node(node, Optional.of("zone-" + random.nextInt(2)));
      default -> pod;
    };
  }
}
