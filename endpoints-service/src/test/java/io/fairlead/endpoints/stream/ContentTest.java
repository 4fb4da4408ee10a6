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
import io.fairlead.core.model.Topic;
import io.fairlead.core.view.Entries;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
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

  /** From whichever moment a node comes, with the difference it has what a new node is told. */
  @RepeatedTest(10)
  void aDifferenceLeadsToTheWhole() {
    long seed = System.nanoTime();
    System.out.println("ContentTest seed " + seed);
    var random = new Random(seed);
    var image = ClusterImage.EMPTY;
    var content = Content.empty(START, 60);
    var history = new ArrayList<Map.Entry<Content, Map<String, ByteString>>>();
    for (int i = 0; i < 60; i++) {
      var partition = random.nextBoolean() ? LogPartition.SERVICES : P1;
      var delta = new ClusterDelta(image);
      for (int j = random.nextInt(3); j >= 0; j--) {
        var object = randomObject(random);
        delta.replay(
            random.nextInt(4) > 0 ? stored(partition, i, object) : deleted(partition, i, object));
      }
      image = delta.apply();
      content =
          content.with(
              Entries.changed(delta, image),
              content.position().with(partition, content.position().of(partition) + 2));
      history.add(Map.entry(content, take(Map.of(), content.whole("n1"))));
    }
    var last = history.getLast();
    int differences = 0;
    for (var moment : history) {
      var number = content.numberAt(moment.getKey().position());
      if (number.isPresent()) {
        var items = content.since(number.getAsLong(), "n1").orElseThrow().items();
        assertThat(take(moment.getValue(), items.iterator()))
            .as("from %s, seed %s", moment.getKey().position(), seed)
            .isEqualTo(last.getValue());
        differences++;
      }
    }
    assertThat(differences).as("moments that the journal reaches, seed %s", seed).isPositive();
    assertThat(content.journal()).as("seed %s", seed).isLessThanOrEqualTo(60);
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

  /** A replica that took other steps sends from the last of its own that the position covers. */
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
    delta.replay(stored(LogPartition.SERVICES, next - 1, object));
    return base.with(
        Entries.changed(delta, delta.apply()), base.position().with(LogPartition.SERVICES, next));
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
