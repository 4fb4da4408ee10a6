package io.fairlead.core.view;

import static io.fairlead.core.image.TestObjects.container;
import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.node;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.port;
import static io.fairlead.core.image.TestObjects.probed;
import static io.fairlead.core.image.TestObjects.ready;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.terminating;
import static io.fairlead.core.image.TestObjects.unready;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows C of the conformance tables that are about a Service's endpoints at one moment. */
@Timeout(60)
class EndpointSlicesTest {
  private static final Service WEB = service("web", "10.96.0.1");
  private static final Pod POD = pod("web-1", "web", "node-a", "10.244.0.1");

  private static List<EndpointSlice> slices(Service service, DomainObject... others) {
    var objects = new ArrayList<DomainObject>(List.of(others));
    objects.add(service);
    return EndpointSlices.of(image(objects.toArray(DomainObject[]::new)), service);
  }

  private static Service publishing() {
    return with(WEB, s -> s.publishingNotReady());
  }

  record Row(
      String id, Service service, List<DomainObject> others, Optional<Endpoint.Conditions> listed) {
    @Override
    public String toString() {
      return id;
    }
  }

  private static Optional<Endpoint.Conditions> listed(String flags) {
    return Optional.of(
        new Endpoint.Conditions(flags.contains("R"), flags.contains("S"), flags.contains("T")));
  }

  static Stream<Row> rows() {
    var pending = with(POD, Pod.Phase.PENDING);
    var probed = probed(POD);
    return Stream.of(
        new Row("C2 a ready Pod", WEB, List.of(POD), listed("RS")),
        new Row("C2 ready by its probe", WEB, List.of(probed, ready(probed)), listed("RS")),
        new Row("unready by its probe", WEB, List.of(probed, unready(probed)), listed("")),
        new Row("not probed yet", WEB, List.of(probed), listed("")),
        new Row("no probe, but reported unready", WEB, List.of(POD, unready(POD)), listed("")),
        new Row("C4 no address", WEB, List.of(pod("web-1", "web", "node-a")), Optional.empty()),
        new Row("C5 Pending with an address", WEB, List.of(pending), listed("")),
        new Row(
            "C6 Succeeded, published",
            publishing(),
            List.of(with(POD, Pod.Phase.SUCCEEDED)),
            Optional.empty()),
        new Row(
            "C6 Failed, published",
            publishing(),
            List.of(with(POD, Pod.Phase.FAILED)),
            Optional.empty()),
        new Row("C7 deleting, ready", WEB, List.of(terminating(POD)), listed("ST")),
        new Row(
            "deleting, not ready any more",
            WEB,
            List.of(terminating(probed), unready(probed)),
            listed("T")),
        new Row("C8 deleting, published", publishing(), List.of(terminating(POD)), listed("RST")),
        new Row("published though unready", publishing(), List.of(probed), listed("R")),
        new Row(
            "C9 removed",
            WEB,
            List.of(pod("other", "other", "node-a", "10.244.0.9")),
            Optional.empty()),
        new Row(
            "C10 its Node is unknown",
            WEB,
            List.of(pod("web-1", "web", "node-x", "10.244.0.1")),
            listed("RS")),
        new Row(
            "C29 no selector",
            with(WEB, s -> s.selector(Map.of())),
            List.of(POD),
            Optional.empty()),
        new Row(
            "ExternalName",
            with(WEB, s -> s.exposure(ServiceSpec.Exposure.EXTERNAL_NAME)),
            List.of(POD),
            Optional.empty()));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void listsAPodWithItsConditions(Row row) {
    var slices = slices(row.service(), row.others().toArray(DomainObject[]::new));
    if (row.listed().isEmpty()) {
      assertThat(slices).isEmpty();
      return;
    }
    assertThat(slices).hasSize(1);
    assertThat(slices.getFirst().created()).isEqualTo(row.service().meta().created());
    assertThat(slices.getFirst().endpoints()).hasSize(1);
    var endpoint = slices.getFirst().endpoints().getFirst();
    assertThat(endpoint.conditions()).isEqualTo(row.listed().get());
    assertThat(endpoint.podUid()).isEqualTo(POD.uid());
  }

  /** C3, C42: none above 100, at most twice the fewest possible, nothing left out. */
  @ParameterizedTest
  @ValueSource(ints = {1, 100, 101, 250, 400, 1200, 5000})
  void splitsLargeServices(int count) {
    long seed = System.nanoTime();
    System.out.println("EndpointSlicesTest seed " + seed);
    var image = image(many(count, new Random(seed)));
    var slices = EndpointSlices.of(image, WEB);
    assertThat(slices).allMatch(s -> s.endpoints().size() <= 100);
    assertThat(slices.size())
        .as("slices, seed %s", seed)
        .isLessThanOrEqualTo(2 * ((count + 99) / 100));
    assertThat(
            slices.stream().flatMap(s -> s.endpoints().stream()).map(Endpoint::podUid).distinct())
        .hasSize(count);
    assertThat(slices.stream().map(EndpointSlice::name).distinct()).hasSameSizeAs(slices);
  }

  private static DomainObject[] many(int count, Random random) {
    var objects = new ArrayList<DomainObject>();
    objects.add(WEB);
    for (int i = 0; i < count; i++) {
      objects.add(withUid(i, new UUID(random.nextLong(), random.nextLong())));
    }
    return objects.toArray(DomainObject[]::new);
  }

  private static Pod withUid(int i, UUID uid) {
    var pod =
        pod(
            "web-" + i,
            "web",
            "node-a",
            "10." + i / 62_500 % 250 + "." + i / 250 % 250 + "." + (1 + i % 250));
    var meta = pod.meta();
    return new Pod(
        new ObjectMeta(
            meta.namespace(), meta.name(), uid, meta.labels(), meta.annotations(), meta.created()),
        pod.spec(),
        pod.status(),
        pod.source());
  }

  /** One changed Pod touches at most two slices, three at a split or a merge. */
  @Test
  void onePodMoreTouchesFewSlices() {
    long seed = System.nanoTime();
    System.out.println("EndpointSlicesTest seed " + seed);
    var random = new Random(seed);
    var image = image(many(90, random));
    var before = new HashSet<>(EndpointSlices.of(image, WEB));
    for (int i = 90; i < 450; i++) {
      image = TestObjects.after(image, withUid(i, new UUID(random.nextLong(), random.nextLong())));
      var after = new HashSet<>(EndpointSlices.of(image, WEB));
      var names = new HashSet<String>();
      after.stream().filter(s -> !before.contains(s)).map(EndpointSlice::name).forEach(names::add);
      before.stream().filter(s -> !after.contains(s)).map(EndpointSlice::name).forEach(names::add);
      assertThat(names).as("changed by Pod %s, seed %s", i, seed).hasSizeBetween(1, 3);
      before.clear();
      before.addAll(after);
    }
  }

  @Test
  void namesAreAFunctionOfTheObjects() {
    var name = slices(WEB, POD).getFirst().name();
    assertThat(name).matches("web-[a-z2-7]{10}");
    assertThat(slices(WEB, POD, pod("web-2", "web", "node-b", "10.244.1.1")).getFirst().name())
        .isEqualTo(name);
    var meta = WEB.meta();
    var again =
        new Service(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                new UUID(4, 4),
                meta.labels(),
                meta.annotations(),
                meta.created()),
            WEB.spec());
    assertThat(slices(again, POD).getFirst().name()).isNotEqualTo(name); // C23
  }

