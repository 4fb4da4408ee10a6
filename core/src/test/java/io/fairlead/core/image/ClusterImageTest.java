package io.fairlead.core.image;

import static io.fairlead.core.image.TestObjects.NOON;
import static io.fairlead.core.image.TestObjects.after;
import static io.fairlead.core.image.TestObjects.deletion;
import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.ready;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.image.ServicesImage.Conflict;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.Change;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ClusterImageTest {
  private static final Address VIP = Address.of("10.96.0.9");

  private static Service created(Service service, Instant created, UUID uid) {
    var meta = service.meta();
    return new Service(
        new ObjectMeta(
            meta.namespace(), meta.name(), uid, meta.labels(), meta.annotations(), created),
        service.spec());
  }

  private static Pod labelled(Pod pod, Map<String, String> labels) {
    var meta = pod.meta();
    return new Pod(
        new ObjectMeta(
            meta.namespace(),
            meta.name(),
            meta.uid(),
            new TreeMap<>(labels),
            meta.annotations(),
            meta.created()),
        pod.spec(),
        pod.status(),
        pod.source());
  }

  @Test
  void theOlderServiceKeepsAnAddressThatTwoHold() {
    var older = created(service("z", "10.96.0.9"), NOON.minusSeconds(1), new UUID(9, 9));
    var younger = created(service("a", "10.96.0.9"), NOON, new UUID(1, 1));
    for (var both : List.of(image(older, younger), image(younger, older))) {
      assertThat(both.services().holder(VIP)).contains(name("z"));
      assertThat(both.services().conflicts())
          .containsExactly(new Conflict(VIP, name("z"), List.of(name("a"))));
      assertThat(both.services().holds(younger, VIP)).isFalse();
    }
  }

  @Test
  void theUidDecidesBetweenServicesOfOneInstant() {
    // signed comparison, as UUID.compareTo does it, would put f... first
    var lower =
        created(
            service("z", "10.96.0.9"),
            NOON,
            UUID.fromString("10000000-0000-4000-8000-000000000000"));
    var higher =
        created(
            service("a", "10.96.0.9"),
            NOON,
            UUID.fromString("f0000000-0000-4000-8000-000000000000"));
    assertThat(image(lower, higher).services().holder(VIP)).contains(name("z"));
  }

  @Test
  void theOtherServiceHasTheAddressWhenTheHolderGoes() {
    var older = created(service("z", "10.96.0.9"), NOON.minusSeconds(1), new UUID(9, 9));
    var younger = created(service("a", "10.96.0.9"), NOON, new UUID(1, 1));
    var left = deletion(image(older, younger), older).apply();
    assertThat(left.services().holder(VIP)).contains(name("a"));
    assertThat(left.services().conflicts()).isEmpty();
  }

  @Test
  void aChangedAddressFreesTheOldOne() {
    var moved = after(image(service("a", "10.96.0.9")), service("a", "10.96.0.10"));
    assertThat(moved.services().holder(VIP)).isEmpty();
    assertThat(moved.services().clusterIps()).containsExactly(Address.of("10.96.0.10"));
  }

  @Test
  void findsTheServicesThatSelectAPod() {
    var one = with(service("one", "10.96.0.1"), s -> s.selector(Map.of("app", "shop")));
    var two =
        with(service("two", "10.96.0.2"), s -> s.selector(Map.of("app", "shop", "tier", "web")));
    var three = with(service("three", "10.96.0.3"), s -> s.selector(Map.of("tier", "web")));
    var none = with(service("none", "10.96.0.4"), s -> s.selector(Map.of()));
    var image = image(one, two, three, none);
    var labels = new TreeMap<>(Map.of("app", "shop", "tier", "web", "zone", "a"));
    assertThat(image.services().selecting("default", labels))
        .containsExactly(name("one"), name("three"), name("two"));
    assertThat(image.services().selecting("other", labels)).isEmpty();
    assertThat(image.services().selecting("default", new TreeMap<>(Map.of("app", "shop"))))
        .containsExactly(name("one"));
    var changed = after(image, with(two, s -> s.selector(Map.of("app", "bank"))));
    assertThat(changed.services().selecting("default", labels))
        .containsExactly(name("one"), name("three"));
    assertThat(deletion(image, one).apply().services().selecting("default", labels))
        .containsExactly(name("three"), name("two"));
  }

  @Test
  void findsTheSelectedPodsAndThoseOfANode() {
    var a = labelled(pod("a", "x", "node-a", "10.244.0.1"), Map.of("app", "shop", "tier", "web"));
    var b = labelled(pod("b", "x", "node-b", "10.244.1.1"), Map.of("app", "shop"));
    var image = image(a, b);
    assertThat(image.pods().selected("default", Map.of("app", "shop")))
        .containsExactly(name("a"), name("b"));
    assertThat(image.pods().selected("default", Map.of("app", "shop", "tier", "web")))
        .containsExactly(name("a"));
    assertThat(image.pods().selected("default", Map.of())).isEmpty();
    assertThat(image.pods().selected("other", Map.of("app", "shop"))).isEmpty();
    assertThat(image.pods().onNode("node-b")).containsExactly(name("b"));
    var relabelled = after(image, labelled(b, Map.of("app", "bank")));
    assertThat(relabelled.pods().selected("default", Map.of("app", "shop")))
        .containsExactly(name("a"));
    assertThat(deletion(image, b).apply().pods().onNode("node-b")).isEmpty();
  }

  @Test
  void readinessOfAnEarlierPodOfTheNameDoesNotCount() {
    var first = pod("a", "x", "node-a", "10.244.0.1");
    var again =
        new Pod(
            new ObjectMeta(
                "default", "a", new UUID(5, 5), first.meta().labels(), new TreeMap<>(), NOON),
            first.spec(),
            first.status(),
            first.source());
    var image = image(first, ready(first));
    assertThat(image.pods().readiness(first)).contains(ready(first));
    assertThat(after(image, again).pods().readiness(again)).isEmpty();
    assertThat(after(image, again).pods().readiness(again.name())).isPresent();
  }

  @Test
  void listsANamespaceOnly() {
    var image = image(service("a", "10.96.0.1"), service("b", "10.96.0.2"));
    assertThat(image.services().byNamespace("default")).hasSize(2);
    assertThat(image.services().byNamespace("defaul")).isEmpty();
    assertThat(image.services().byNamespace("default2")).isEmpty();
    assertThat(image.services().get(new ObjectName("default", "b"))).isPresent();
  }

  @Test
  void whatADecisionChangedMatchesNoExpectedVersion() {
    var image = image(service("a", "10.96.0.1"), service("b", "10.96.0.2"));
    var working =
        image.with(
            List.of(
                new Change.Put(service("a", "10.96.0.7")),
                new Change.Remove(service("b", "10.96.0.2").key(), new UUID(0, 0))));
    var changed = working.services().get(name("a")).orElseThrow();
    assertThat(changed.isPending()).isTrue();
    assertThat(changed.matches(100)).isFalse();
    assertThatThrownBy(changed::offset).isInstanceOf(IllegalStateException.class);
    assertThat(working.services().get(name("b"))).isEmpty();
    assertThat(working.services().holder(Address.of("10.96.0.7"))).contains(name("a"));
    assertThat(working.digest(LogPartition.SERVICES))
        .isEqualTo(image.digest(LogPartition.SERVICES));
    assertThat(image.services().get(name("a")).orElseThrow().matches(100)).isTrue();
  }
}
