package io.fairlead.core.view;

import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.meta;
import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.terminating;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodDrain;
import io.fairlead.core.model.PodDrain.Drain;
import io.fairlead.core.model.Service;
import io.fairlead.core.view.NodeRules.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PodTrafficTest {
  private static final List<String> NODES = List.of("node-a", "node-b", "node-c");

  /** The same Pod, drained. */
  static Pod drained(Pod pod) {
    var meta = pod.meta();
    return new Pod(
        new ObjectMeta(
            meta.namespace(),
            meta.name(),
            meta.uid(),
            meta.labels(),
            PodDrain.mark(meta.annotations(), Drain.ON),
            meta.created()),
        pod.spec(),
        pod.status(),
        pod.source());
  }

  private static SortedSet<ObjectName> through(ClusterImage image, Pod pod, String node) {
    return PodTraffic.of(image, pod.name(), pod.uid()).through(PodTraffic.context(image, node));
  }

  @Test
  void aPodThatIsDrainedGetsNothingWhereAnotherIsReady() {
    var one = pod("one", "web", "node-a", "10.244.0.1");
    var other = pod("other", "web", "node-b", "10.244.1.1");
    var before = image(service("web", "10.96.0.1"), one, other);
    var after = image(service("web", "10.96.0.1"), drained(one), other);
    assertThat(through(before, one, "node-c")).containsExactly(name("web"));
    assertThat(through(after, one, "node-c")).isEmpty();
    assertThat(through(after, other, "node-c")).containsExactly(name("web"));
  }

  @Test
  void theLastOneStillGetsConnectionsThoughItIsDrained() {
    var one = pod("one", "web", "node-a", "10.244.0.1");
    var image = image(service("web", "10.96.0.1"), drained(one));
    assertThat(through(image, one, "node-a")).containsExactly(name("web"));
  }

  @Test
  void nobodySendsAnythingToAPodThatIsNotThere() {
    var one = pod("one", "web", "node-a", "10.244.0.1");
    assertThat(through(image(service("web", "10.96.0.1")), one, "node-a")).isEmpty();
  }

  /** Against the rules that the whole view of a node has. */
  @Test
  void agreesWithTheRulesOfTheNode() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    int used = 0;
    for (int round = 0; round < 400; round++) {
      var objects = new ArrayList<DomainObject>();
      var services = new ArrayList<Service>();
      for (int i = 0; i < 1 + random.nextInt(3); i++) {
        services.add(service("web-" + i, "10.96.0." + (10 + i)));
      }
      var pods = new ArrayList<Pod>();
      for (int i = 0; i < 1 + random.nextInt(5); i++) {
        var pod =
            pod(
                "pod-" + i,
                "web-" + random.nextInt(3),
                NODES.get(random.nextInt(NODES.size())),
                // two may claim one address
                "10.244.0." + (1 + random.nextInt(4)));
        pods.add(
            switch (random.nextInt(3)) {
              case 0 -> drained(pod);
              case 1 -> terminating(pod);
              default -> pod;
            });
      }
      objects.addAll(services);
      objects.addAll(pods);
      NODES.forEach(node -> objects.add(node(node, Optional.of("zone-" + random.nextInt(2)))));
      var image = image(objects.toArray(DomainObject[]::new));
      for (var node : NODES) {
        var rules = NodeView.rules(Entries.of(image), PodTraffic.context(image, node));
        for (var pod : pods) {
          var expected = new TreeSet<ObjectName>();
          for (var service : services) {
            boolean selects = service.spec().selects(pod.meta().labels());
            var target = new Target(pod.status().ips().getFirst(), 8080);
            rules
                .ports()
                .forEach((frontend, rule) -> {
                  if (selects
                      && service.spec().clusterIps().contains(frontend.vip())
                      && rule.targets().contains(target)) {
                    expected.add(service.name());
                  }
                });
          }
          used += expected.size();
          assertThat(through(image, pod, node))
              .as("seed %d, round %d, %s from %s", seed, round, pod.name(), node)
              .isEqualTo(expected);
        }
      }
    }
    assertThat(used).as("seed %d", seed).isPositive();
  }

  @Test
  void theMarkIsTheServersAlone() {
    var annotations = new TreeMap<>(meta("default", "x", java.util.Map.of()).annotations());
    annotations.put(PodDrain.ANNOTATION, "true");
    assertThat(PodDrain.mark(annotations, Drain.OFF)).isEmpty();
    assertThat(PodDrain.mark(annotations, Drain.ON)).containsOnlyKeys(PodDrain.ANNOTATION);
  }
}
