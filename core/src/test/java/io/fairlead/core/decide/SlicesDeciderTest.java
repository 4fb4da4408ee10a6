package io.fairlead.core.decide;

import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.slice;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.PodCommand.ApplySlice;
import io.fairlead.core.decide.PodCommand.CreateSlice;
import io.fairlead.core.decide.PodCommand.DeleteSlice;
import io.fairlead.core.decide.SliceDraft.EndpointDraft;
import io.fairlead.core.decide.SliceDraft.PortDraft;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.view.EndpointSlices;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class SlicesDeciderTest {
  private static final Map<String, String> LABELS = Map.of(ManualSlice.SERVICE_NAME_LABEL, "db");
  private static final Instant NOW = Instant.parse("2026-11-20T13:00:00Z");

  private final RandomSource random = RandomSource.seeded(5);

  /** A draft whose parts a test changes. */
  private record Draft(
      String name,
      String generateName,
      Map<String, String> labels,
      String version,
      String uid,
      String type,
      List<PortDraft> ports,
      List<EndpointDraft> endpoints) {
    SliceDraft draft() {
      return new SliceDraft(
          "", name, generateName, labels, Map.of(), version, uid, type, ports, endpoints);
    }

    Draft named(String name, String generateName) {
      return new Draft(name, generateName, labels, version, uid, type, ports, endpoints);
    }

    Draft labelled(Map<String, String> labels) {
      return new Draft(name, generateName, labels, version, uid, type, ports, endpoints);
    }

    Draft at(String version, String uid) {
      return new Draft(name, generateName, labels, version, uid, type, ports, endpoints);
    }

    Draft of(String type) {
      return new Draft(name, generateName, labels, version, uid, type, ports, endpoints);
    }

    Draft ports(PortDraft... ports) {
      return new Draft(name, generateName, labels, version, uid, type, List.of(ports), endpoints);
    }

    Draft endpoints(EndpointDraft... endpoints) {
      return new Draft(name, generateName, labels, version, uid, type, ports, List.of(endpoints));
    }
  }

  private static final Draft DB =
      new Draft(
          "db-1",
          "",
          LABELS,
          "",
          "",
          "IPv4",
          List.of(new PortDraft("pg", "", 5432, "")),
          List.of(endpoint("192.0.2.7")));

  private static EndpointDraft endpoint(String... addresses) {
    return new EndpointDraft(
        List.of(addresses),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        "",
        "",
        "",
        List.of(),
        List.of());
  }

  private static EndpointDraft hinted(String zone, List<String> zones, List<String> nodes) {
    return new EndpointDraft(
        List.of("192.0.2.7"),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        "",
        "",
        zone,
        zones,
        nodes);
  }

  private Decision<PodOutcome> apply(ClusterImage image, Draft draft) {
    return PodsDecider.decide(
        image, new ApplySlice(draft.draft(), DryRun.NO), new PodsContext(NOW, random));
  }

  private Decision<PodOutcome> create(ClusterImage image, Draft draft) {
    return PodsDecider.decide(
        image, new CreateSlice(draft.draft(), DryRun.NO), new PodsContext(NOW, random));
  }

  private Decision<PodOutcome> delete(ClusterImage image, String name, String version) {
    return PodsDecider.decide(
        image,
        new DeleteSlice(new ObjectName("default", name), "", version, DryRun.NO),
        new PodsContext(NOW, random));
  }

  private static ManualSlice stored(Decision<PodOutcome> decision) {
    return ((PodOutcome.SliceStored) decision.reply()).slice();
  }

  private static Refusal refusal(Decision<PodOutcome> decision) {
    assertThat(decision.changes()).as("nothing is done by halves").isEmpty();
    return ((PodOutcome.Refused) decision.reply()).refusal();
  }

  private static List<String> faults(Decision<PodOutcome> decision) {
    return ((Refusal.Invalid) refusal(decision))
        .violations().stream().map(Violation::toString).toList();
  }

  @Test // also for conditions that are all unset (P44)
  void appliesKubernetesDefaults() {
    var decision = apply(ClusterImage.EMPTY, DB);
    var slice = stored(decision);
    assertThat(decision.changes()).containsExactly(new Change.Put(slice));
    assertThat(slice.family()).isEqualTo(Family.IPV4);
    assertThat(slice.ports())
        .containsExactly(new ManualSlice.Port("pg", Protocol.TCP, 5432, Optional.empty()));
    assertThat(slice.endpoints()).containsExactly(TestObjects.endpoint("192.0.2.7"));
    assertThat(slice.meta().created()).isEqualTo(NOW);
  }

  @Test
  void conditionsThatAreSaidCount() {
    var said =
        new EndpointDraft(
            List.of("192.0.2.7"),
            Optional.of(false),
            Optional.of(false),
            Optional.of(true),
            "host",
            "node-a",
            "zone-a",
            List.of("zone-a"),
            List.of("node-a"));
    assertThat(stored(apply(ClusterImage.EMPTY, DB.endpoints(said))).endpoints())
        .containsExactly(
            new ManualSlice.Endpoint(
                Address.of("192.0.2.7"),
                false,
                false,
                true,
                Optional.of("host"),
                Optional.of("node-a"),
                Optional.of("zone-a"),
                List.of("zone-a"),
                List.of("node-a")));
  }

  record Faulty(String name, UnaryOperator<Draft> change, List<String> faults) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Faulty address(String text, String words) {
    return new Faulty(
        "C44 " + text,
        d -> d.endpoints(endpoint(text)).of(text.indexOf(':') < 0 ? "IPv4" : "IPv6"),
        List.of("endpoints[0].addresses[0]: Invalid value: \"" + text + "\": " + words));
  }

  private static final String UNREACHABLE = ", where no other machine can be reached";

  static Stream<Faulty> faulty() {
    return Stream.of(
        new Faulty(
            "C44 too many endpoints",
            d ->
                d.endpoints(
                    IntStream.range(0, 1001)
                        .mapToObj(i -> endpoint("10.0." + i / 250 + "." + (1 + i % 250)))
                        .toArray(EndpointDraft[]::new)),
            List.of(
                "endpoints: Too long: must have at most 1000 items, has 1001: use several slices")),
        address("127.0.0.1", "is in the loopback range 127.0.0.0/8" + UNREACHABLE),
        address("127.9.9.9", "is in the loopback range 127.0.0.0/8" + UNREACHABLE),
        address("169.254.1.1", "is in the link-local range 169.254.0.0/16" + UNREACHABLE),
        address("224.0.0.251", "is in the multicast range 224.0.0.0/4" + UNREACHABLE),
        address("0.0.0.0", "is unspecified" + UNREACHABLE),
        address("::1", "is the loopback address" + UNREACHABLE),
        address("::", "is unspecified" + UNREACHABLE),
        address("fe80::1", "is in the link-local range fe80::/10" + UNREACHABLE),
        address("ff02::1", "is in the multicast range ff00::/8" + UNREACHABLE),
        address("192.0.2.300", "must be an address like 192.0.2.7 or 2001:db8::7"),
        new Faulty(
            "an address of the other family",
            d -> d.endpoints(endpoint("2001:db8::7")),
            List.of(
                "endpoints[0].addresses[0]: Invalid value: \"2001:db8::7\": must be of addressType IPv4")),
        new Faulty(
            "no address, and two",
            d -> d.endpoints(endpoint(), endpoint("192.0.2.1", "192.0.2.2")),
            List.of(
                "endpoints[0].addresses: Required value: an address",
                "endpoints[1].addresses: Too long: must have one item, has 2: an endpoint is one address, list the others as endpoints of their own")),
        new Faulty(
            "an address twice",
            d -> d.endpoints(endpoint("192.0.2.1"), endpoint("192.0.2.1")),
            List.of("endpoints[1].addresses[0]: Duplicate value: \"192.0.2.1\"")),
        new Faulty(
            "hints",
            d ->
                d.endpoints(
                    hinted(
                        "a b",
                        List.of("", "z", "z"),
                        IntStream.range(0, 9).mapToObj(i -> "n" + i).toList())),
            List.of(
                "endpoints[0].zone: Invalid value: \"a b\": must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit",
                "endpoints[0].hints.forZones[0].name: Required value: a name",
                "endpoints[0].hints.forZones[2].name: Duplicate value: \"z\"",
                "endpoints[0].hints.forNodes: Too long: must have at most 8 items, has 9")),
        new Faulty("no type", d -> d.of(""), List.of("addressType: Required value: IPv4 or IPv6")),
        new Faulty(
            "a type that nothing consumes",
            d -> d.of("FQDN"),
            List.of(
                "addressType: Unsupported value: \"FQDN\": supported values: \"IPv4\", \"IPv6\"")),
        new Faulty(
            "ports, also a number that is 0 (P90)",
            d ->
                d.ports(
                    new PortDraft("pg", "tcp", 1, ""),
                    new PortDraft("pg", "", 0, ""),
                    new PortDraft("b", "", 65_536, "")),
            List.of(
                "ports[0].protocol: Unsupported value: \"tcp\": supported values: \"TCP\", \"UDP\", \"SCTP\"",
                "ports[1].name: Duplicate value: \"pg\"",
                "ports[1].port: Required value: must be between 1 and 65535, inclusive",
                "ports[2].port: Invalid value: 65536: must be between 1 and 65535, inclusive")),
        new Faulty(
            "too many ports",
            d ->
                d.ports(
                    IntStream.range(0, 101)
                        .mapToObj(i -> new PortDraft("p" + i, "", 1 + i, ""))
                        .toArray(PortDraft[]::new)),
            List.of("ports: Too long: must have at most 100 items, has 101")),
        new Faulty(
            "no Service",
            d -> d.labelled(Map.of()),
            List.of(
                "metadata.labels[kubernetes.io/service-name]: Required value: the name of the Service that these are endpoints of")),
        new Faulty(
            "the mark of derived slices",
            d ->
                d.labelled(
                    Map.of(
                        ManualSlice.SERVICE_NAME_LABEL,
                        "db",
                        ManualSlice.MANAGED_BY_LABEL,
                        ManualSlice.DERIVED)),
            List.of(
                "metadata.labels[endpointslice.kubernetes.io/managed-by]: Invalid value: \"endpoints.fairlead.io\": marks slices that are derived from a selector; leave it out or name what manages this one")),
        new Faulty(
            "no name",
            d -> d.named("", ""),
            List.of("metadata.name: Required value: a name is needed, or metadata.generateName")));
  }

  @ParameterizedTest
  @MethodSource("faulty")
  void namesEveryFault(Faulty row) {
    var draft = row.change().apply(DB);
    assertThat(faults(apply(ClusterImage.EMPTY, draft))).isEqualTo(row.faults());
    assertThat(faults(create(ClusterImage.EMPTY, draft))).isEqualTo(row.faults());
  }

  @Test
  void takesAThousandEndpoints() {
    var most =
        IntStream.range(0, 1000)
            .mapToObj(i -> endpoint("10.0." + i / 250 + "." + (1 + i % 250)))
            .toArray(EndpointDraft[]::new);
    assertThat(stored(apply(ClusterImage.EMPTY, DB.endpoints(most))).endpoints()).hasSize(1000);
  }

  /** C45. */
  @Test
  void theTypeOfItsAddressesStays() {
    var image = image(slice("db-1", "db", "192.0.2.7"));
    assertThat(faults(apply(image, DB.of("IPv6").endpoints(endpoint("2001:db8::7")))))
        .containsExactly(
            "addressType: Invalid value: field is immutable: is IPv4 and stays so: delete the slice, or make another");
  }

  /** Whoever watches the slices of a Service would otherwise lose one that moves to another. */
  @Test
  void theServiceThatItIsOfStays() {
    var image = image(slice("db-1", "db", "192.0.2.7"));
    assertThat(faults(apply(image, DB.labelled(Map.of(ManualSlice.SERVICE_NAME_LABEL, "another")))))
        .containsExactly(
            "metadata.labels[kubernetes.io/service-name]: Invalid value: field is immutable: is db and stays so: delete the slice, or make another");
  }

  @Test
  void aServiceWithASelectorOrWithoutEndpointsTakesNone() {
    assertThat(faults(apply(image(service("db", "10.96.0.1")), DB)))
        .containsExactly(
            "metadata.labels[kubernetes.io/service-name]: Invalid value: \"db\": the Service has a selector, and its endpoints are the Pods that it selects; slices are written for Services without one");
    var external = with(service("db", "10.96.0.1"), s -> s.exposure(Exposure.EXTERNAL_NAME));
    assertThat(faults(apply(image(external), DB)))
        .containsExactly(
            "metadata.labels[kubernetes.io/service-name]: Invalid value: \"db\": the Service is of type ExternalName and has no endpoints");
    var selectorless = with(service("db", "10.96.0.1"), s -> s.selector(Map.of()));
    assertThat(apply(image(selectorless), DB).changes()).hasSize(1);
  }

  @Test
  void changesWhatDiffersAndOnlyTheVersionThatIsMeant() {
    var before = slice("db-1", "db", "192.0.2.7");
    var image = image(before);
    var version = Long.toString(image.slices().get(before.name()).orElseThrow().offset());
    var changed = apply(image, DB.at(version, before.uid().toString()));
    assertThat(changed.reply())
        .isInstanceOfSatisfying(
            PodOutcome.SliceStored.class, s -> assertThat(s.result()).isEqualTo(Result.CONFIGURED));
    assertThat(stored(changed).uid()).isEqualTo(before.uid());
    assertThat(stored(changed).meta().created()).isEqualTo(before.meta().created());
    var again = apply(TestObjects.after(image, stored(changed)), DB);
    assertThat(again.changes()).isEmpty();
    assertThat(((PodOutcome.SliceStored) again.reply()).result()).isEqualTo(Result.UNCHANGED);
    assertThat(refusal(apply(image, DB.at("7", "")))).isInstanceOf(Refusal.Stale.class);
    assertThat(refusal(apply(image, DB.at("", TestObjects.uid("x").toString()))))
        .isInstanceOf(Refusal.Stale.class);
  }

  @Test
  void createsUnderAFreeNameOnlyAndMakesOneUp() {
    var image = image(slice("db-1", "db", "192.0.2.7"));
    assertThat(refusal(create(image, DB))).isInstanceOf(Refusal.NameTaken.class);
    assertThat(stored(create(image, DB.named("", "db-"))).meta().name()).matches("db-[a-z0-9]{5}");
    assertThat(faults(create(image, DB.at("7", ""))))
        .containsExactly("metadata.resourceVersion: Forbidden: not on create");
  }

  @Test
  void aDryRunAnswersTheSameAndWritesNothing() {
    var context = new PodsContext(NOW, random);
    var image = image(slice("db-1", "db", "192.0.2.7"));
    var tried =
        List.of(
            PodsDecider.decide(image, new ApplySlice(DB.draft(), DryRun.YES), context),
            PodsDecider.decide(
                image, new CreateSlice(DB.named("x", "").draft(), DryRun.YES), context),
            PodsDecider.decide(
                image,
                new DeleteSlice(new ObjectName("default", "db-1"), "", "", DryRun.YES),
                context));
    assertThat(tried).allMatch(decision -> decision.changes().isEmpty());
    assertThat(tried).extracting(Decision::reply).noneMatch(PodOutcome.Refused.class::isInstance);
  }

  @Test
  void deletesWhatWasWritten() {
    var slice = slice("db-1", "db", "192.0.2.7");
    var image = image(slice);
    assertThat(delete(image, "db-1", "").changes())
        .containsExactly(new Change.Remove(slice.key(), slice.uid()));
    assertThat(refusal(delete(image, "db-1", "7"))).isInstanceOf(Refusal.Stale.class);
    assertThat(refusal(delete(image, "db-2", ""))).isInstanceOf(Refusal.NotFound.class);
  }

  /**
   * C27: Kubernetes' controller makes a slice again that somebody deletes; here it is not even gone
   * for a second, since it has no record.
   */
  @Test
  void aDerivedSliceIsNeitherDeletedNorOverwritten() {
    var web = service("web", "10.96.0.1");
    var image = image(web, pod("web-1", "web", "node-a", "10.244.0.1"));
    var name = EndpointSlices.of(image, web).getFirst().name();
    assertThat(refusal(delete(image, name, "")))
        .isInstanceOfSatisfying(
            Refusal.NotYours.class, r -> assertThat(r.message()).contains("derived"));
    var refused = new ArrayList<Refusal>();
    refused.add(refusal(apply(image, DB.named(name, ""))));
    refused.add(refusal(create(image, DB.named(name, ""))));
    assertThat(refused).allMatch(Refusal.NotYours.class::isInstance);
  }
}
