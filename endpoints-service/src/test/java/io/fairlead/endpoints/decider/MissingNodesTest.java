package io.fairlead.endpoints.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Node;
import io.fairlead.endpoints.decider.MissingNodes.Missing;
import io.fairlead.endpoints.decider.MissingNodes.Verdict;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class MissingNodesTest {
  private static final Set<Missing> NONE = Set.of();
  private static final Verdict NOBODY = new Verdict(List.of(), List.of());
  private final MissingNodes missing = new MissingNodes(NodeLossSettings.DEFAULT);

  private static ClusterImage nodes(int count) {
    return TestObjects.image(
        IntStream.range(0, count)
            .mapToObj(i -> TestObjects.node("n" + i, Optional.empty()))
            .toArray(DomainObject[]::new));
  }

  private static Set<String> present(int from, int to) {
    var names = new TreeSet<String>();
    IntStream.range(from, to).forEach(i -> names.add("n" + i));
    return names;
  }

  private static long at(int seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }

  @Test
  void aNodeIsLostWhenItsKeyIsMissingForLong() {
    var image = nodes(3);
    assertThat(missing.look(image, present(1, 3), NONE, at(0))).isEqualTo(NOBODY);
    assertThat(missing.look(image, present(1, 3), NONE, at(39))).isEqualTo(NOBODY);
    assertThat(missing.look(image, present(1, 3), NONE, at(40)).lost())
        .containsExactly(new Missing("n0", 100));
  }

  @Test
  void aNodeThatIsSeenMeanwhileBeginsAnew() {
    var image = nodes(3);
    missing.look(image, present(1, 3), NONE, at(0));
    missing.look(image, present(0, 3), NONE, at(30));
    missing.look(image, present(1, 3), NONE, at(35));
    assertThat(missing.look(image, present(1, 3), NONE, at(74))).isEqualTo(NOBODY);
    assertThat(missing.look(image, present(1, 3), NONE, at(75)).lost()).hasSize(1);
  }

  @Test
  void aLookThatFailedMakesAllBeginAnew() {
    var image = nodes(3);
    missing.look(image, present(1, 3), NONE, at(0));
    missing.forget();
    assertThat(missing.look(image, present(1, 3), NONE, at(41))).isEqualTo(NOBODY);
  }

  @Test
  void aLaterSessionBeginsAnew() {
    var image = nodes(1);
    missing.look(image, Set.of(), NONE, at(0));
    var reopened =
        TestObjects.after(
            image,
            TestObjects.serviceCidr("x", "10.0.0.0/8"),
            TestObjects.node("n0", Optional.empty()));
    assertThat(missing.look(reopened, Set.of(), NONE, at(41))).isEqualTo(NOBODY);
  }

  @Test
  void aNodeThatIsLostAlreadyIsNotLostAgain() {
    var node = TestObjects.node("n0", Optional.empty());
    var lost =
        new Node(
            node.meta(),
            node.zone(),
            node.addresses(),
            node.podCidrs(),
            node.agentVersion(),
            node.instance(),
            OptionalLong.of(1),
            Node.State.LOST,
            "gone");
    var image = TestObjects.image(lost);
    missing.look(image, Set.of(), NONE, at(0));
    assertThat(missing.look(image, Set.of(), NONE, at(100))).isEqualTo(NOBODY);
  }

  /** Ten or more and over a third: probably not the nodes. */
  @Test
  void theLossOfManyAtOnceIsHeldBack() {
    var image = nodes(30);
    missing.look(image, present(11, 30), NONE, at(0));
    var verdict = missing.look(image, present(11, 30), NONE, at(40));
    assertThat(verdict.lost()).isEmpty();
    assertThat(verdict.held()).hasSize(11);
    assertThat(missing.look(image, present(11, 30), NONE, at(339)).held()).hasSize(11);
    assertThat(missing.look(image, present(11, 30), NONE, at(340)).lost()).hasSize(11);
  }

  @Test
  void tenOfThirtyAreNotTooMany() {
    var image = nodes(30);
    missing.look(image, present(10, 30), NONE, at(0));
    assertThat(missing.look(image, present(10, 30), NONE, at(40)).lost()).hasSize(10);
  }

  @Test
  void nineOfTenAreFewInAll() {
    var image = nodes(10);
    missing.look(image, present(9, 10), NONE, at(0));
    assertThat(missing.look(image, present(9, 10), NONE, at(40)).lost()).hasSize(9);
  }

  @Test
  void whenSomeOfManyComeBackTheRestAreLost() {
    var image = nodes(30);
    missing.look(image, present(11, 30), NONE, at(0));
    missing.look(image, present(11, 30), NONE, at(40));
    assertThat(missing.look(image, present(5, 30), NONE, at(50)).lost()).hasSize(5);
  }

  @Test
  void whoseAgentsConnectionEndedIsLostSooner() {
    var image = nodes(3);
    var left = Set.of(new Missing("n0", 100));
    assertThat(missing.look(image, present(2, 3), left, at(0))).isEqualTo(NOBODY);
    assertThat(missing.look(image, present(2, 3), left, at(9))).isEqualTo(NOBODY);
    assertThat(missing.look(image, present(2, 3), left, at(10)).lost())
        .containsExactly(new Missing("n0", 100));
    assertThat(missing.look(image, present(2, 3), left, at(40)).lost()).hasSize(2);
  }

  @Test
  void anotherSessionThatWasLeftDoesNotCount() {
    var image = nodes(1);
    var left = Set.of(new Missing("n0", 99));
    missing.look(image, Set.of(), left, at(0));
    assertThat(missing.look(image, Set.of(), left, at(39))).isEqualTo(NOBODY);
    assertThat(missing.look(image, Set.of(), left, at(40)).lost()).hasSize(1);
  }

  @Test
  void theLossOfManyAtOnceIsHeldBackAlsoWhereTheirConnectionsEnded() {
    var image = nodes(30);
    var left = new TreeSet<>(Comparator.comparing(Missing::node));
    for (int i = 0; i < 11; i++) {
      left.add(new Missing("n" + i, 100 + i));
    }
    missing.look(image, present(11, 30), left, at(0));
    assertThat(missing.look(image, present(11, 30), left, at(10)).held()).hasSize(11);
    assertThat(missing.look(image, present(11, 30), left, at(309)).held()).hasSize(11);
    assertThat(missing.look(image, present(11, 30), left, at(310)).lost()).hasSize(11);
  }

  @Test
  void aShorterTimeForAllCountsForThemToo() {
    var settings =
        NodeLossSettings.DEFAULT.withAfter(Duration.ofSeconds(5), Duration.ofSeconds(10));
    assertThat(settings.afterClose()).isEqualTo(Duration.ofSeconds(5));
  }
}