  private static Pod named(String name, String ip, Pod.ContainerPort... ports) {
    return with(
        pod(name, "web", "node-a", ip), List.of(container(List.of(ports), Optional.empty())));
  }

  /** C11. */
  @Test
  void aNamedTargetPortWithTwoNumbersGivesTwoSlices() {
    var service = with(WEB, s -> s.ports(port("http", 80, new PortRef.Name("web"))));
    var slices =
        slices(
            service,
            named("a", "10.244.0.1", new Pod.ContainerPort("web", Protocol.TCP, 8080)),
            named("b", "10.244.0.2", new Pod.ContainerPort("web", Protocol.TCP, 9090)));
    assertThat(slices).hasSize(2);
    assertThat(slices.stream().map(s -> s.ports().getFirst().port()))
        .containsExactlyInAnyOrder(8080, 9090);
    assertThat(slices.getFirst().name()).isNotEqualTo(slices.getLast().name());
  }

  @Test
  void aNameCountsForItsProtocolOnlyAndTheFirstContainerWins() {
    var service = with(WEB, s -> s.ports(port("http", 80, new PortRef.Name("web"))));
    var pod =
        with(
            pod("a", "web", "node-a", "10.244.0.1"),
            List.of(
                container(
                    List.of(
                        new Pod.ContainerPort("web", Protocol.UDP, 1),
                        new Pod.ContainerPort("web", Protocol.TCP, 8080)),
                    Optional.empty()),
                container(
                    List.of(new Pod.ContainerPort("web", Protocol.TCP, 2)), Optional.empty())));
    assertThat(slices(service, pod).getFirst().ports().getFirst().port()).isEqualTo(8080); // C14
  }

