package io.fairlead.endpoints.acks;

import static io.fairlead.core.image.TestObjects.after;
import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodDrain;
import io.fairlead.core.model.PodDrain.Drain;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeView;
import io.fairlead.core.view.PodTraffic;
import io.fairlead.endpoints.acks.Progress.Behind;
import io.fairlead.endpoints.acks.Progress.Why;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DrainCheckTest {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");
  private static final List<String> NODES = List.of("node-a", "node-b", "node-c");
  private static final Pod POD = pod("one", "web", "node-a", "10.244.0.1");

  private static final Pod OTHER = pod("other", "web", "node-b", "10.244.1.1");

  private static Position at(int step) {
    return Position.start(LOG).with(LogPartition.NODES, step);
  }

  private static Pod marked(Pod pod, Drain drain) {
    var meta = pod.meta();
    return new Pod(
        new ObjectMeta(
            meta.namespace(),
            meta.name(),
            meta.uid(),
            meta.labels(),
            PodDrain.mark(meta.annotations(), drain),
            meta.created()),
        pod.spec(),
        pod.status(),
        pod.source());
  }

  private static Standing standing(
      String node, boolean lost, Optional<Position> position, List<Refused> refused) {
    return new Standing(
        node,
        lost,
        new Standing.Held("replica", false),
        Optional.of(Acknowledgement.ofNode(node, 1, 1, position, "", refused)));
  }

  private static DrainCheck check(List<ClusterImage> images, int mark, List<Standing> standings) {
    return DrainCheck.of(
        POD.name(),
        POD.uid(),
        at(mark),
        standings,
        new DrainCheck.Images(
            images.getLast(),
            position -> {
              int step = (int) position.of(LogPartition.NODES);
              return Optional.of(
                  new DrainCheck.Past(
                      images.get(step),
                      step + 1 < images.size()
                          ? List.of(POD.key(), OTHER.key())
                          : List.<ObjectKey>of()));
            }),
        Optional.empty());
  }

  /**
   * Against the whole rules of each node: any history of other Pods before and after the mark, any
   * moment that a node acknowledged, and every moment from that to the newest, since it may come by
   * each of them.
   */
  @Test
  void aNodeIsClearOnlyWhereNothingThatItHasOrMayYetComeByLeadsThere() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    int clear = 0;
    int used = 0;
    for (int round = 0; round < 300; round++) {
      var images = new ArrayList<ClusterImage>();
      images.add(
          image(
              service("web", "10.96.0.1"),
              POD,
              pod("other", "web", "node-b", "10.244.1.1"),
              node("node-a", Optional.of("a")),
              node("node-b", Optional.of("b")),
              node("node-c", Optional.empty())));
      int mark = 1 + random.nextInt(3);
      int last = mark + random.nextInt(4);
      for (int step = 1; step <= last; step++) {
        var before = images.getLast();
        // the other one stops and starts being ready, for which it is drained, too
        images.add(
            step == mark
                ? after(before, marked(POD, Drain.ON))
                : after(
                    before,
                    marked(
                        pod("other", "web", "node-b", "10.244.1.1"),
                        random.nextBoolean() ? Drain.ON : Drain.OFF)));
      }
      var standings = new ArrayList<Standing>();
      var expected = new TreeSet<String>();
      var allowed = new TreeSet<String>();
      for (var node : NODES) {
        int acknowledged = random.nextInt(last + 1);
        boolean lost = random.nextInt(6) == 0;
        var refused =
            random.nextInt(6) == 0
                ? List.of(new Refused("10.96.0.1:80/TCP", "no memory"))
                : List.<Refused>of();
        standings.add(standing(node, lost, Optional.of(at(acknowledged)), refused));
        boolean leads =
            images.subList(acknowledged, images.size()).stream()
                .anyMatch(image -> leadsThere(image, node));
        if (!lost && (acknowledged < mark || !refused.isEmpty() || leads)) {
          expected.add(node);
        }
        if (!lost && acknowledged < last) { // said of all that concerns it, whatever it leads to
          allowed.add(node);
        }
        used += leads ? 1 : 0;
      }
      var check = check(images, mark, standings);
      var behind =
          check.behind().stream()
              .map(one -> one.standing().node())
              .collect(Collectors.toCollection(TreeSet::new));
      assertThat(behind).as("seed %d, round %d", seed, round).containsAll(expected);
      allowed.addAll(expected);
      assertThat(allowed).as("seed %d, round %d", seed, round).containsAll(behind);
      assertThat(check.clear()).isEqualTo(behind.isEmpty());
      clear += behind.isEmpty() ? 1 : 0;
    }
    assertThat(clear).as("seed %d", seed).isPositive();
    assertThat(used).as("seed %d", seed).isPositive();
  }

  private static boolean leadsThere(ClusterImage image, String node) {
    var rules = NodeView.rules(Entries.of(image), PodTraffic.context(image, node));
    var target = new Target(POD.status().ips().getFirst(), 8080);
    return rules.ports().values().stream().anyMatch(rule -> rule.targets().contains(target));
  }

  @Test
  void aNodeThatIsBehindAChangeOfTheOthersMayYetComeByAMomentAtWhichThePodIsTheLastResort() {
    var service = service("web", "10.96.0.1");
    var here = node("node-a", Optional.empty());
    var drained = marked(POD, Drain.ON);
    var both = image(service, drained, OTHER, here);
    var alone = after(both, marked(OTHER, Drain.ON)); // neither is wanted: both are the last resort
    var again = after(alone, OTHER);
    assertThat(leadsThere(both, "node-a")).isFalse();
    assertThat(leadsThere(alone, "node-a")).isTrue();
    assertThat(leadsThere(again, "node-a")).isFalse();
    var behind = List.of(standing("node-a", false, Optional.of(at(0)), List.of()));
    assertThat(check(List.of(both, alone, again), 0, behind).clear()).isFalse();
    var there = List.of(standing("node-a", false, Optional.of(at(2)), List.of()));
    assertThat(check(List.of(both, alone, again), 0, there).clear()).isTrue();
  }

  @Test
  void aPodThatIsGoneGetsNothingFromWhoeverAcknowledgedThat() {
    var before = image(service("web", "10.96.0.1"), POD, node("node-a", Optional.empty()));
    var gone = image(service("web", "10.96.0.1"), node("node-a", Optional.empty()));
    var there =
        check(
            List.of(before, gone),
            1,
            List.of(standing("node-a", false, Optional.of(at(1)), List.of())));
    assertThat(there.clear()).isTrue();
    var behind =
        check(
            List.of(before, gone),
            1,
            List.of(standing("node-a", false, Optional.of(at(0)), List.of())));
    assertThat(behind.clear()).isFalse();
  }

  @Test
  void refusedRulesMatterAlsoWhereNobodyKnowsWhoseTheyAre() {
    var images =
        List.of(
            image(
                service("web", "10.96.0.1"),
                marked(POD, Drain.ON),
                pod("other", "web", "node-b", "10.244.1.1"),
                node("node-a", Optional.empty())));
    for (var frontend : List.of("10.96.0.1:80/TCP", "10.96.0.77:80/TCP", "nonsense")) {
      var refused = List.of(new Refused(frontend, "no memory"));
      var check = check(images, 0, List.of(standing("node-a", false, Optional.of(at(0)), refused)));
      assertThat(check.behind())
          .as(frontend)
          .extracting(Behind::why)
          .containsExactly(Why.QUARANTINED);
    }
  }

  @Test
  void whatIsForgottenCannotBeJudged() {
    var newest = image(service("web", "10.96.0.1"), node("node-a", Optional.empty()));
    var check =
        DrainCheck.of(
            POD.name(),
            POD.uid(),
            at(0),
            List.of(standing("node-a", false, Optional.of(at(0)), List.of())),
            new DrainCheck.Images(newest, _ -> Optional.empty()),
            Optional.empty());
    assertThat(check.behind().getFirst().message()).contains("cannot tell");
  }
}
