package io.fairlead.core.view;

import static io.fairlead.core.image.TestObjects.after;
import static io.fairlead.core.image.TestObjects.container;
import static io.fairlead.core.image.TestObjects.deletion;
import static io.fairlead.core.image.TestObjects.delta;
import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Of two Pods of a node that claim one address and port the older one has it. */
@Timeout(30)
class PodClaimsTest {
  private static final Service WEB = service("web", "10.96.0.1");

  /** A Pod of the Service, so many seconds younger than others. */
  private static Pod pod(String name, int age, String node, String ip, Pod.ContainerPort... ports) {
    var pod = TestObjects.pod(name, "web", node, ip);
    var meta = pod.meta();
    return TestObjects.with(
        new Pod(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                meta.uid(),
                meta.labels(),
                meta.annotations(),
                meta.created().plusSeconds(age)),
            pod.spec(),
            pod.status(),
            pod.source()),
        List.of(container(List.of(ports), Optional.empty())));
  }

  private static Pod.ContainerPort tcp(int port) {
    return new Pod.ContainerPort("", Protocol.TCP, port);
  }

  private static Pod.ContainerPort udp(int port) {
    return new Pod.ContainerPort("", Protocol.UDP, port);
  }

  private static List<String> endpoints(ClusterImage image) {
    return Endpoints.of(image, WEB, Family.IPV4).stream().map(e -> e.pod().name()).toList();
  }

  private static PodCondition condition(ClusterImage image, String pod) {
    return PodCondition.of(image.pods(), image.pods().get(name(pod)).orElseThrow().object());
  }

  private static final Pod OLDER = pod("older", 0, "n1", "192.0.2.1", tcp(8080));
  private static final Pod YOUNGER = pod("younger", 1, "n1", "192.0.2.1", tcp(80), tcp(8080));

  @Test
  void theYoungerIsNoEndpointAndSaysWhyUntilTheOlderIsGone() {
    var both = image(WEB, YOUNGER, OLDER);
    assertThat(endpoints(both)).containsExactly("older");
    assertThat(condition(both, "older").ready()).isTrue();
    assertThat(condition(both, "younger").ready()).isFalse();
    assertThat(condition(both, "younger").reason())
        .isEqualTo("refused: 192.0.2.1:8080/TCP is claimed by Pod default/older, which is older");
    assertThat(endpoints(deletion(both, OLDER).apply())).containsExactly("younger");
    var ended = after(both, TestObjects.with(OLDER, Pod.Phase.SUCCEEDED));
    assertThat(endpoints(ended)).as("one that has ended holds nothing").containsExactly("younger");
  }

  record Case(String name, Pod other) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> noConflicts() {
    return Stream.of(
        new Case("another port", pod("other", 1, "n1", "192.0.2.1", tcp(81))),
        new Case("another protocol", pod("other", 1, "n1", "192.0.2.1", udp(8080))),
        new Case("another address", pod("other", 1, "n1", "192.0.2.2", tcp(8080))),
        new Case("another node", pod("other", 1, "n2", "192.0.2.1", tcp(8080))),
        new Case("no port declared", pod("other", 1, "n1", "192.0.2.1")));
  }

  @ParameterizedTest
  @MethodSource("noConflicts")
  void podsThatDoNotClaimTheSameAreBothEndpoints(Case row) {
    assertThat(endpoints(image(WEB, OLDER, row.other()))).containsExactly("older", "other");
  }

  @Test
  void ofTwoOfTheSameMomentOneHasItOnEveryReplica() {
    var one = pod("one", 0, "n1", "192.0.2.1", tcp(80));
    var two = pod("two", 0, "n1", "192.0.2.1", tcp(80));
    assertThat(endpoints(image(WEB, one, two)))
        .hasSize(1)
        .isEqualTo(endpoints(image(WEB, two, one)));
  }

  /** Whatever order and steps the records come in, streams and DNS are told of what it leads to. */
  @Test
  void everyStepTellsOfThePodsThatItRefusesOrLetsIn() {
    long seed = 7;
    var random = new Random(seed);
    for (int round = 0; round < 50; round++) {
      var objects = new ArrayList<Pod>();
      for (int i = 0; i < 6; i++) {
        objects.add(pod("p" + i, random.nextInt(4), "n1", "192.0.2." + random.nextInt(2), tcp(80)));
      }
      var image = image(WEB);
      for (int step = 0; step < 12; step++) {
        var pod = objects.get(random.nextInt(objects.size()));
        boolean there = image.pods().get(pod.name()).isPresent();
        ClusterDelta delta =
            there && random.nextBoolean() ? deletion(image, pod) : delta(image, pod);
        var next = delta.apply();
        for (var candidate : objects) {
          var was = ready(image, candidate);
          var is = ready(next, candidate);
          assertThat(was.equals(is) || delta.pods().contains(candidate.name()))
              .as("seed %d, round %d, step %d: %s", seed, round, step, candidate.name())
              .isTrue();
        }
        image = next;
      }
      var shuffled = new ArrayList<DomainObject>();
      image.pods().all().forEach(pod -> shuffled.add(pod.object()));
      Collections.shuffle(shuffled, random);
      shuffled.add(WEB);
      var anew = image(shuffled.toArray(DomainObject[]::new));
      assertThat(endpoints(anew)).as("seed %d, round %d", seed, round).isEqualTo(endpoints(image));
      assertThat(anew.pods().byAddress()).isEqualTo(image.pods().byAddress());
      assertThat(anew.pods().contested()).isEqualTo(image.pods().contested());
    }
  }

  private static Optional<Boolean> ready(ClusterImage image, Pod pod) {
    return image
        .pods()
        .get(pod.name())
        .map(found -> PodCondition.of(image.pods(), found.object()).ready());
  }

  @Test
  void theEntriesOfAnotherPodThatIsLetInAreInTheDelta() {
    var both = image(WEB, YOUNGER, OLDER);
    var changes = Entries.changed(deletion(both, OLDER), deletion(both, OLDER).apply());
    assertThat(changes.keySet())
        .anyMatch(key ->
            key instanceof EntryKey.Endpoint endpoint && endpoint.pod().equals(YOUNGER.uid()));
  }
}
