package io.fairlead.agent.stream;

import static io.fairlead.agent.Waiting.await;
import static io.fairlead.agent.stream.TestEntries.endpointKey;
import static io.fairlead.agent.stream.TestEntries.port;
import static io.fairlead.agent.stream.TestEntries.portKey;
import static io.fairlead.agent.stream.TestEntries.service;
import static io.fairlead.agent.stream.TestEntries.udpEndpoint;
import static io.fairlead.agent.stream.TestEntries.udpEndpointKey;
import static io.fairlead.agent.stream.TestEntries.udpPortKey;
import static io.fairlead.agent.stream.TestEntries.udpService;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.FakeFlows;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.core.view.NodeContext;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeView;
import io.fairlead.runtime.Metrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Names in parentheses are rows of the data plane's conformance table. */
@Timeout(60)
class FlowCleanerTest {
  private static final Frontend DNS = new Frontend(Address.of("10.96.0.10"), Protocol.UDP, 53);
  private static final Target ONE = target("10.244.0.1");
  private static final Target TWO = target("10.244.0.2");

  private final FakeTime time = new FakeTime();
  private final FakeFlows flows = new FakeFlows();
  private final Metrics metrics = new Metrics();
  private final FlowCleaner cleaner = new FlowCleaner(flows, new FlowMetrics(metrics), time);
  private NodeView view = NodeView.empty(new NodeContext("node-a", Optional.empty(), Set.of()));

  private static Target target(String address) {
    return new Target(Address.of(address), 5353);
  }

  @AfterEach
  void close() {
    cleaner.close();
  }

  private void commit(Collection<? extends Entry> set, List<? extends EntryKey> removed) {
    var step = view.with(set, removed);
    view = step.view();
    cleaner.committed(step.touched(), view);
  }

  /** While time passes. */
  private void eventually(String what, BooleanSupplier condition) {
    await(what)
        .until(() -> {
          time.advance(Duration.ofSeconds(1));
          return condition.getAsBoolean();
        });
  }

  private void settle() {
    eventually("all passes", () -> cleaner.pending() == 0);
  }

  private void start(String... addresses) {
    cleaner.start();
    commit(udpService("dns", "10.96.0.10", addresses), List.of());
    settle();
  }

  @Test
  void endsFlowsToAnEndpointThatIsGone() {
    start("10.244.0.1", "10.244.0.2");
    flows.sent(1000, DNS, ONE);
    flows.sent(1001, DNS, TWO);
    commit(List.of(), List.of(udpEndpointKey("dns", "10.244.0.1")));
    settle();
    assertThat(flows.flows()).containsExactly(new FakeFlows.Flow(1001, DNS, TWO));
    assertThat(metrics.page("").text())
        .contains("fairlead_agent_conntrack_flows_deleted_total 1.0");
  }

  @Test
  void endsFlowsToAnEndpointThatGoesAfterItWasNoLongerUsed() {
    start("10.244.0.1", "10.244.0.2");
    flows.sent(1000, DNS, ONE);
    var terminating = new Endpoint.Conditions(false, true, true);
    commit(List.of(udpEndpoint("dns", "10.244.0.1", terminating)), List.of());
    assertThat(cleaner.pending()).as("it serves still (P70, P71)").isZero();
    var rules = view.rules();
    commit(List.of(), List.of(udpEndpointKey("dns", "10.244.0.1")));
    assertThat(view.rules()).as("nothing to do for the rules").isEqualTo(rules);
    settle();
    assertThat(flows.flows()).isEmpty();
  }

  @Test
  void endsAllFlowsOfAFrontendThatIsDeleted() { // P75
    start("10.244.0.1");
    flows.sent(1000, DNS, ONE);
    commit(List.of(), List.of(udpEndpointKey("dns", "10.244.0.1"), udpPortKey("dns")));
    settle();
    assertThat(flows.flows()).isEmpty();
  }

  @Test
  void judgesFlowsByTheFrontendsNextOwner() { // P76
    start("10.244.0.1");
    flows.sent(1000, DNS, ONE);
    flows.sent(1001, DNS, TWO);
    var next = udpService("dns2", "10.96.0.10", "10.244.0.2");
    commit(next, List.of(udpEndpointKey("dns", "10.244.0.1"), udpPortKey("dns")));
    settle();
    assertThat(flows.flows()).containsExactly(new FakeFlows.Flow(1001, DNS, TWO));
  }

