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
import java.time.Duration;
import java.time.Instant;
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
      while (step(most)) {}
    }

    /** Takes at most so many records of each partition; false = there are no more. */
    boolean step(int most) {
      boolean more = hasMore();
      if (more) {
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
        content = content.with(delta, image, position, led, Instant.MIN);
        history.add(Map.entry(content, take(Map.of(), content.whole("n1"))));
      }
      return more;
    }

    boolean hasMore() {
      return log.keySet().stream().anyMatch(p -> left(p) > 0);
    }

    private int left(LogPartition partition) {
      return log.getOrDefault(partition, List.of()).size() - taken.getOrDefault(partition, 0);
    }
  }

  private static Map<LogPartition, List<LogEntry>> log(Random random) {
    var log = new TreeMap<LogPartition, List<LogEntry>>();
    for (var partition : List.of(LogPartition.SERVICES, P1)) {
      var entries = new ArrayList<LogEntry>();
      for (int i = 0; i < 150; i++) {
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
   * from one that only another replica had, which took other steps. There is a difference from each
   * of them.
   */
  @RepeatedTest(10)
  void aDifferenceLeadsToTheWhole() {
    long seed = System.nanoTime();
    System.out.println("ContentTest seed " + seed);
    for (int round = 0; round < 3; round++) {
      var random = new Random(seed + round);
      var log = log(random);
      var other = new Follower(log, 1000, random);
      other.follow(1 + random.nextInt(2));
      var here = new Follower(log, 1000, random);
      here.follow(1 + random.nextInt(8));
      var whole = take(Map.of(), here.content.whole("n1"));
      for (var history : List.of(here.history, other.history)) {
        for (var moment : history) {
          assertThat(moved(moment, here.content))
              .as("from %s, seed %s", moment.getKey().position().offsets(), seed + round)
              .contains(whole);
        }
      }
    }
  }

  /** Where the journal is too short there is none, never a wrong one. */
  @RepeatedTest(10)
  void aDifferenceOfAShortJournalLeadsToTheWholeToo() {
    long seed = System.nanoTime();
    System.out.println("ContentTest seed " + seed);
    for (int round = 0; round < 3; round++) {
      var random = new Random(seed + round);
      var log = log(random);
      var other = new Follower(log, 1000, random);
      other.follow(1 + random.nextInt(2));
      var here = new Follower(log, 1 + random.nextInt(60), random);
      here.follow(1 + random.nextInt(8));
      var whole = take(Map.of(), here.content.whole("n1"));
      for (var history : List.of(here.history, other.history)) {
        for (var moment : history) {
          var told = moved(moment, here.content);
          if (told.isPresent()) {
            assertThat(told)
                .as("from %s, seed %s", moment.getKey().position().offsets(), seed + round)
                .contains(whole);
          }
        }
      }
      assertThat(moved(here.history.getLast(), here.content))
          .as("seed %s", seed + round)
          .isPresent();
      assertThat(here.content.journal()).as("seed %s", seed + round).isLessThanOrEqualTo(60);
    }
  }

  /** An agent that goes to and fro between two replicas has, each time, what a new one is told. */
  @RepeatedTest(10)
  void anAgentThatMovesHasTheImageOfWhereItIs() {
    long seed = System.nanoTime();
    System.out.println("ContentTest seed " + seed);
    for (int round = 0; round < 3; round++) {
      var random = new Random(seed + round);
      var log = log(random);
      var replicas = List.of(new Follower(log, 1000, random), new Follower(log, 1000, random));
      var agent = Map.entry(replicas.getFirst().content, Map.<String, ByteString>of());
      boolean more = true;
      while (more) {
        var replica = replicas.get(random.nextInt(2));
        boolean read = replica.step(1 + random.nextInt(12));
        while (!replica.content.position().covers(agent.getKey().position())) {
          if (!replica.step(1 + random.nextInt(12))) {
            break; // all but a marker that the other one has read
          }
        }
        var told = moved(agent, replica.content);
        assertThat(told)
            .as("to %s, seed %s", replica.content.position().offsets(), seed + round)
            .contains(take(Map.of(), replica.content.whole("n1")));
        agent = Map.entry(replica.content, told.orElseThrow());
        more = read || replicas.stream().anyMatch(Follower::hasMore);
      }
    }
  }

  /** What an agent has that comes with that; empty = it is told everything. */
  private static Optional<Map<String, ByteString>> moved(
      Map.Entry<Content, Map<String, ByteString>> had, Content to) {
    return lacked(to, had.getKey().position(), "n1")
        .map(items -> take(had.getValue(), items.iterator()));
  }

  private static Optional<List<Content.Item>> lacked(Content content, Position had, String node) {
    return switch (content.back(had, node)) {
      case Content.Back.Difference(var lacking) -> Optional.of(lacking.items());
      case Content.Back.Everything _ -> Optional.empty();
    };
  }

  private static Content.Back everything(Content.Why why) {
    return new Content.Back.Everything(why);
  }

  /** What came and went within one step is in none, but an agent of another replica may have it. */
  @Test
  void whatCameAndWentWithinAStepIsTakenFromWhoHasIt() {
    var services = LogPartition.SERVICES;
    var gone = service("a", "10.96.0.1");
    var content =
        step(
            Content.empty(START, 10),
            ClusterImage.EMPTY,
            START.with(services, 14),
            stored(services, 10, gone),
            deleted(services, 12, gone));
    var removed = new Content.Item.Removed("service-port/default/a//TCP");
    assertThat(lacked(content, START.with(services, 11), "n1")).contains(List.of(removed));
    assertThat(lacked(content, START.with(services, 12), "n1")).contains(List.of(removed));
    assertThat(lacked(content, START.with(services, 10), "n1")).contains(List.of());
    assertThat(lacked(content, START.with(services, 13), "n1")).contains(List.of());
    var later = step(content, ClusterImage.EMPTY, 20, service("b", "10.96.0.2"));
    assertThat(lacked(later, START.with(services, 12), "n1").orElseThrow())
        .hasSize(2)
        .contains(removed);
    assertThat(lacked(later, START.with(services, 14), "n1").orElseThrow()).hasSize(1);
  }

  /** Another replica may have had the Pod while the Service was there, which this one never saw. */
  @Test
  void whoHasRecordsOfTwoPartitionsInAnotherOrderIsToldTheDifference() {
    var services = LogPartition.SERVICES;
    var web = service("app", "10.96.0.1");
    var pod = pod("p", "app", "n1", "10.244.0.1");
    var came = stored(services, 10, web);
    var first = step(Content.empty(START, 10), ClusterImage.EMPTY, START.with(services, 11), came);
    var went =
        step(first, TestObjects.image(web), START.with(services, 13), deleted(services, 12, web));
    var second =
        step(went, ClusterImage.EMPTY, START.with(services, 13).with(P1, 5), stored(P1, 4, pod));
    var other = START.with(services, 11).with(P1, 5); // the Pod before the Service went
    var had = TestObjects.image(web, pod);
    var keys = new ArrayList<String>();
    Entries.of(had).keySet().forEach(key -> keys.add(key.text()));
    keys.remove("pod/default/p");
    assertThat(keys).hasSize(2); // the port and its endpoint
    var removed = new ArrayList<Content.Item>();
    keys.forEach(key -> removed.add(new Content.Item.Removed(key)));
    assertThat(lacked(second, other, "n1").orElseThrow())
        .containsExactlyInAnyOrderElementsOf(removed);
  }

  /** Records are kept of the latest steps only: without them a position within one is of no use. */
  @Test
  void withinAStepOfLongAgoThereIsNoDifference() {
    var services = LogPartition.SERVICES;
    var gone = service("gone", "10.96.0.1");
    var content =
        step(
            Content.empty(START, 100_000),
            ClusterImage.EMPTY,
            START.with(services, 14),
            stored(services, 10, gone),
            deleted(services, 12, gone));
    var image = ClusterImage.EMPTY;
    for (int i = 0; content.journalRecords() <= Journal.MOST_RECORDS - 100; i += 100) {
      content = steps(content, image, 100 + i);
      image = TestObjects.image(service("b", "10.96.0.2"));
    }
    assertThat(lacked(content, START.with(services, 12), "n1")).isPresent();
    for (int i = 0; i < 1_000; i += 100) {
      content = steps(content, image, 100_000 + i);
    }
    assertThat(content.journalRecords()).isLessThanOrEqualTo(Journal.MOST_RECORDS);
    assertThat(content.back(START.with(services, 12), "n1"))
        .isEqualTo(everything(Content.Why.WITHIN_STEP));
    assertThat(lacked(content, START.with(services, 14), "n1").orElseThrow()).hasSize(1);
    assertThat(lacked(content, START.with(services, 100_750), "n1")).contains(List.of());
  }

  /** A step of a hundred records of one object. */
  private static Content steps(Content base, ClusterImage image, long from) {
    var led = new ArrayList<LogEntry>();
    for (long offset = from; offset < from + 100; offset++) {
      led.add(stored(LogPartition.SERVICES, offset, service("b", "10.96.0.2")));
    }
    return step(
        base, image, START.with(LogPartition.SERVICES, from + 100), led.toArray(LogEntry[]::new));
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
    assertThat(three.back(START, "n1")).isEqualTo(everything(Content.Why.BEYOND_JOURNAL));
    assertThat(lacked(three, one.position(), "n1").orElseThrow()).hasSize(2);
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
    var content = Content.empty(START, 10).restored(image, kept);
    assertThat(content.position()).isEqualTo(kept);
    assertThat(content.size()).isEqualTo(1);
    var behind = START.with(LogPartition.SERVICES, 19);
    assertThat(lacked(content, behind, "n1")).isEmpty();
    assertThat(lacked(content, START, "n1")).isEmpty();
    var later = step(content, image, 30, service("b", "10.96.0.2"));
    assertThat(later.back(behind, "n1")).isEqualTo(everything(Content.Why.BEYOND_JOURNAL));
    assertThat(lacked(later, kept, "n1").orElseThrow()).hasSize(1);
  }

  /**
   * A replica that reads a compacted log: a Service and its deletion are both gone, and who had it
   * would never be told to remove it.
   */
  @Test
  void whoComesFromBeforeTheLogIsCompleteIsSentEverything() {
    var services = LogPartition.SERVICES;
    var since = TestObjects.NOON;
    var old = before(since, stored(services, 0, service("old", "10.96.0.1")));
    var b = stored(services, 20, service("b", "10.96.0.2"));
    var c = stored(services, 24, service("c", "10.96.0.3"));
    var hadWhatIsGone = START.with(services, 11); // was stored at 10, deleted at 12
    var apart =
        step(
            step(Content.empty(START, 10), ClusterImage.EMPTY, START.with(services, 2), since, old),
            TestObjects.image(service("old", "10.96.0.1")),
            START.with(services, 22),
            since,
            b);
    var together =
        step(Content.empty(START, 10), ClusterImage.EMPTY, START.with(services, 22), since, old, b);
    for (var read : List.of(apart, together)) {
      var image = TestObjects.image(service("old", "10.96.0.1"), service("b", "10.96.0.2"));
      var later = step(read, image, START.with(services, 26), since, c);
      for (var content : List.of(read, later)) {
        assertThat(content.back(hadWhatIsGone, "n1"))
            .isEqualTo(everything(Content.Why.BEYOND_JOURNAL));
      }
      assertThat(lacked(later, START.with(services, 21), "n1").orElseThrow()).hasSize(1);
    }
  }

  /** As compaction removes nothing that is younger, whatever the partition is read behind. */
  @Test
  void aYoungLogIsCompleteFromItsStartAndBehindAnImageThatWasKept() {
    var services = LogPartition.SERVICES;
    var since = TestObjects.NOON;
    var first = stored(services, 0, service("a", "10.96.0.1"));
    var second = stored(services, 20, service("b", "10.96.0.2"));
    var read =
        step(
            Content.empty(START, 10),
            ClusterImage.EMPTY,
            START.with(services, 22),
            since,
            first,
            second);
    assertThat(lacked(read, START.with(services, 11), "n1").orElseThrow()).hasSize(1);
    var kept = START.with(services, 11);
    var image = TestObjects.image(service("a", "10.96.0.1"));
    var restored = Content.empty(START, 10).restored(image, kept);
    var later = step(restored, image, START.with(services, 22), since, second);
    assertThat(lacked(later, kept, "n1").orElseThrow()).hasSize(1);
  }

  private static LogEntry before(Instant time, LogEntry entry) {
    return new LogEntry(
        entry.partition(), entry.offset(), time.minus(Duration.ofDays(1)), entry.event());
  }

  /** Between the records of two steps nothing is different. */
  @Test
  void aPositionBetweenTwoStepsCountsAsTheEarlierOne() {
    var one = step(Content.empty(START, 10), ClusterImage.EMPTY, 10, service("a", "10.96.0.1"));
    var two = step(one, ClusterImage.EMPTY, 20, service("b", "10.96.0.2"));
    assertThat(lacked(two, START.with(LogPartition.SERVICES, 15), "n1").orElseThrow()).hasSize(1);
    assertThat(lacked(two, START.with(LogPartition.SERVICES, 20), "n1")).contains(List.of());
    assertThat(lacked(two, START.with(P1, 5), "n1").orElseThrow()).hasSize(2);
    assertThat(lacked(two, Position.start(new LogIdentity("x", "y")), "n1")).isEmpty();
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
    return step(
        base,
        image,
        base.position().with(LogPartition.SERVICES, next),
        stored(LogPartition.SERVICES, next - 1, object));
  }

  private static Content step(
      Content base, ClusterImage image, Position position, LogEntry... led) {
    return step(base, image, position, Instant.MIN, led);
  }

  private static Content step(
      Content base, ClusterImage image, Position position, Instant completeSince, LogEntry... led) {
    var delta = new ClusterDelta(image);
    for (var entry : led) {
      delta.replay(entry);
    }
    return base.with(delta, delta.apply(), position, List.of(led), completeSince);
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
