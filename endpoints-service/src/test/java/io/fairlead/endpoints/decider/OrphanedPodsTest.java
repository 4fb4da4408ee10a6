package io.fairlead.endpoints.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.Orphaning;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.Pod;
import io.fairlead.endpoints.decider.OrphanedPods.Orphans;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class OrphanedPodsTest {
  private final OrphanedPods orphaned = new OrphanedPods(Duration.ofMinutes(5));

  private static Node node(long session, Node.State state, String... sources) {
    return node("n1", session, state, sources);
  }

  static Node node(String name, long session, Node.State state, String... sources) {
    var node = TestObjects.node(name, Optional.empty());
    return new Node(
        node.meta(),
        node.zone(),
        node.addresses(),
        node.podCidrs(),
        node.agentVersion(),
        node.instance(),
        OptionalLong.of(session),
        state,
        "",
        List.of(sources));
  }

  private static Pod pod(String name, String source) {
    var pod = TestObjects.pod(name, "web", "n1", "10.244.0.1");
    return new Pod(pod.meta(), pod.spec(), pod.status(), source);
  }

  private List<Orphans> look(ClusterImage image, int second, String... deleted) {
    return orphaned.look(image, Set.of(deleted), Duration.ofSeconds(second).toNanos());
  }

  private static Orphans orphans(Orphaning why, int count) {
    return new Orphans("default", "n1", why, count);
  }

  @Test
  void podsOfALostNodeAreOrphansAfterTheBoundFromItsLoss() {
    var empty = TestObjects.image(node(7, Node.State.LOST, "manifests/n1"));
    assertThat(look(empty, 0)).isEmpty();
    var image =
        TestObjects.after(empty, pod("a", "manifests/n1"), pod("b", "docker/n1"), pod("c", "api"));
    assertThat(look(image, 299)).isEmpty();
    assertThat(look(image, 300)).containsExactly(orphans(new Orphaning.NodeLost(7), 2));
  }

  @Test
  void anotherLossBeginsAnew() {
    var pod = pod("a", "manifests/n1");
    assertThat(look(TestObjects.image(node(7, Node.State.LOST), pod), 0)).isEmpty();
    assertThat(look(TestObjects.image(node(9, Node.State.READY), pod), 200)).isEmpty();
    assertThat(look(TestObjects.image(node(9, Node.State.LOST), pod), 201)).isEmpty();
    assertThat(look(TestObjects.image(node(9, Node.State.LOST), pod), 500)).isEmpty();
    assertThat(look(TestObjects.image(node(9, Node.State.LOST), pod), 501))
        .containsExactly(orphans(new Orphaning.NodeLost(9), 1));
  }

  @Test
  void podsOfANodeThatIsNotThereAreOrphansAfterTheBoundOrAtOnceWhereItWasDeletedJustNow() {
    var image = TestObjects.image(pod("a", "manifests/n1"), pod("c", "api"));
    assertThat(look(image, 0)).isEmpty();
    assertThat(look(image, 1, "n2")).isEmpty();
    assertThat(look(image, 2, "n1")).containsExactly(orphans(new Orphaning.NodeGone(), 1));
    assertThat(look(image, 300)).containsExactly(orphans(new Orphaning.NodeGone(), 1));
  }

  @Test
  void podsOfASourceThatItsNodeDoesNotNameAreOrphansAfterTheBound() {
    var pods = new Pod[] {pod("a", "manifests/n1"), pod("b", "docker/n1"), pod("c", "ci/n2")};
    var image =
        TestObjects.image(node(7, Node.State.READY, "manifests/n1"), pods[0], pods[1], pods[2]);
    var gone = new Orphaning.SourceGone(7, "docker/n1");
    assertThat(look(image, 0)).isEmpty();
    assertThat(look(image, 300)).containsExactly(orphans(gone, 1));
    var silent = TestObjects.image(node(8, Node.State.READY), pods[0], pods[1], pods[2]);
    assertThat(look(silent, 301)).as("an agent that names no sources").isEmpty();
    assertThat(look(silent, 900)).isEmpty();
  }

  /** An agent that is moved from replica to replica would keep them for ever. */
  @Test
  void theTimeOfASourceGoesOnWhenItsNodeOpensItsStreamAnew() {
    var pod = pod("b", "docker/n1");
    assertThat(look(TestObjects.image(node(7, Node.State.READY, "manifests/n1"), pod), 0))
        .isEmpty();
    var later = TestObjects.image(node(8, Node.State.READY, "manifests/n1"), pod);
    assertThat(look(later, 299)).isEmpty();
    assertThat(look(later, 300))
        .containsExactly(orphans(new Orphaning.SourceGone(8, "docker/n1"), 1));
  }
}
