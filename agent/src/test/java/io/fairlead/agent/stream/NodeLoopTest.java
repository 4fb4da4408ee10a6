package io.fairlead.agent.stream;

import static io.fairlead.agent.Waiting.await;
import static io.fairlead.agent.stream.FakeReplica.at;
import static io.fairlead.agent.stream.TestEntries.endpoint;
import static io.fairlead.agent.stream.TestEntries.endpointKey;
import static io.fairlead.agent.stream.TestEntries.entry;
import static io.fairlead.agent.stream.TestEntries.pod;
import static io.fairlead.agent.stream.TestEntries.recorded;
import static io.fairlead.agent.stream.TestEntries.service;
import static io.fairlead.agent.stream.TestEntries.udpEndpoint;
import static io.fairlead.agent.stream.TestEntries.udpEndpointKey;
import static io.fairlead.agent.stream.TestEntries.udpService;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.fairlead.agent.disk.ImageStore;
import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.DataPlaneConfig;
import io.fairlead.agent.nft.FakeFlows;
import io.fairlead.agent.nft.FakeNft;
import io.fairlead.agent.probe.Commands;
import io.fairlead.agent.source.PodSource;
import io.fairlead.agent.source.StaticManifests;
import io.fairlead.agent.stream.FakeReplica.Stream;
import io.fairlead.agent.stream.NodeLoop.OtherLogPolicy;
import io.fairlead.api.Errors;
import io.fairlead.api.PodCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.NodeContext;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeView;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.NamespacedReadiness;
import io.fairlead.v1.RefusedPod;
import io.fairlead.v1.SourceResult;
import io.fairlead.v1.SourceState;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class NodeLoopTest {
  private static final Frontend DNS = new Frontend(Address.of("10.96.0.10"), Protocol.UDP, 53);
  private static final NodeContext CONTEXT = new NodeContext("node-a", Optional.empty(), Set.of());

  @TempDir Path directory;

  private final FakeNft nft = new FakeNft();
  private final FakeFlows flows = new FakeFlows();
  private Metrics registry = new Metrics();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final FakeReplica replica = opened(new FakeReplica());
  private Optional<DataPlane> plane = Optional.empty();
  private final List<PodSource> more = new ArrayList<>();
  private final CountDownLatch superseded = new CountDownLatch(1);

  private <T extends AutoCloseable> T opened(T resource) {
    opened.add(resource);
    return resource;
  }

  @AfterEach
  void close() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
  }

  /** Points the loop came to. */
  private final List<FaultPoint> reached = new CopyOnWriteArrayList<>();

  private NodeLoop start() {
    return start(OtherLogPolicy.REFUSE, List.of(replica.address()));
  }

  private NodeLoop start(OtherLogPolicy otherLog, List<HostPort> addresses) {
    var kernel = opened(DataPlane.on(DataPlaneConfig.of("node-a"), Time.system(), () -> nft));
    registry = new Metrics();
    plane = Optional.of(kernel);
    return opened(
        NodeLoop.start(
            new NodeLoop.Settings(
                new NodeIdentity(
                    "node-a",
                    Optional.of("zone-1"),
                    List.of(Address.of("192.0.2.1")),
                    List.of(),
                    Set.of(),
                    "test"),
                addresses,
                otherLog,
                directory.resolve("data"),
                sources(),
                Commands.none(),
                reached::add),
            kernel,
            flows,
            registry,
            Time.system(),
            RandomSource.seeded(1),
            (what, cause) -> {
              throw new AssertionError(what, cause);
            },
            superseded::countDown));
  }

  private List<PodSource> sources() {
    var manifests = directory.resolve("manifests");
    var all = new ArrayList<PodSource>(more);
    all.add(
        Files.isDirectory(manifests)
            ? new StaticManifests(manifests, "node-a", List.of(Address.of("192.0.2.1")))
            : new PodSource.Ended(StaticManifests.nameOn("node-a")));
    return all;
  }

  private Stream stream(int number) {
    await("stream " + number).until(() -> replica.greeted() >= number);
    return replica.streams.get(number - 1);
  }

  private void awaitAcknowledged(Stream stream, String offsets) {
    await("acknowledgement of " + offsets)
        .untilAsserted(() -> assertThat(stream.acknowledged()).isEqualTo(offsets));
  }

  private static NodeRules rules(Collection<? extends Entry> entries) {
    return NodeView.of(entries, CONTEXT).rules();
  }

  private List<String> differences(Collection<? extends Entry> entries) {
    return plane.orElseThrow().read().differencesFrom(rules(entries), Set.of());
  }

  @Test
  void programsAResetAndThenDeltasAndAcknowledgesBoth() {
    start();
    var stream = stream(1);
    assertThat(stream.hello.orElseThrow().hasPosition()).isFalse();
    assertThat(stream.hello.orElseThrow().getNode().getZone()).isEqualTo("zone-1");
    stream.welcome(5).reset(1, at("s:10,p3:4"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream, "s:10,p3:4");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();

    stream.delta(
        2,
        at("s:10,p3:4"),
        at("p3:6"), // changed components only
        List.of(endpoint("web", "10.244.0.2")),
        List.of(endpointKey("web", "10.244.0.1")));
    awaitAcknowledged(stream, "s:10,p3:6");
    assertThat(stream.acks.getLast().getFrame()).isEqualTo(2);
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.2"))).isEmpty();
  }

  @Test // P120
  void howLongAChangeTookCountsFromWhenItWasAcceptedUnlessThatIsBeforeTheProcess() {
    var before = Time.system().now().minusSeconds(1);
    start();
    var stream = stream(1);
    stream.welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream, "s:10");
    stream.begin(2, Optional.of(at("s:10")));
    stream.chunk(List.of(endpoint("web", "10.244.0.2")), List.of());
    stream.end(2, at("s:11"), before);
    awaitAcknowledged(stream, "s:11");
    assertThat(registry.page("").text())
        .contains("fairlead_agent_network_programming_duration_seconds_count 0");
    stream.begin(3, Optional.of(at("s:11")));
    stream.chunk(List.of(endpoint("web", "10.244.0.3")), List.of());
    stream.end(3, at("s:12"), Time.system().now());
    awaitAcknowledged(stream, "s:12");
    assertThat(registry.page("").text())
        .contains("fairlead_agent_network_programming_duration_seconds_count 1");
  }

  @Test
  void endsFlowsOverUdpToEndpointsThatWentWithTheFrameOrTheReset() {
    start();
    stream(1).welcome(5).reset(1, at("s:10"), udpService("dns", "10.96.0.10", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    flows.sent(1000, DNS, new Target(Address.of("10.244.0.1"), 5353));
    stream(1)
        .delta(
            2,
            at("s:10"),
            at("s:11"),
            List.of(udpEndpoint("dns", "10.244.0.2")),
            List.of(udpEndpointKey("dns", "10.244.0.1")));
    await("flow ended").until(() -> flows.flows().isEmpty());
    flows.sent(1000, DNS, new Target(Address.of("10.244.0.2"), 5353));
    stream(1).reset(3, at("s:12"), List.of(TestEntries.cidr()));
    await("flow ended by the reset").until(() -> flows.flows().isEmpty());
  }

  @Test // (P104)
  void leavesTheRulesThatAreThereUntilItWasToldSomething() {
    var before = service("web", "10.96.0.1", "10.244.0.1");
    try (var former = DataPlane.on(DataPlaneConfig.of("node-a"), Time.system(), () -> nft)) {
      former.apply(rules(before), at("s:7"));
    }
    int commits = nft.commits();
    start();
    stream(1).welcome(5).begin(1, Optional.empty()).chunk(List.of(TestEntries.cidr()), List.of());
    await("a beat of the loop after half a frame")
        .until(() -> stream(1).hello.isPresent() && replica.greeted() == 1);
    assertThat(nft.commits()).isEqualTo(commits);
    assertThat(differences(before)).isEmpty();
    var after = service("web", "10.96.0.1", "10.244.0.2");
    stream(1).chunk(after, List.of()).end(1, at("s:10"));
    awaitAcknowledged(stream(1), "s:10");
    assertThat(differences(after)).isEmpty();
  }

  @Test // (P102, P103)
  void whatComesWhileTheKernelWorksIsTheNextTransactionAndNothingIsLost() throws Exception {
    var working = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    start();
    var stream = stream(1);
    stream.welcome(5).reset(1, at("s:1"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream, "s:1");
    int before = nft.commits();
    nft.afterCommit((_, _) -> {
      working.countDown();
      try {
        goOn.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    });
    var expected = new ArrayList<Entry>(service("web", "10.96.0.1", "10.244.0.1"));
    int changes = 1_000;
    for (int i = 0; i < changes; i++) {
      if (i == 1) {
        working.await(); // the first change is being written, the others come meanwhile
      }
      var added = endpoint("web", "10.244." + (1 + i / 250) + "." + (1 + i % 250));
      expected.add(added);
      stream.delta(2 + i, at("s:" + (1 + i)), at("s:" + (2 + i)), List.of(added), List.of());
    }
    goOn.countDown();
    awaitAcknowledged(stream, "s:" + (1 + changes));
    assertThat(differences(expected)).isEmpty();
    // alone each takes three; how many came in time to run together is the network's
    assertThat(nft.commits() - before).isLessThan(2 * changes);
  }

  @Test
  void acknowledgesBookmarksWithoutTouchingTheKernel() {
    start();
    var stream = stream(1);
    stream.welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream, "s:10");
    nft.fail(Optional.of("not to be touched"));
    stream.bookmark(at("s:12,p0:7"));
    awaitAcknowledged(stream, "s:12,p0:7");
  }

  @Test
  void endsWhereAnotherAgentHasTheNodeAndLeavesTheRules() throws Exception {
    start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    var first = stream(1).hello.orElseThrow();
    assertThat(first.getPreviousSession()).isZero();
    stream(1).fail(Status.UNAVAILABLE.asRuntimeException());
    var again = stream(2).hello.orElseThrow();
    assertThat(again.getPreviousSession()).isEqualTo(5);
    assertThat(again.getInstance()).isNotEmpty().isEqualTo(first.getInstance());
    assertThat(superseded.getCount()).isOne();
    stream(2)
        .fail(
            Errors.refused(
                new Refusal.Superseded(
                    ObjectKey.ofCluster(Kind.NODE, "node-a"), 5, Address.of("192.0.2.9"))));
    superseded.await();
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();
  }

  @Test
  void startsFromDiskWithoutAnyControlPlane() {
    var first = start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    first.close();
    replica.close();
    nft.flushRuleset(); // the machine was started anew

    var second = start();
    await("synced").until(second::isSynced);
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();
    await("trouble")
        .untilAsserted(() -> assertThat(second.streamTrouble()).contains("UNAVAILABLE"));
  }

  @Test
  void namesThePositionOfItsDiskToTheNextReplica() {
    var first = start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    first.close();
    start();
    assertThat(stream(2).hello.orElseThrow().getPosition().getOffsets()).isEqualTo("s:10");
    stream(2)
        .welcome(6)
        .delta(1, at("s:10"), at("s:11"), List.of(endpoint("web", "10.244.0.9")), List.of());
    awaitAcknowledged(stream(2), "s:11");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1", "10.244.0.9"))).isEmpty();
  }

  @Test
  void bringsTheKernelToTheDiskAfterACrashBetweenTheTwo() {
    var first = start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    nft.fail(Optional.of("Cannot allocate memory"));
    stream(1).delta(2, at("s:10"), at("s:11"), List.of(endpoint("web", "10.244.0.2")), List.of());
    await("error")
        .until(() -> stream(1).acks.getLast().getError().contains("Cannot allocate memory"));
    assertThat(stream(1).acknowledged()).isEqualTo("s:10");
    assertThat(first.kernelTrouble()).contains("Cannot allocate memory");
    first.close();
    nft.fail(Optional.empty());

    var second = start();
    await("synced").until(second::isSynced);
    assertThat(second.committed()).contains(at("s:11"));
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1", "10.244.0.2"))).isEmpty();
  }

  @Test
  void hasAChangeOnDiskBeforeTheKernelHasIt() {
    start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    var onDisk = new CopyOnWriteArrayList<String>();
    nft.afterCommit((_, _) -> onDisk.add(positionOnDisk("copy-" + onDisk.size())));
    stream(1).delta(2, at("s:10"), at("s:11"), List.of(endpoint("web", "10.244.0.2")), List.of());
    awaitAcknowledged(stream(1), "s:11");
    assertThat(onDisk).isNotEmpty().containsOnly("s:11");
  }

  /** Of a copy, as a crash at this moment would leave it. */
  private String positionOnDisk(String name) {
    var copy = directory.resolve(name);
    try (var files = Files.newDirectoryStream(directory.resolve("data"))) {
      Files.createDirectory(copy);
      for (var file : files) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try (var store = ImageStore.open(copy)) {
      return store.position().map(Position::offsets).orElse("nothing");
    }
  }

  @Test
  void triesTheKernelAgainUntilItTakesTheChange() {
    var loop = start();
    nft.fail(Optional.of("Device or resource busy"));
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    await("error").until(() -> loop.kernelTrouble().contains("busy"));
    assertThat(loop.isSynced()).isFalse();
    nft.fail(Optional.empty());
    awaitAcknowledged(stream(1), "s:10");
    assertThat(loop.kernelTrouble()).isEmpty();
  }

  @Test
  void programsTheKernelWhileTheDiskFailsButAcknowledgesOnlyWhatTheDiskHas() throws IOException {
    var loop = start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    var data = directory.resolve("data");
    Files.move(data, directory.resolve("away"));
    Files.writeString(data, "not a directory");
    assertThat(reached).contains(FaultPoint.DISK_WRITTEN);
    reached.clear();
    stream(1).reset(2, at("s:11"), service("web", "10.96.0.1", "10.244.0.2"));
    await("error").until(() -> stream(1).acks.getLast().getError().startsWith("disk: "));
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.2"))).isEmpty();
    assertThat(stream(1).acknowledged()).isEqualTo("s:10");
    assertThat(loop.kernelTrouble()).startsWith("disk: ");
    stream(1).delta(3, at("s:11"), at("s:12"), List.of(endpoint("web", "10.244.0.3")), List.of());
    await("next change")
        .until(
            () -> differences(service("web", "10.96.0.1", "10.244.0.2", "10.244.0.3")).isEmpty());
    assertThat(stream(1).acknowledged()).isEqualTo("s:10");
    assertThat(reached).contains(FaultPoint.KERNEL_WRITTEN).doesNotContain(FaultPoint.DISK_WRITTEN);

    Files.delete(data);
    awaitAcknowledged(stream(1), "s:12");
    assertThat(loop.kernelTrouble()).isEmpty();
    assertThat(positionOnDisk("copy")).isEqualTo("s:12");
  }

  @Test
  void namesWhatTheKernelRefusesWhenTablesAreRestored() {
    start();
    var entries = new ArrayList<Entry>(service("web", "10.96.0.1", "10.244.0.1"));
    entries.addAll(service("bad", "10.96.0.66", "10.244.0.2"));
    stream(1).welcome(5).reset(1, at("s:10"), entries);
    awaitAcknowledged(stream(1), "s:10");
    assertThat(stream(1).acks.getLast().getRefusedList()).isEmpty();
    nft.refuse(command -> command.toString().contains("10.96.0.66"));
    nft.flushRuleset();
    await("refused").until(() -> stream(1).acks.getLast().getRefusedCount() == 1);
    assertThat(stream(1).acknowledged()).isEqualTo("s:10");
  }

  @Test
  void restoresTablesThatSomebodyFlushed() {
    start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    nft.flushRuleset();
    await("tables").until(() -> differences(service("web", "10.96.0.1", "10.244.0.1")).isEmpty());
  }

  @Test
  void dropsAHalfFrameAndAsksFromWhereItWas() {
    start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    stream(1)
        .begin(2, Optional.of(at("s:10")))
        .chunk(List.of(endpoint("web", "10.244.0.2")), List.of())
        .fail(Errors.shuttingDown());
    assertThat(stream(2).hello.orElseThrow().getPosition().getOffsets()).isEqualTo("s:10");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();
  }

  @Test
  void refusesToGoBack() {
    var loop = start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    stream(1).reset(2, at("s:9"), List.of());
    await("end of the stream").until(() -> stream(1).over);
    assertThat(stream(2).hello.orElseThrow().getPosition().getOffsets()).isEqualTo("s:10");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();
    assertThat(loop.committed()).contains(at("s:10"));
  }

  @Test
  void asksForEverythingAfterADeltaOnAnotherBase() {
    start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    stream(1).delta(2, at("s:9"), at("s:12"), List.of(), List.of());
    assertThat(stream(2).hello.orElseThrow().hasPosition()).isFalse();
    stream(2).welcome(6).reset(1, at("s:12"), service("web", "10.96.0.1", "10.244.0.7"));
    awaitAcknowledged(stream(2), "s:12");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.7"))).isEmpty();
  }

  @Test
  void takesPositionsWithoutLogAndDeltasThatNameTheFrameBefore() {
    start();
    stream(1)
        .welcome(5, FakeReplica.LOG, 2)
        .reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    assertThat(stream(1).acks.getLast().getPosition().getLog()).isEmpty();
    stream(1)
        .deltaAfter(
            2,
            1,
            at("s:11"),
            List.of(endpoint("web", "10.244.0.2")),
            List.of(endpointKey("web", "10.244.0.1")))
        .bookmark(at("p3:7"))
        .deltaAfter(
            3,
            2,
            at("s:12"),
            List.of(endpoint("web", "10.244.0.3")),
            List.of(endpointKey("web", "10.244.0.2")));
    awaitAcknowledged(stream(1), "s:12,p3:7");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.3"))).isEmpty();
  }

  @Test
  void asksForEverythingAfterADeltaOnAnotherFrame() {
    start();
    stream(1)
        .welcome(5, FakeReplica.LOG, 2)
        .reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    stream(1).deltaAfter(3, 2, at("s:12"), List.of(), List.of());
    assertThat(stream(2).hello.orElseThrow().hasPosition()).isFalse();
  }

  @Test
  void goesOnInAnOlderProtocolWhereTheReplicaKnowsNoNewer() {
    start();
    for (int protocol = Frames.NEWEST_PROTOCOL; protocol > 1; protocol--) {
      var stream = stream(1 + Frames.NEWEST_PROTOCOL - protocol);
      assertThat(stream.hello.orElseThrow().getProtocol()).isEqualTo(protocol);
      stream.fail(Errors.unsupportedProtocol(protocol, "1"));
    }
    var last = stream(Frames.NEWEST_PROTOCOL);
    assertThat(last.hello.orElseThrow().getProtocol()).isEqualTo(1);
    last.welcome(6).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(last, "s:10");
    assertThat(last.acks.getLast().getPosition().getLog()).isEqualTo(FakeReplica.LOG.toString());
    last.fail(Errors.shuttingDown());
    assertThat(stream(Frames.NEWEST_PROTOCOL + 1).hello.orElseThrow().getProtocol())
        .as("another may know more")
        .isEqualTo(Frames.NEWEST_PROTOCOL);
  }

  @Test
  void refusesAnotherLogUntilToldToAdoptIt() {
    var other = new LogIdentity("otherServices", "otherPods");
    var position = new Position(other, new TreeMap<>(at("s:3").next()));
    var first = start();
    stream(1).welcome(5).reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(stream(1), "s:10");
    stream(1).fail(Errors.shuttingDown());
    stream(2).welcome(1, other).reset(1, position, List.of());
    await("words").until(() -> first.streamTrouble().contains("--adopt-log"));
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();
    first.close();

    start(OtherLogPolicy.ADOPT, List.of(replica.address()));
    // a last attempt of the first agent may greet late: the stream is known by what its Hello says
    var adopted =
        await("a stream that adopts").until(this::adopting, Optional::isPresent).orElseThrow();
    adopted.welcome(1, other).reset(1, position, service("api", "10.96.0.2", "10.244.0.3"));
    awaitAcknowledged(adopted, "s:3");
    assertThat(differences(service("api", "10.96.0.2", "10.244.0.3"))).isEmpty();
  }

  private Optional<Stream> adopting() {
    return replica.streams.stream().filter(s -> s.hello.orElseThrow().getAdoptLog()).findFirst();
  }

  @Test
  void goesToTheNextReplicaAtOnceAndKeepsTheRulesMeanwhile() {
    var second = opened(new FakeReplica());
    start(OtherLogPolicy.REFUSE, List.of(replica.address(), second.address()));
    await("a stream").until(() -> replica.greeted() + second.greeted() == 1);
    var one = replica.greeted() == 1 ? replica : second;
    var two = one == replica ? second : replica;
    one.streams
        .getFirst()
        .welcome(5)
        .reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
    awaitAcknowledged(one.streams.getFirst(), "s:10");
    one.close();
    await("the other").until(() -> two.greeted() >= 1);
    assertThat(two.streams.getFirst().hello.orElseThrow().getPosition().getOffsets())
        .isEqualTo("s:10");
    assertThat(differences(service("web", "10.96.0.1", "10.244.0.1"))).isEmpty();
  }

  @Test
  void namesWhatTheKernelRefusesAndProgramsTheRest() {
    start();
    nft.refuse(command -> command.toString().contains("10.96.0.66"));
    var entries = new ArrayList<Entry>(service("web", "10.96.0.1", "10.244.0.1"));
    entries.addAll(service("bad", "10.96.0.66", "10.244.0.2"));
    stream(1).welcome(5).reset(1, at("s:10"), entries);
    awaitAcknowledged(stream(1), "s:10");
    assertThat(stream(1).acks.getLast().getRefusedList())
        .singleElement()
        .satisfies(refused -> {
          assertThat(refused.getFrontend()).isEqualTo("10.96.0.66:80/TCP");
          assertThat(refused.getReason()).isNotEmpty();
        });
  }

  @Test
  void reportsWhatProbesFindUntilItIsOnRecord() throws IOException {
    var code = new AtomicInteger(200);
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    opened.add(() -> server.stop(0));
    server.createContext(
        "/ready",
        exchange -> {
          exchange.sendResponseHeaders(code.get(), -1);
          exchange.close();
        });
    server.start();
    var probe =
        new Pod.Probe(
            new Pod.HttpGet(
                Pod.Scheme.HTTP,
                Optional.empty(),
                new PortRef.Number(server.getAddress().getPort()),
                "/ready",
                List.of()),
            Duration.ZERO,
            Duration.ofSeconds(1),
            Duration.ofSeconds(10),
            1,
            2);
    var pod = pod("web-1", "api", Optional.of(probe));
    start();
    stream(1).welcome(5).reset(1, at("s:10"), List.of(entry(pod, Optional.empty())));
    await("ready").until(() -> says(stream(1), true));
    stream(1)
        .delta(
            2,
            at("s:10"),
            at("s:11"),
            List.of(entry(pod, Optional.of(recorded(pod, true, 5, "http 200")))),
            List.of());
    awaitAcknowledged(stream(1), "s:11");
    assertThat(stream(1).readiness).hasSize(1);
    code.set(503);
    await("unready").until(() -> says(stream(1), false));
    assertThat(stream(1).readiness.getLast().getReport().getReason()).isEqualTo("http 503");
  }

  private static boolean says(Stream stream, boolean ready) {
    return !stream.readiness.isEmpty()
        && stream.readiness.getLast().getReport().getReady() == ready;
  }

  @Test
  void takesBackTheLossOfItsNodeForPodsWithoutProbe() {
    var lost = pod("lost", "api", Optional.empty());
    var fine = pod("fine", "api", Optional.empty());
    start();
    stream(1)
        .welcome(5)
        .reset(
            1,
            at("s:10"),
            List.of(
                entry(lost, Optional.of(recorded(lost, false, 4, "node lost"))),
                entry(fine, Optional.empty())));
    awaitAcknowledged(stream(1), "s:10");
    await("report").until(() -> !stream(1).readiness.isEmpty());
    assertThat(stream(1).readiness)
        .extracting(NamespacedReadiness::getReport)
        .singleElement()
        .satisfies(report -> {
          assertThat(report.getName()).isEqualTo("lost");
          assertThat(report.getReady()).isTrue();
        });
  }

  @Test
  void saysAllPodsOfItsManifestsInEachSessionAndWhenTheyChange() throws IOException {
    var manifests = Files.createDirectories(directory.resolve("manifests"));
    Files.writeString(manifests.resolve("web.yaml"), manifest("web-1"));
    start();
    stream(1).welcome(5).reset(1, at("s:10"), List.of());
    await("Pods").until(() -> !stream(1).sources.isEmpty());
    var state = stream(1).sources.getFirst();
    assertThat(state.getSource()).isEqualTo("manifests/node-a");
    assertThat(state.getPodsList())
        .singleElement()
        .satisfies(pod -> {
          assertThat(pod.getSpec().getNodeName()).isEqualTo("node-a");
          assertThat(pod.getStatus().getPodIp()).isEqualTo("192.0.2.1");
          assertThat(pod.getMetadata().getUid()).isNotEmpty();
        });
    stream(1)
        .answer(
            SourceResult.newBuilder()
                .setSource("manifests/node-a")
                .setSequence(state.getSequence())
                .addRefused(RefusedPod.newBuilder().setName("web-1").setReason("taken"))
                .build());
    await("told").until(() -> stream(1).acks.getLast().getRefusedManifests() == 1);
    assertThat(stream(1).acks.getLast().getManifestError()).isEqualTo("/web-1: taken");
    assertThat(stream(1).acknowledged()).isEqualTo("s:10");
    Files.writeString(manifests.resolve("faulty.yaml"), "{");
    await("told of both").until(() -> stream(1).acks.getLast().getRefusedManifests() == 2);
    assertThat(stream(1).acks.getLast().getManifestError()).startsWith("faulty.yaml");
    Files.delete(manifests.resolve("faulty.yaml"));
    Files.delete(manifests.resolve("web.yaml"));
    await("no Pods").until(() -> stream(1).sources.getLast().getPodsCount() == 0);
    stream(1).fail(Errors.shuttingDown());
    stream(2).welcome(6).delta(1, at("s:10"), at("s:10"), List.of(), List.of());
    await("again").until(() -> !stream(2).sources.isEmpty());
    assertThat(stream(2).sources.getFirst().getPodsCount()).isZero();
  }

  @Test
  void saysPodsAgainWhoseRecordsTheStreamDoesNotShow() throws IOException {
    var manifests = Files.createDirectories(directory.resolve("manifests"));
    Files.writeString(manifests.resolve("web.yaml"), manifest("web-1"));
    start();
    stream(1).welcome(5).reset(1, at("s:10"), List.of());
    await("Pods").until(() -> stream(1).sources.size() == 1);
    var said = stream(1).sources.getFirst();
    stream(1).answer(result(said));
    await("again").until(() -> stream(1).sources.size() == 2);
    assertThat(stream(1).sources.getLast().getPodsList()).isEqualTo(said.getPodsList());
    assertThat(stream(1).sources.getLast().getSequence()).isGreaterThan(said.getSequence());
  }

  private static SourceResult result(SourceState said) {
    return SourceResult.newBuilder()
        .setSource(said.getSource())
        .setSequence(said.getSequence())
        .build();
  }

  @Test
  void keepsPodsOnRecordWhoseManifestCannotBeRead() throws IOException {
    var manifests = Files.createDirectories(directory.resolve("manifests"));
    Files.writeString(manifests.resolve("web.yaml"), "apiVersion: v1\nkind: Po");
    var known = pod("web-1", "manifests/node-a", Optional.empty());
    start();
    stream(1).welcome(5).reset(1, at("s:10"), List.of(entry(known, Optional.empty())));
    await("Pods").until(() -> !stream(1).sources.isEmpty());
    assertThat(stream(1).sources.getFirst().getPodsList())
        .singleElement()
        .satisfies(pod -> assertThat(pod.getMetadata().getName()).isEqualTo("web-1"));
  }

  /** One that the test tells what it has, as the API of a container runtime would. */
  private static final class Runtime implements PodSource {
    private Optional<Consumer<Pods>> listener = Optional.empty();
    final CountDownLatch closed = new CountDownLatch(1);

    @Override
    public String name() {
      return "runtime/node-a";
    }

    @Override
    public Watch watch(Consumer<Pods> told) {
      listener = Optional.of(told);
      return closed::countDown;
    }

    void has(String... names) {
      var pods =
          Arrays.stream(names)
              .map(
                  name -> PodCodec.proto(pod(name, name(), Optional.empty()), OptionalLong.empty()))
              .toList();
      listener.orElseThrow().accept(new Pods(pods, Set.of()));
    }
  }

  private static List<String> named(SourceState state) {
    return state.getPodsList().stream().map(pod -> pod.getMetadata().getName()).toList();
  }

  private static List<SourceState> said(Stream stream, String source) {
    return stream.sources.stream().filter(state -> state.getSource().equals(source)).toList();
  }

  @Test
  void eachSourceSaysItsOwnPodsAndNothingBeforeItKnowsThem() throws Exception {
    var manifests = Files.createDirectories(directory.resolve("manifests"));
    Files.writeString(manifests.resolve("web.yaml"), manifest("web-1"));
    var runtime = new Runtime();
    more.add(runtime);
    var loop = start();
    var known = pod("db-1", "runtime/node-a", Optional.empty());
    stream(1).welcome(5).reset(1, at("s:10"), List.of(entry(known, Optional.empty())));
    await("manifests").until(() -> !said(stream(1), "manifests/node-a").isEmpty());
    assertThat(said(stream(1), "runtime/node-a")).isEmpty(); // which would delete db-1

    runtime.has("db-1", "db-2");
    await("runtime").until(() -> !said(stream(1), "runtime/node-a").isEmpty());
    assertThat(named(said(stream(1), "runtime/node-a").getLast())).containsExactly("db-1", "db-2");
    runtime.has("db-2");
    await("one of them went")
        .until(() -> named(said(stream(1), "runtime/node-a").getLast()).equals(List.of("db-2")));
    assertThat(said(stream(1), "manifests/node-a"))
        .allSatisfy(state -> assertThat(named(state)).containsExactly("web-1"));

    stream(1).fail(Errors.shuttingDown());
    stream(2).welcome(6).delta(1, at("s:10"), at("s:10"), List.of(), List.of());
    await("both again")
        .until(() ->
            stream(2).sources.stream()
                .map(SourceState::getSource)
                .toList()
                .containsAll(List.of("manifests/node-a", "runtime/node-a")));
    loop.close();
    assertThat(runtime.closed.getCount()).isZero();
  }

  @Test
  void refusesTwoSourcesOfOneName() {
    more.add(new Runtime());
    more.add(new PodSource.Ended("runtime/node-a"));
    assertThatThrownBy(this::start)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("runtime/node-a");
  }

  static String manifest(String name) {
    return """
    apiVersion: v1
    kind: Pod
    metadata:
      name: %s
      labels: {app: web}
    spec:
      containers:
      - name: main
        image: web
    """
        .formatted(name);
  }
}
