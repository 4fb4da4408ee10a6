package io.fairlead.core.view;

import static io.fairlead.core.image.TestObjects.after;
import static io.fairlead.core.image.TestObjects.deletion;
import static io.fairlead.core.image.TestObjects.delta;
import static io.fairlead.core.image.TestObjects.endpoint;
import static io.fairlead.core.image.TestObjects.image;
import static io.fairlead.core.image.TestObjects.name;
import static io.fairlead.core.image.TestObjects.pod;
import static io.fairlead.core.image.TestObjects.port;
import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.core.image.TestObjects.slice;
import static io.fairlead.core.image.TestObjects.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What slices that somebody wrote are worth. */
@Timeout(30)
class ManualEndpointsTest {
  private static final NodeContext N1 = new NodeContext("n1", Optional.of("a"), Set.of());
  private static final Service DB = with(service("db", "10.96.0.1"), s -> s.selector(Map.of()));
  private static final Service SELECTING = service("db", "10.96.0.1");
  private static final ManualSlice SLICE = slice("db-1", "db", "192.0.2.7", "192.0.2.8");
  private static final Frontend DB_80 = new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 80);

  private static List<String> targets(ClusterImage image) {
    return NodeView.rules(Entries.of(image), N1).rule(DB_80).orElseThrow().targets().stream()
        .map(ManualEndpointsTest::text)
        .toList();
  }

  private static String text(Target target) {
    return target.address() + ":" + target.port();
  }

  @Test
  void aServiceWithoutSelectorLeadsToThem() {
    assertThat(targets(image(DB, SLICE))).containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
    assertThat(targets(image(SLICE, DB)))
        .as("whichever came first")
        .containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
    assertThat(targets(image(DB))).isEmpty();
  }

  @Test
  void severalSlicesAddUpAndAnAddressCountsOnce() {
    assertThat(targets(image(DB, SLICE, slice("db-2", "db", "192.0.2.8", "192.0.2.9"))))
        .containsExactly("192.0.2.7:9000", "192.0.2.8:9000", "192.0.2.9:9000");
    assertThat(targets(image(DB, SLICE, slice("other-1", "other", "192.0.2.10"))))
        .containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
  }

  /** P91. */
  @Test
  void threeSlicesOfAServiceAreOne() {
    assertThat(
            targets(
                image(
                    DB,
                    slice("db-1", "db", "192.0.2.7"),
                    slice("db-2", "db", "192.0.2.8"),
                    slice("db-3", "db", "192.0.2.9"))))
        .containsExactly("192.0.2.7:9000", "192.0.2.8:9000", "192.0.2.9:9000");
  }

  /** P92: once the new slice has it, whatever becomes of the old one, in whichever order. */
  @Test
  void anEndpointThatMovesToAnotherSliceIsThereThroughout() {
    var from = slice("db-1", "db", "192.0.2.7", "192.0.2.8");
    var without = slice("db-1", "db", "192.0.2.7");
    var to = slice("db-2", "db", "192.0.2.8");
    var addedFirst = after(image(DB, from), to);
    assertThat(targets(addedFirst)).containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
    assertThat(targets(after(addedFirst, without)))
        .containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
    var removedFirst = after(image(DB, from), without);
    assertThat(targets(removedFirst)).containsExactly("192.0.2.7:9000");
    assertThat(targets(after(removedFirst, to)))
        .containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
  }

  /** P94: also of a Service of both families, each VIP leads to endpoints of its own. */
  @Test
  void aSliceOfTheOtherFamilyIsNotForThisVip() {
    var six = slice("db-6", "db", "2001:db8::7");
    assertThat(targets(image(DB, SLICE, six))).containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
    assertThat(ManualEndpoints.unused(image(DB, six), six))
        .contains("Service default/db has no IPv6");
  }

  /**
   * As consumers in Kubernetes do: a slice's port is that of the Service with its name. P90: others
   * count.
   */
  @Test
  void portsMeetByNameAndProtocol() {
    var two =
        with(
            DB,
            s ->
                s.ports(
                    port("pg", 80, new PortRef.Number(1)),
                    port("admin", 81, new PortRef.Number(1))));
    var written =
        new ManualSlice(
            SLICE.meta(),
            SLICE.family(),
            List.of(
                new ManualSlice.Port("admin", Protocol.UDP, 1, Optional.empty()),
                new ManualSlice.Port("pg", Protocol.TCP, 5432, Optional.empty()),
                new ManualSlice.Port("", Protocol.TCP, 2, Optional.empty())),
            SLICE.endpoints());
    assertThat(targets(image(two, written))).containsExactly("192.0.2.7:5432", "192.0.2.8:5432");
    assertThat(
            NodeView.rules(Entries.of(image(two, written)), N1)
                .rule(new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 81))
                .orElseThrow()
                .targets())
        .isEmpty();
  }

  @Test
  void conditionsPlaceAndHintsReachTheNodes() {
    var hinted =
        new ManualSlice.Endpoint(
            Address.of("192.0.2.7"),
            false,
            true,
            true,
            Optional.empty(),
            Optional.of("n2"),
            Optional.of("b"),
            List.of("b", "a"),
            List.of("n2"));
    var entry =
        Entries.of(image(DB, with(SLICE, hinted))).values().stream()
            .filter(EndpointEntry.class::isInstance)
            .map(EndpointEntry.class::cast)
            .findFirst()
            .orElseThrow();
    assertThat(entry.conditions()).isEqualTo(new Endpoint.Conditions(false, true, true));
    assertThat(entry.node()).contains("n2");
    assertThat(entry.zone()).contains("b");
    assertThat(entry.hints().zones()).containsExactly("a", "b");
    assertThat(entry.hints().nodes()).containsExactly("n2");
    assertThat(targets(image(DB, with(SLICE, hinted))))
        .as("one that ends is the last resort")
        .containsExactly("192.0.2.7:9000");
    assertThat(targets(image(DB, with(SLICE, hinted, endpoint("192.0.2.8")))))
        .containsExactly("192.0.2.8:9000");
  }

  /** Nothing is deleted that somebody wrote: without the selector they count again. */
  @Test
  void withASelectorOnlyPodsCountAndWithoutItTheSlicesDoAgain() {
    var both = image(SELECTING, SLICE, pod("p", "db", "n1", "10.244.0.3"));
    assertThat(targets(both)).containsExactly("10.244.0.3:8080");
    assertThat(ManualEndpoints.unused(both, SLICE)).contains("Service default/db has a selector");
    var cleared = after(both, DB);
    assertThat(targets(cleared)).containsExactly("192.0.2.7:9000", "192.0.2.8:9000");
    assertThat(ManualEndpoints.unused(cleared, SLICE)).isEmpty();
    assertThat(EndpointSlices.of(cleared, DB)).as("C30: the derived ones go").isEmpty();
  }

  @Test
  void saysWhyNothingUsesASlice() {
    assertThat(ManualEndpoints.unused(image(SLICE), SLICE))
        .contains("there is no Service default/db");
    assertThat(
            ManualEndpoints.unused(
                image(with(DB, s -> s.exposure(Exposure.EXTERNAL_NAME)), SLICE), SLICE))
        .contains("Service default/db is of type ExternalName");
    var six = slice("db-6", "db", "2001:db8::7");
    assertThat(ManualEndpoints.unused(image(DB, six), six))
        .contains("Service default/db has no IPv6");
  }

  @Test
  void aChangeOfASliceTouchesItsServiceAndOneOfItsLabelBoth() {
    var base = image(DB, SLICE);
    var changed = delta(base, slice("db-1", "db", "192.0.2.7"));
    assertThat(EndpointSlices.touched(changed, changed.apply())).containsExactly(name("db"));
    var moved = delta(base, slice("db-1", "else", "192.0.2.7"));
    assertThat(EndpointSlices.touched(moved, moved.apply()))
        .containsExactly(name("db"), name("else"));
    var gone = deletion(base, SLICE);
    assertThat(Entries.changed(gone, gone.apply()).values())
        .hasSize(2)
        .allMatch(change -> change.after().isEmpty());
  }

  /** Else connections that stick to an endpoint would break at every edit of its slice. */
  @Test
  void anEndpointKeepsItsKeyWhateverElseChangesOfItsSlice() {
    var base = image(DB, SLICE);
    var zoned =
        new ManualSlice.Endpoint(
            Address.of("192.0.2.8"),
            true,
            true,
            false,
            Optional.empty(),
            Optional.empty(),
            Optional.of("b"),
            List.of(),
            List.of());
    var edited = delta(base, with(SLICE, zoned, endpoint("192.0.2.9")));
    var changes = Entries.changed(edited, edited.apply()).values();
    assertThat(changes).hasSize(3);
    assertThat(changes.stream().filter(c -> c.before().isPresent() && c.after().isPresent()))
        .as("192.0.2.8 is changed in its place")
        .hasSize(1);
    var keys =
        Entries.of(image(DB, SLICE, slice("db-2", "db", "192.0.2.7"))).keySet().stream()
            .filter(EntryKey.Endpoint.class::isInstance);
    assertThat(keys).as("one address in two slices").hasSize(3);
  }

  @Test
  void theSlicesOfAServiceAreFoundByItsName() {
    var image = image(DB, SLICE, slice("db-2", "db", "192.0.2.9"), slice("x", "y", "192.0.2.1"));
    assertThat(image.slices().of(name("db"))).hasSize(2);
    assertThat(image.slices().services()).containsExactly(name("db"), name("y"));
    assertThat(TestObjects.deletion(image, SLICE).apply().slices().of(name("db"))).hasSize(1);
    var moved = after(image, slice("db-1", "y", "192.0.2.7"));
    assertThat(moved.slices().of(name("db"))).hasSize(1);
    assertThat(moved.slices().of(name("y"))).hasSize(2);
  }
}