  private static Pod withInit(Pod pod, Optional<Pod.RestartPolicy> policy, int port) {
    var spec = pod.spec();
    var init =
        new Pod.Container(
            "init",
            "",
            List.of(),
            List.of(),
            new TreeMap<>(),
            List.of(new Pod.ContainerPort("web", Protocol.TCP, port)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            policy);
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            spec.nodeName(),
            spec.hostNetwork(),
            spec.hostname(),
            spec.subdomain(),
            spec.containers(),
            spec.restartPolicy(),
            spec.terminationGrace(),
            List.of(init),
            List.of(),
            true),
        pod.status(),
        pod.source());
  }

  /** C13, C14. */
  @Test
  void aSidecarsPortsCountAfterThoseOfTheOthersAndAnInitContainersNever() {
    var service = with(WEB, s -> s.ports(port("http", 80, new PortRef.Name("web"))));
    var bare = pod("a", "web", "node-a", "10.244.0.1");
    var app =
        with(
            bare,
            List.of(
                container(
                    List.of(new Pod.ContainerPort("web", Protocol.TCP, 8080)), Optional.empty())));
    var sidecar = Optional.of(Pod.RestartPolicy.ALWAYS);
    assertThat(slices(service, withInit(bare, Optional.empty(), 9)).getFirst().ports()).isEmpty();
    assertThat(slices(service, withInit(bare, sidecar, 9)).getFirst().ports())
        .extracting(Endpoints.TargetPort::port)
        .containsExactly(9);
    assertThat(slices(service, withInit(app, sidecar, 9)).getFirst().ports())
        .extracting(Endpoints.TargetPort::port)
        .containsExactly(8080);
  }

  @Test
  void aNameThatNoContainerHasIsLeftOut() {
    var service =
        with(
            WEB,
            s ->
                s.ports(
                    port("http", 80, new PortRef.Name("web")),
                    port("fixed", 81, new PortRef.Number(8081))));
    assertThat(slices(service, POD).getFirst().ports())
        .containsExactly(
            new Endpoints.TargetPort("fixed", Protocol.TCP, 8081, Optional.empty())); // C15
  }

  /** C16, C22. */
  @Test
  void aHeadlessServiceWithoutPortsHasASliceWithoutPorts() {
    var service =
        with(
            WEB,
            s ->
                s.exposure(ServiceSpec.Exposure.HEADLESS)
                    .clusterIps()
                    .families(Family.IPV4)
                    .ports());
    var slice = slices(service, POD).getFirst();
    assertThat(slice.ports()).isEmpty();
    assertThat(slice.endpoints()).hasSize(1);
    assertThat(slice.labels()).containsEntry(EndpointSlices.HEADLESS_LABEL, "");
  }

  /** C17. */
  @Test
  void aDualStackServiceHasASliceForEachFamily() {
    var service = with(WEB, s -> s.clusterIps("10.96.0.1", "fd00::1"));
    var dual = pod("a", "web", "node-a", "10.244.0.1", "fd01::1");
    var single = pod("b", "web", "node-a", "10.244.0.2");
    var slices = slices(service, dual, single);
    assertThat(slices.stream().map(EndpointSlice::family))
        .containsExactly(Family.IPV4, Family.IPV6);
    assertThat(slices.getFirst().endpoints()).hasSize(2);
    assertThat(slices.getLast().endpoints()).hasSize(1);
  }

  /** C20, C21. */
  @Test
  void labelsFollowTheServiceExceptForReservedKeys() {
    var meta = WEB.meta();
    var labelled =
        new Service(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                meta.uid(),
                new TreeMap<>(
                    Map.of(
                        "team",
                        "a",
                        EndpointSlices.SERVICE_NAME_LABEL,
                        "x",
                        EndpointSlices.HEADLESS_LABEL,
                        "")),
                meta.annotations(),
                meta.created()),
            WEB.spec());
    assertThat(slices(labelled, POD).getFirst().labels())
        .containsOnly(
            Map.entry("team", "a"),
            Map.entry(EndpointSlices.SERVICE_NAME_LABEL, "web"),
            Map.entry(EndpointSlices.MANAGED_BY_LABEL, EndpointSlices.MANAGED_BY));
  }

  /** C32. */
  @Test
  void theHostnameCountsBelowItsOwnSubdomainOnly() {
    assertThat(hostname("web")).contains("h1");
    assertThat(hostname("other")).isEmpty();
  }

  private static Optional<String> hostname(String subdomain) {
    var pod =
        new Pod(
            POD.meta(),
            new Pod.Spec(
                Optional.of("node-a"), false, Optional.of("h1"), Optional.of(subdomain), List.of()),
            POD.status(),
            POD.source());
    return slices(WEB, pod).getFirst().endpoints().getFirst().hostname();
  }

  /** C35. */
  @Test
  void anEndpointHintsAtItsOwnPlace() {
    var zoned = node("node-a", Optional.of("zone-a"));
    var sameNode = with(WEB, s -> s.distribution(ServiceSpec.TrafficDistribution.PREFER_SAME_NODE));
    var sameZone = with(WEB, s -> s.distribution(ServiceSpec.TrafficDistribution.PREFER_SAME_ZONE));
    assertThat(hints(sameNode, zoned).nodes()).containsExactly("node-a");
    assertThat(hints(sameNode, zoned).zones()).containsExactly("zone-a");
    assertThat(hints(sameZone, zoned).nodes()).isEmpty();
    assertThat(hints(sameZone, zoned).zones()).containsExactly("zone-a");
    assertThat(hints(sameZone, node("node-a", Optional.empty())).zones()).isEmpty();
    assertThat(hints(WEB, zoned)).isEqualTo(Endpoint.Hints.NONE);
  }

  private static Endpoint.Hints hints(Service service, DomainObject node) {
    return slices(service, POD, node).getFirst().endpoints().getFirst().hints();
  }

  /** C41. */
  @Test
  void aRelabelledPodMovesFromOneServiceToAnother() {
    var bank = service("bank", "10.96.0.2");
    var before = image(WEB, bank, POD);
    var after = TestObjects.after(before, relabelled());
    assertThat(sizes(before, bank)).containsExactly(1, 0);
    assertThat(sizes(after, bank)).containsExactly(0, 1);
  }

  private static List<Integer> sizes(ClusterImage image, Service other) {
    return List.of(EndpointSlices.of(image, WEB).size(), EndpointSlices.of(image, other).size());
  }

  private static Pod relabelled() {
    var meta = POD.meta();
    return new Pod(
        new ObjectMeta(
            meta.namespace(),
            meta.name(),
            meta.uid(),
            new TreeMap<>(Map.of("app", "bank")),
            meta.annotations(),
            meta.created()),
        POD.spec(),
        POD.status(),
        POD.source());
  }

  /** C43: consumers choose, see {@link UsableEndpointsTest}. */
  @Test
  void twoPodsWithOneAddressAreBothListed() {
    assertThat(slices(WEB, POD, pod("web-2", "web", "node-b", "10.244.0.1")).getFirst().endpoints())
        .hasSize(2);
  }

  /**
   * C24, C25: Kubernetes' controller fills up the slices that there are, which depends on what was
   * there before. Here a slice is a function of its Pods, so the rows are about what a change
   * touches: a Pod that replaces another one takes that's leaf or another, and no slice that
   * neither is in; newcomers to two slices that are part full are placed without moving anybody.
   */
  @Test
  void aReplacedPodTouchesTheSlicesOfTheTwoOnly() {
    long seed = System.nanoTime();
    System.out.println("EndpointSlicesTest seed " + seed);
    var random = new Random(seed);
    var pods = new ArrayList<Pod>();
    for (int i = 0; i < 1200; i++) {
      pods.add(withUid(i, new UUID(random.nextLong(), random.nextLong())));
    }
    var image = TestObjects.after(image(WEB), pods.toArray(DomainObject[]::new));
    assertThat(EndpointSlices.of(image, WEB)).hasSizeGreaterThan(11);
    for (int i = 0; i < 100; i++) { // one after another, as a roll-out does
      var before = new HashSet<>(EndpointSlices.of(image, WEB));
      var comes = withUid(2000 + i, new UUID(random.nextLong(), random.nextLong()));
      image = TestObjects.after(image, comes);
      image = TestObjects.deletion(image, pods.get(i)).apply();
      var after = new HashSet<>(EndpointSlices.of(image, WEB));
      var names = new HashSet<String>();
      after.stream().filter(s -> !before.contains(s)).map(EndpointSlice::name).forEach(names::add);
      before.stream().filter(s -> !after.contains(s)).map(EndpointSlice::name).forEach(names::add);
      assertThat(names)
          .as("one comes, one goes: at most a split and a merge, step %s, seed %s", i, seed)
          .hasSizeBetween(1, 6);
    }
    assertThat(EndpointSlices.of(image, WEB).stream().mapToInt(s -> s.endpoints().size()).sum())
        .isEqualTo(1200);
  }

  /** C25. */
  @Test
  void newcomersMoveNobodyThatIsThere() {
    long seed = System.nanoTime();
    System.out.println("EndpointSlicesTest seed " + seed);
    var random = new Random(seed);
    var image = image(many(120, random)); // a root that is split: leaves with places left
    var before = places(image);
    for (int i = 120; i < 126; i++) {
      image = TestObjects.after(image, withUid(i, new UUID(random.nextLong(), random.nextLong())));
    }
    assertThat(places(image)).as("seed %s", seed).containsAllEntriesOf(before).hasSize(126);
  }

  /** In which slice each Pod is. */
  private static Map<UUID, String> places(ClusterImage image) {
    var places = new TreeMap<UUID, String>();
    for (var slice : EndpointSlices.of(image, WEB)) {
      slice.endpoints().forEach(endpoint -> places.put(endpoint.podUid(), slice.name()));
    }
    return places;
  }

  /** C26: there are no finalizers, so a Service that is deleted is gone, and its slices with it. */
  @Test
  void aServiceThatIsDeletedHasNoSlices() {
    var base = image(WEB, POD);
    var deletion = TestObjects.deletion(base, WEB);
    var gone = deletion.apply();
    assertThat(EndpointSlices.touched(deletion, gone)).containsExactly(WEB.name());
    assertThat(gone.services().get(WEB.name())).isEmpty();
    assertThat(Entries.of(gone).keySet()).noneMatch(EntryKey.Endpoint.class::isInstance);
    var late = TestObjects.delta(gone, pod("web-2", "web", "node-a", "10.244.0.2"));
    assertThat(EndpointSlices.touched(late, late.apply())).as("nor any new ones").isEmpty();
  }

  /** C30: upstream leaves them behind, out of date; here they go with the selector. */
  @Test
  void aSelectorThatIsRemovedTakesItsSlicesAlong() {
    var base = image(WEB, POD);
    var step = TestObjects.delta(base, with(WEB, s -> s.selector(Map.of())));
    var after = step.apply();
    assertThat(EndpointSlices.touched(step, after)).containsExactly(WEB.name());
    assertThat(EndpointSlices.of(base, WEB)).hasSize(1);
    var now = after.services().get(WEB.name()).orElseThrow().object();
    assertThat(EndpointSlices.of(after, now)).isEmpty();
    assertThat(Entries.of(after).keySet()).noneMatch(EntryKey.Endpoint.class::isInstance);
  }

  /** C39. */
  @Test
  void readinessThatFlapsChangesAnEndpointInItsPlace() {
    long seed = System.nanoTime();
    System.out.println("EndpointSlicesTest seed " + seed);
    var image = image(many(150, new Random(seed))); // in two slices, or three
    var pod = image.pods().get(TestObjects.name("web-7")).orElseThrow().object();
    var before = EndpointSlices.of(image, WEB);
    var places = places(image);
    for (int i = 0; i < 4; i++) {
      image = TestObjects.after(image, i % 2 == 0 ? unready(pod) : ready(pod));
      assertThat(places(image)).as("flap %s, seed %s", i, seed).isEqualTo(places);
      var unready =
          EndpointSlices.of(image, WEB).stream()
              .flatMap(s -> s.endpoints().stream())
              .filter(e -> !e.conditions().ready())
              .map(Endpoint::podUid);
      assertThat(unready).containsExactlyElementsOf(i % 2 == 0 ? List.of(pod.uid()) : List.of());
    }
    assertThat(EndpointSlices.of(image, WEB)).isEqualTo(before);
  }

  @Test
  void aDerivedSliceIsFoundByItsName() {
    var image = image(WEB, POD);
    var slice = EndpointSlices.of(image, WEB).getFirst();
    var at = new ObjectName("default", slice.name());
    assertThat(EndpointSlices.find(image, at)).contains(slice);
    for (var other : List.of("web", "web-1", "-aaaaaaaaaa", "web-aaaaaaaaaa", slice.name() + "a")) {
      assertThat(EndpointSlices.find(image, new ObjectName("default", other))).isEmpty();
    }
    assertThat(EndpointSlices.find(image, new ObjectName("shop", slice.name()))).isEmpty();
  }
}