  @Test
  void looksOnceMoreForFlowsThatTheOldRulesMade() {
    commit(udpService("dns", "10.96.0.10", "10.244.0.2"), List.of());
    cleaner.start();
    await("the pause after the first pass").until(() -> time.sleepers() == 1);
    flows.sent(1000, DNS, ONE);
    settle();
    assertThat(flows.flows()).isEmpty();
    assertThat(flows.passes()).isEqualTo(2);
  }

  @Test
  void doesNothingWhereEndpointsOnlyCame() {
    start("10.244.0.1");
    commit(List.of(udpEndpoint("dns", "10.244.0.2")), List.of());
    assertThat(cleaner.pending()).isZero();
  }

  @Test // (P83)
  void goesOnWithThePartThatAnInterruptedReadingGave() {
    start("10.244.0.1", "10.244.0.2");
    flows.sent(1000, DNS, ONE);
    flows.sent(1001, DNS, ONE);
    flows.interrupt();
    int before = flows.deleted().size();
    commit(List.of(), List.of(udpEndpointKey("dns", "10.244.0.1")));
    settle();
    assertThat(flows.deleted().subList(before, flows.deleted().size()))
        .as("a part counts, but not as one of the two looks")
        .containsExactly(1, 1, 0);
  }

  @Test
  void connectionsOverTcpAreEndedOnlyWhereTheirServiceAsksForIt() {
    cleaner.start();
    var one = new Target(Address.of("10.244.0.1"), 8080);
    var two = new Target(Address.of("10.244.0.2"), 8080);
    var asking = new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 80);
    var silent = new Frontend(Address.of("10.96.0.2"), Protocol.TCP, 80);
    commit(resetting("a", "10.96.0.1", "10.244.0.1", "10.244.0.2"), List.of());
    commit(service("s", "10.96.0.2", "10.244.0.1", "10.244.0.2"), List.of());
    settle();
    flows.sent(1, asking, one);
    flows.sent(2, asking, two);
    flows.sent(3, silent, one);
    var unready = new Endpoint.Conditions(false, false, true);
    commit(
        List.of(
            new EndpointEntry(
                endpointKey("a", "10.244.0.1"),
                one.address(),
                one.port(),
                Optional.of("node-a"),
                Optional.empty(),
                unready,
                Endpoint.Hints.NONE)),
        List.of());
    assertThat(cleaner.pending()).as("it is there yet, and finishes what it has").isZero();
    commit(List.of(), List.of(endpointKey("a", "10.244.0.1"), endpointKey("s", "10.244.0.1")));
    settle();
    assertThat(flows.flows())
        .containsExactlyInAnyOrder(
            new FakeFlows.Flow(2, asking, two), new FakeFlows.Flow(3, silent, one));
    // it asks no more
    commit(List.of(port("a", "10.96.0.1")), List.of(endpointKey("a", "10.244.0.2")));
    assertThat(cleaner.pending()).isZero();
    assertThat(flows.flows()).contains(new FakeFlows.Flow(2, asking, two));
    // the Service itself goes, when it asks
    commit(resetting("a", "10.96.0.1", "10.244.0.2"), List.of());
    settle();
    commit(List.of(), List.of(portKey("a"), endpointKey("a", "10.244.0.2")));
    settle();
    assertThat(flows.flows()).containsExactly(new FakeFlows.Flow(3, silent, one));
  }

  private static List<Entry> resetting(String name, String vip, String... addresses) {
    var entries = new ArrayList<>(service(name, vip, addresses));
    entries.replaceAll(entry ->
        entry instanceof ServicePortEntry port
            ? new ServicePortEntry(
                port.key(),
                port.vips(),
                port.port(),
                port.balancing(),
                port.affinity(),
                port.internalTrafficPolicy(),
                true)
            : entry);
    return entries;
  }

  @Test
  void triesAgainWhereTheKernelRefused() {
    start("10.244.0.1", "10.244.0.2");
    flows.sent(1000, DNS, ONE);
    flows.fail(Optional.of("conntrack: recv: errno 105"));
    int before = flows.passes();
    commit(List.of(), List.of(udpEndpointKey("dns", "10.244.0.1")));
    eventually("a second attempt", () -> flows.passes() >= before + 2);
    assertThat(flows.flows()).hasSize(1);
    assertThat(metrics.page("").text()).containsPattern("conntrack_errors_total [1-9]");
    flows.fail(Optional.empty());
    settle();
    assertThat(flows.flows()).isEmpty();
  }
}
