package io.fairlead.core.view;

import static io.fairlead.core.image.TestObjects.after;
import static io.fairlead.core.image.TestObjects.deleted;
import static io.fairlead.core.image.TestObjects.deletion;
import static io.fairlead.core.image.TestObjects.delta;
import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.port;
import static io.fairlead.core.image.TestObjects.probed;
import static io.fairlead.core.image.TestObjects.ready;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.serviceCidr;
import static io.fairlead.core.image.TestObjects.slice;
import static io.fairlead.core.image.TestObjects.stored;
import static io.fairlead.core.image.TestObjects.terminating;
import static io.fairlead.core.image.TestObjects.unready;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NodeViewTest {
  private static final NodeContext N1 =
      new NodeContext("n1", Optional.of("a"), Set.of(Cidr.of("10.244.0.0/16")));
  private static final Service WEB = service("web", "10.96.0.1");
  private static final Frontend WEB_80 = new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 80);

  private static NodeRules rules(ClusterImage image) {
    return NodeView.rules(Entries.of(image), N1);
  }

  private static NodeView.Step step(NodeView view, ClusterDelta delta) {
    var set = new ArrayList<Entry>();
    var removed = new ArrayList<EntryKey>();
    Entries.changed(delta, delta.apply())
        .forEach((key, change) -> change.after().ifPresentOrElse(set::add, () -> removed.add(key)));
    return view.with(set, removed);
  }

  @Test
  void balancesOverThePodsOfAService() {
    var rules =
        rules(
            image(
                WEB,
                serviceCidr("default", "10.96.0.0/16"),
                pod("b", "web", "n2", "10.244.1.2"),
                pod("a", "web", "n1", "10.244.0.3")));
    assertThat(rules.ports()).containsOnlyKeys(WEB_80);
    assertThat(rules.rule(WEB_80).orElseThrow().targets())
        .containsExactly(
            new Target(Address.of("10.244.0.3"), 8080), new Target(Address.of("10.244.1.2"), 8080));
    assertThat(rules.serviceCidrs()).containsExactly(Cidr.of("10.96.0.0/16"));
    assertThat(rules.clusterCidrs()).containsExactly(Cidr.of("10.244.0.0/16"));
  }

  /** P13, P14, P70-like: the frontend stays, its treatment changes in one step. */
  @Test
  void aFrontendRejectsUntilItHasAnEndpoint() {
    var base = image(WEB);
    var view = NodeView.of(Entries.of(base).values(), N1);
    assertThat(treatment(view)).isEqualTo(Treatment.REJECT);
    var pod = pod("a", "web", "n1", "10.244.0.3");
    var served = step(view, delta(base, pod));
    assertThat(served.changed()).containsExactly(WEB_80);
    assertThat(treatment(served.view())).isEqualTo(Treatment.BALANCE);
    var left = step(served.view(), deletion(after(base, pod), pod));
    assertThat(left.changed()).containsExactly(WEB_80);
    assertThat(treatment(left.view())).isEqualTo(Treatment.REJECT);
  }

  private static Treatment treatment(NodeView view) {
    return view.rules().rule(WEB_80).orElseThrow().treatment();
  }

  /** P70, P71: flows may go on with who serves, also where new ones go elsewhere. */
  @Test
  void namesFrontendsWhoseServingEndpointsChangeWithoutAChangeOfTheirRule() {
    var keys = new ArrayList<EntryKey>();
    Entries.of(image(pod("b", "web", "n1", "10.244.0.4"), WEB)).keySet().stream()
        .filter(key -> key instanceof EntryKey.Endpoint)
        .forEach(keys::add);
    var both =
        Entries.of(
                image(
                    WEB, pod("a", "web", "n1", "10.244.0.3"), pod("b", "web", "n1", "10.244.0.4")))
            .values()
            .stream()
            .map(entry ->
                entry instanceof EndpointEntry endpoint && keys.contains(endpoint.key())
                    ? new EndpointEntry(
                        endpoint.key(),
                        endpoint.address(),
                        endpoint.port(),
                        endpoint.node(),
                        endpoint.zone(),
                        new Endpoint.Conditions(false, true, true),
                        endpoint.hints())
                    : entry)
            .toList();
    var view = NodeView.of(both, N1);
    assertThat(view.rules().rule(WEB_80).orElseThrow().targets()).hasSize(1);
    assertThat(view.serving(WEB_80).orElseThrow())
        .containsExactlyInAnyOrder(
            new Target(Address.of("10.244.0.3"), 8080), new Target(Address.of("10.244.0.4"), 8080));
    var gone = view.with(List.of(), keys);
    assertThat(gone.changed()).isEmpty();
    assertThat(gone.touched()).containsExactly(WEB_80);
    assertThat(gone.view().serving(WEB_80).orElseThrow())
        .containsExactly(new Target(Address.of("10.244.0.3"), 8080));
    assertThat(NodeView.empty(N1).serving(WEB_80)).isEmpty();
  }

  /** C40: what does not concern endpoints changes no rule. */
  @Test
  void anAnnotationOfAPodChangesNothing() {
    var pod = pod("a", "web", "n1", "10.244.0.3");
    var base = image(WEB, pod);
    var meta = pod.meta();
    var annotated =
        new Pod(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                meta.uid(),
                meta.labels(),
                new TreeMap<>(Map.of("a", "b")),
                meta.created()),
            pod.spec(),
            pod.status(),
            pod.source());
    var changes = Entries.changed(delta(base, annotated), after(base, annotated));
    assertThat(changes.keySet()).containsExactly(new EntryKey.Pod(pod.name()));
  }

  @Test
  void whetherConnectionsAreResetIsWhatTheAnnotationSays() {
    var meta = WEB.meta();
    for (var value : List.of("true", "false")) {
      var annotated =
          new Service(
              new ObjectMeta(
                  meta.namespace(),
                  meta.name(),
                  meta.uid(),
                  meta.labels(),
                  new TreeMap<>(Map.of(Service.RESET_CONNECTIONS, value)),
                  meta.created()),
              WEB.spec());
      var view =
          NodeView.of(
              Entries.of(image(annotated, pod("a", "web", "n1", "10.244.0.3"))).values(), N1);
      assertThat(view.endsFlows(WEB_80)).as(value).isEqualTo(value.equals("true"));
    }
  }

  /** P86, P87. */
  @Test
  void headlessAndExternalNameHaveNoRules() {
    var pod = pod("a", "web", "n1", "10.244.0.3");
    var headless = with(WEB, s -> s.exposure(ServiceSpec.Exposure.HEADLESS).clusterIps());
    var alias = with(WEB, s -> s.exposure(ServiceSpec.Exposure.EXTERNAL_NAME));
    assertThat(rules(image(headless, pod)).ports()).isEmpty();
    assertThat(rules(image(alias, pod)).ports()).isEmpty();
  }

  /** P96, P94. */
  @Test
  void eachFamilyHasItsOwnEndpoints() {
    var dual = with(WEB, s -> s.clusterIps("10.96.0.1", "fd00::1"));
    var rules =
        rules(
            image(
                dual,
                pod("a", "web", "n1", "10.244.0.3"),
                pod("b", "web", "n1", "10.244.0.4", "fd01::4")));
    assertThat(rules.rule(WEB_80).orElseThrow().targets()).hasSize(2);
    assertThat(
            rules
                .rule(new Frontend(Address.of("fd00::1"), Protocol.TCP, 80))
                .orElseThrow()
                .targets())
        .containsExactly(new Target(Address.of("fd01::4"), 8080));
    assertThat(rules(image(WEB)).ports()).containsOnlyKeys(WEB_80);
  }

  /** P4: each protocol has its own targets. */
  @Test
  void protocolsOfOnePortAreApart() {
    var dns =
        with(
            WEB,
            s ->
                s.ports(
                    port("tcp", 53, new PortRef.Number(5301)),
                    new ServicePort(
                        "udp", Protocol.UDP, 53, new PortRef.Number(5302), Optional.empty())));
    var rules = rules(image(dns, pod("a", "web", "n1", "10.244.0.3")));
    assertThat(
            rules
                .rule(new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 53))
                .orElseThrow()
                .targets())
        .containsExactly(new Target(Address.of("10.244.0.3"), 5301));
    assertThat(
            rules
                .rule(new Frontend(Address.of("10.96.0.1"), Protocol.UDP, 53))
                .orElseThrow()
                .targets())
        .containsExactly(new Target(Address.of("10.244.0.3"), 5302));
  }

  @Test
  void aPortThatIsRenumberedTakesItsEndpointsAlong() {
    var pod = pod("a", "web", "n1", "10.244.0.3");
    var base = image(WEB, pod);
    var view = NodeView.of(Entries.of(base).values(), N1);
    var moved = with(WEB, s -> s.ports(port("", 81, new PortRef.Number(8080))));
    var next = step(view, delta(base, moved));
    assertThat(next.view().rules().ports())
        .containsOnlyKeys(new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 81));
    assertThat(next.changed()).hasSize(2);
  }

  @Test
  void theLoserOfAnAddressGetsItWhenTheHolderGoes() {
    var winner = service("a", "10.96.0.1"); // same instant: the uid decides
    var services =
        winner.uid().toString().compareTo(WEB.uid().toString()) < 0
            ? List.of(winner, WEB)
            : List.of(WEB, winner);
    var base =
        image(
            services.getFirst(),
            services.getLast(),
            pod("x", services.getLast().meta().name(), "n1", "10.244.0.9"));
    assertThat(rules(base).rule(WEB_80).orElseThrow().treatment()).isEqualTo(Treatment.REJECT);
    var view = NodeView.of(Entries.of(base).values(), N1);
    var next = step(view, deletion(base, services.getFirst()));
    assertThat(treatment(next.view())).isEqualTo(Treatment.BALANCE);
  }

  /** P57: a node that moves takes the hints of its Pods along. */
  @Test
  void theZoneOfANodeReachesItsEndpoints() {
    var near = with(WEB, s -> s.distribution(ServiceSpec.TrafficDistribution.PREFER_SAME_ZONE));
    var base =
        image(
            near,
            node("n1", Optional.of("a")),
            node("n2", Optional.of("b")),
            pod("a", "web", "n1", "10.244.0.3"),
            pod("b", "web", "n2", "10.244.0.4"));
    var view = NodeView.of(Entries.of(base).values(), N1);
    assertThat(view.rules().rule(WEB_80).orElseThrow().targets()).hasSize(1);
    var next = step(view, delta(base, node("n2", Optional.of("a"))));
    assertThat(next.view().rules().rule(WEB_80).orElseThrow().targets()).hasSize(2);
    var elsewhere = new NodeContext("n1", Optional.of("c"), Set.of());
    assertThat(NodeView.rules(Entries.of(base), elsewhere).rule(WEB_80).orElseThrow().targets())
        .hasSize(2);
  }

  @Test
  void keysReadBackFromTheirText() {
    var base =
        image(
            WEB,
            with(
                service("dual", "10.96.0.9"),
                s ->
                    s.clusterIps("10.96.0.9", "fd00::9")
                        .ports(port("http", 80, new PortRef.Number(1)))),
            serviceCidr("default", "10.96.0.0/16"),
            pod("a", "web", "n1", "10.244.0.3"),
            pod("b", "dual", "n1", "10.244.0.4", "fd01::4"));
    var keys = Entries.of(base).keySet();
    assertThat(keys).hasSize(8);
    assertThat(keys).allSatisfy(key -> assertThat(EntryKey.parse(key.text())).contains(key));
    assertThat(
            List.of(
                "", "pod/a", "endpoint/a/b/c/TCP/no-uid/IPv4", "service-port/a/b/c/QUIC", "x/y"))
        .allSatisfy(text -> assertThat(EntryKey.parse(text)).isEmpty());
  }

  /** Whole and incremental derivation agree after any history. */
  @RepeatedTest(20)
  void stepsLeadWhereTheWholeDerivationLeads() {
    long seed = System.nanoTime();
    System.out.println("NodeViewTest seed " + seed);
    var random = new Random(seed);
    var image = ClusterImage.EMPTY;
    var view = NodeView.empty(N1);
    var entries = new HashMap<EntryKey, Entry>();
    for (int i = 0; i < 80; i++) {
      var delta = new ClusterDelta(image);
      for (int j = 0; j <= random.nextInt(4); j++) {
        var object = randomObject(random);
        delta.replay(
            random.nextInt(4) > 0
                ? stored(LogPartition.SERVICES, i, object)
                : deleted(LogPartition.SERVICES, i, object));
      }
      var next = delta.apply();
      var changes = Entries.changed(delta, next);
      for (var change : changes.entrySet()) {
        assertThat(Optional.ofNullable(entries.get(change.getKey())))
            .as("what %s was, seed %s", change.getKey(), seed)
            .isEqualTo(change.getValue().before());
        assertThat(change.getValue().before()).isNotEqualTo(change.getValue().after());
        change
            .getValue()
            .after()
            .ifPresentOrElse(
                e -> entries.put(change.getKey(), e), () -> entries.remove(change.getKey()));
      }
      assertThat(entries).as("entries, seed %s", seed).isEqualTo(Entries.of(next));
      var step = step(view, delta);
      var whole = NodeView.rules(entries, N1);
      assertThat(step.view().rules()).as("rules, seed %s", seed).isEqualTo(whole);
      assertThat(step.view().entries())
          .as("kept entries, seed %s", seed)
          .containsExactlyInAnyOrderElementsOf(entries.values());
      var before = view.rules().ports();
      var differing = new HashSet<>(before.keySet());
      differing.addAll(whole.ports().keySet());
      differing.removeIf(f -> Objects.equals(before.get(f), whole.ports().get(f)));
      assertThat(step.changed()).as("changed frontends, seed %s", seed).isEqualTo(differing);
      view = step.view();
      image = next;
    }
  }

  private static DomainObject randomObject(Random random) {
    var letter = "" + (char) ('a' + random.nextInt(4));
    var app = "" + (char) ('a' + random.nextInt(4));
    return switch (random.nextInt(9)) {
      case 0, 1 -> {
        var service = service(letter, "10.96.0." + (1 + random.nextInt(3)));
        yield switch (random.nextInt(7)) {
          case 0 -> with(service, s -> s.internalTrafficPolicy(TrafficPolicy.LOCAL));
          case 1 -> with(service, s -> s.exposure(ServiceSpec.Exposure.HEADLESS).clusterIps());
          case 2 ->
              with(service, s -> s.clusterIps("10.96.0." + (1 + random.nextInt(3)), "fd00::1"));
          case 3 ->
              with(service, s -> s.distribution(ServiceSpec.TrafficDistribution.PREFER_SAME_NODE));
          case 4 -> with(service, s -> s.publishingNotReady());
          case 5 -> with(service, s -> s.selector(Map.of()));
          default -> service;
        };
      }
      case 2, 3, 4 -> randomPod(random, letter, app);
      case 5 -> {
        var pod = randomPod(random, letter, app);
        yield random.nextBoolean() ? ready(pod) : unready(pod);
      }
      case 7 -> slice(letter, app, "192.0.2." + (1 + random.nextInt(3)), "192.0.2.9");
      case 6 -> node("n" + random.nextInt(3), Optional.of("zone-" + random.nextInt(2)));
      default -> serviceCidr(letter, "10." + random.nextInt(3) + ".0.0/16");
    };
  }

  private static Pod randomPod(Random random, String letter, String app) {
    var ip = "10.244.0." + (1 + random.nextInt(6));
    var node = "n" + random.nextInt(3);
    var pod =
        random.nextBoolean() ? pod(letter, app, node, ip) : pod(letter, app, node, ip, "fd01::1");
    return switch (random.nextInt(4)) {
      case 0 -> probed(pod);
      case 1 -> terminating(pod);
      case 2 -> {
        var meta = pod.meta();
        yield new Pod(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                new UUID(letter.charAt(0), random.nextInt(3)),
                meta.labels(),
                meta.annotations(),
                meta.created()),
            pod.spec(),
            pod.status(),
            pod.source());
      }
      default -> pod;
    };
  }
}
