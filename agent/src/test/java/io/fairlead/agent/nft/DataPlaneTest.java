package io.fairlead.agent.nft;

import static io.fairlead.agent.Waiting.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.agent.nft.ApplyResult.FamilyResult;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class DataPlaneTest {
  private static final Frontend WEB = Views.tcp("10.96.0.10", 80);
  private static final Frontend WEB6 = Views.tcp("fd00:96::10", 80);
  private static final Frontend OTHER = Views.tcp("10.96.0.11", 80);

  private final FakeNft nft = new FakeNft();
  private final FakeTime time = new FakeTime();
  private final Map<Frontend, PortRule> ports = new HashMap<>();
  private DataPlane plane;

  @BeforeEach
  void open() {
    plane = DataPlane.on(DataPlaneConfig.of("node-a"), time, () -> nft);
  }

  @AfterEach
  void close() {
    plane.close();
  }

  @Test
  void leavesNftablesAloneOnceItIsClosed() throws Exception {
    var calls = new CopyOnWriteArrayList<String>();
    var working = new CountDownLatch(1);
    var goOn = new CountDownLatch(1);
    var closing =
        DataPlane.on(
            DataPlaneConfig.of("node-a"),
            time,
            () ->
                new NftGateway() {
                  @Override
                  public void commit(Layout layout, List<Command> commands) {
                    calls.add("commit");
                    working.countDown();
                    try {
                      goOn.await();
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                    nft.commit(layout, commands);
                  }

                  @Override
                  public Optional<TableContents> read(Layout layout) {
                    calls.add("read");
                    return nft.read(layout);
                  }

                  @Override
                  public OptionalLong generation() {
                    return nft.generation();
                  }

                  @Override
                  public void close() {
                    calls.add("close");
                  }
                });
    fill();
    var first = Thread.ofPlatform().start(() -> closing.apply(view(), Views.at(1)));
    working.await();
    var closer = Thread.ofPlatform().start(closing::close);
    await("close waits for the commit")
        .until(() ->
            closer.getState() == Thread.State.TIMED_WAITING
                || closer.getState() == Thread.State.WAITING);
    var late = new CopyOnWriteArrayList<Throwable>();
    var second =
        Thread.ofPlatform()
            .start(() -> {
              try {
                closing.apply(view(), Views.at(2));
              } catch (RuntimeException e) {
                late.add(e);
              }
            });
    await("the late one is refused or waits")
        .until(() -> !second.isAlive() || second.getState() == Thread.State.WAITING);
    goOn.countDown();
    for (var thread : List.of(first, closer, second)) {
      thread.join();
    }
    assertThat(late).singleElement().asString().contains("the data plane is closed");
    assertThat(calls.getLast()).isEqualTo("close");
  }

  @Test // (P101)
  void theSameViewTwiceIsNoTransaction() {
    fill();
    plane.apply(view(), Views.at(1));
    assertThat(plane.apply(view(), Views.at(1)).transactions()).isZero();
    assertThat(plane.apply(view(), ports.keySet(), Views.at(1)).transactions()).isZero();
  }

  @Test
  void aBookmarkIsOneTransactionForEachFamily() {
    fill();
    plane.apply(view(), Views.at(1));
    var result = plane.apply(view(), Set.of(), Views.at(2));
    assertThat(result.families().values())
        .allSatisfy(r ->
            assertThat(r)
                .isInstanceOfSatisfying(
                    FamilyResult.Committed.class, c -> assertThat(c.commands()).isEqualTo(2)));
    assertThat(result.transactions()).isEqualTo(2);
    assertThat(plane.position()).contains(Views.at(2));
  }

  @Test // removing a target moves the last one into the hole, and touches nothing else
  void removingATargetChangesOneSlot() {
    ports.put(
        WEB,
        Views.to(
            Balancing.RANDOM, "10.244.0.1:80", "10.244.0.2:80", "10.244.0.3:80", "10.244.0.4:80"));
    plane.apply(view(), Views.at(1));
    var before = slots(WEB);
    ports.put(WEB, Views.to(Balancing.RANDOM, targetsWithout(before, before.get(1))));
    plane.apply(view(), Set.of(WEB), Views.at(2));
    assertThat(slots(WEB)).containsExactly(before.get(0), before.get(3), before.get(2));
  }

  @Test
  void nodesBeginAtDifferentEndpoints() {
    ports.put(
        WEB, Views.to(Balancing.ROUND_ROBIN, "10.244.0.1:80", "10.244.0.2:80", "10.244.0.3:80"));
    var firsts =
        java.util.stream.IntStream.range(0, 20)
            .mapToObj(i -> {
              var other = new FakeNft();
              try (var node = DataPlane.on(DataPlaneConfig.of("node-" + i), time, () -> other)) {
                node.apply(view(), Views.at(1));
                return node.read().port(WEB).orElseThrow().slots().getFirst();
              }
            })
            .distinct();
    assertThat(firsts).hasSize(3);
  }

  @Test
  void aRefusedFrontendIsNamedAndTheRestIsProgrammed() {
    for (int i = 0; i < 50; i++) {
      ports.put(
          Views.tcp("10.96.1." + i, 80), Views.to(Balancing.RANDOM, "10.244.0." + (i + 1) + ":80"));
    }
    var bad = Views.tcp("10.96.1.33", 80);
    nft.refuse(
        c -> c instanceof AddElement(ElementKey(_, var key), _) && key.startsWith("10.96.1.33 "));
    var result = plane.apply(view(), Views.at(1));
    assertThat(result.committed()).isTrue();
    assertThat(plane.quarantined()).extracting(Refused::frontend).containsExactly(bad);
    assertThat(plane.quarantined())
        .extracting(Refused::words)
        .allMatch(w -> w.contains("out of range"));
    assertThat(plane.read().differencesFrom(view(), Set.of(bad))).isEmpty();
    assertThat(plane.position()).contains(Views.at(1));
    assertThat(result.transactions()).as("bisected, not one by one").isLessThan(40);

    // not tried again while it stays the same, also by a full comparison
    nft.refuse(_ -> false);
    assertThat(plane.apply(view(), Views.at(1)).transactions()).isZero();
    ports.put(bad, Views.to(Balancing.RANDOM, "10.244.0.99:80"));
    plane.apply(view(), Set.of(bad), Views.at(2));
    assertThat(plane.quarantined()).isEmpty();
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
  }

  @Test
  void aChangeThatIsRefusedWhenItTakesEffectLeavesTheFormerState() {
    fill();
    plane.apply(view(), Views.at(1));
    var before = plane.read().port(WEB).orElseThrow();
    nft.refuse(c ->
        c instanceof AddElement(ElementKey(var set, var key), _)
            && set.equals(Elements.services(Protocol.TCP))
            && key.equals("10.96.0.10 . 80"));
    ports.put(
        WEB,
        Views.to(
            Balancing.ROUND_ROBIN,
            "10.244.0.1:80",
            "10.244.0.2:80",
            "10.244.0.3:80",
            "10.244.0.4:80"));
    ports.put(OTHER, Views.drop());
    assertThat(plane.apply(view(), Set.of(WEB, OTHER), Views.at(2)).committed()).isTrue();
    assertThat(plane.quarantined()).extracting(Refused::frontend).containsExactly(WEB);
    assertThat(plane.read().port(WEB).orElseThrow()).isEqualTo(before);
    nft.refuse(_ -> false);
    ports.put(WEB, Views.reject());
    plane.apply(view(), Set.of(WEB), Views.at(3));
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
  }

  @Test // else what it deleted would be missing the second time, and the frontend refused for that
  void aTransactionWhoseAnswerIsLostIsNotRepeatedBeforeTheTableIsRead() {
    fill();
    plane.apply(view(), Views.at(1));
    ports.remove(WEB);
    nft.loseNextAnswer();
    assertThat(plane.apply(view(), Set.of(WEB), Views.at(2)).committed()).isTrue();
    assertThat(plane.quarantined()).isEmpty();
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
    assertThat(plane.position()).contains(Views.at(2));
  }

  @Test
  void ofWhatDiffersInASharedSetOnlyTheFirstAreNamed() {
    for (int i = 1; i <= 9; i++) {
      ports.put(Views.tcp("10.96.1." + i, 80), Views.to(Balancing.RANDOM, "10.244.0.1:80"));
    }
    plane.apply(view(), Views.at(1));
    for (int i = 2; i <= 6; i++) {
      nft.deleteElement(Family.IPV4, new ElementKey(Elements.VIPS, "10.96.1." + i));
    }
    nft.commit(
        Layout.of(Family.IPV4),
        List.of(new AddElement(new ElementKey(Elements.VIPS, "10.96.1.77"), Optional.empty())));
    var kernel = requireNonNull(plane.read().families().get(Family.IPV4));
    assertThat(kernel.sharedDifferencesFrom(view()))
        .containsExactly(
            "vips: missing 10.96.1.2, 10.96.1.3, 10.96.1.4 and 2 more; not wanted 10.96.1.77");
  }

  @Test // bad input must never reach the library
  void whatNoKernelCanDoIsRefusedWithWords() {
    ports.put(WEB, Views.to(Balancing.RANDOM, "[fd00:244::1]:80"));
    ports.put(OTHER, Views.to(Balancing.RANDOM, "10.244.0.1:70000"));
    var odd = new Frontend(WEB.vip(), Protocol.UDP, 0);
    ports.put(odd, Views.reject());
    plane.apply(view(), Views.at(1));
    assertThat(plane.quarantined())
        .containsExactlyInAnyOrder(
            new Refused(WEB, "target fd00:244::1 is not IPv4 as its VIP is"),
            new Refused(OTHER, "target port 70000 is not within 1..65535"),
            new Refused(odd, "port 0 is not within 1..65535"));
  }

  @Test // (P113)
  void aFailureIsToldAndRepairedByTheNextCall() {
    fill();
    plane.apply(view(), Views.at(1));
    nft.fail(Optional.of("Operation not permitted"));
    ports.put(OTHER, Views.drop());
    var result = plane.apply(view(), Set.of(OTHER), Views.at(2));
    assertThat(result.families().values())
        .allSatisfy(r ->
            assertThat(r)
                .isInstanceOfSatisfying(
                    FamilyResult.Failed.class,
                    f -> assertThat(f.words()).isEqualTo("Operation not permitted")));
    assertThat(plane.position()).contains(Views.at(1));
    assertThat(plane.quarantined()).isEmpty();
    nft.fail(Optional.empty());
    // what the failed call was told about is not repeated: the whole is compared
    assertThat(plane.apply(view(), Set.of(), Views.at(3)).committed()).isTrue();
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
  }

  @Test // (P97)
  void oneFamilyThatFailsDoesNotHoldUpTheOther() {
    fill();
    plane.apply(view(), Views.at(1));
    nft.failFamily(Family.IPV6, Optional.of("no IPv6 here"));
    var result = plane.apply(view(), Views.at(2));
    assertThat(result.families().get(Family.IPV4)).isInstanceOf(FamilyResult.Committed.class);
    assertThat(result.families().get(Family.IPV6)).isInstanceOf(FamilyResult.Failed.class);
    assertThat(plane.position()).as("the lower one").contains(Views.at(1));
  }

  @Test
  void opensWithOneFamilyAndRefusesWithNone() {
    var other = new FakeNft();
    other.failFamily(Family.IPV6, Optional.of("no IPv6 here"));
    try (var half = DataPlane.on(DataPlaneConfig.of("node-a"), time, () -> other)) {
      assertThat(half.apply(view(), Views.at(1)).committed()).isFalse();
      other.failFamily(Family.IPV6, Optional.empty());
      assertThat(half.apply(view(), Views.at(1)).committed()).isTrue();
    }
    other.fail(Optional.of("Operation not permitted"));
    assertThatThrownBy(() -> DataPlane.on(DataPlaneConfig.of("node-a"), time, () -> other))
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining("Operation not permitted");
  }

  @Test // (P110)
  void aDeletedTableIsRestoredByACheckOrTheNextChange() {
    fill();
    plane.apply(view(), Views.at(1));
    nft.flushRuleset();
    plane.check();
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
    nft.flushRuleset();
    ports.put(OTHER, Views.drop());
    assertThat(plane.apply(view(), Set.of(OTHER), Views.at(2)).committed()).isTrue();
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
    assertThat(plane.position()).contains(Views.at(2));
  }

  @Test
  void everyElementThatSomebodyTakesAwayComesBack() {
    fill();
    plane.apply(view(), Views.at(1L << 40));
    for (var family : Family.values()) {
      var contents = nft.read(Layout.of(family)).orElseThrow();
      contents
          .sets()
          .forEach((set, elements) ->
              elements
                  .keySet()
                  .forEach(key -> {
                    nft.deleteElement(family, new ElementKey(set, key));
                    time.advance(Duration.ofSeconds(1));
                    assertThat(plane.check().committed()).isTrue();
                    assertThat(plane.read().differencesFrom(view(), Set.of()))
                        .as(set + " " + key)
                        .isEmpty();
                    assertThat(plane.position()).as(set + " " + key).contains(Views.at(1L << 40));
                  }));
    }
  }

  @Test
  void everyChainThatSomebodyEmptiesComesBack() {
    fill();
    plane.apply(view(), Views.at(1));
    var chains = nft.read(Layout.of(Family.IPV4)).orElseThrow().chains();
    chains
        .keySet()
        .forEach(chain -> {
          nft.flushChain(Family.IPV4, chain);
          time.advance(Duration.ofSeconds(1));
          plane.check();
          assertThat(nft.read(Layout.of(Family.IPV4)).orElseThrow().chains()).isEqualTo(chains);
        });
  }

  @Test
  void nothingIsReadWhileNobodyElseChangesAnything() {
    fill();
    plane.apply(view(), Views.at(1));
    assertThat(plane.check().families()).isEmpty();
    nft.foreignChange();
    assertThat(plane.check().transactions()).isZero();
    assertThat(plane.check().families()).isEmpty();
  }

  @Test
  void affinityMapsAndChainsGoWithTheirFrontends() {
    var empty = names();
    fill();
    plane.apply(view(), Views.at(1));
    assertThat(names()).isNotEqualTo(empty);
    ports.clear();
    plane.apply(view(), Views.at(2));
    // what was left is taken away with the next change that takes effect: packets may have been on
    // their way
    ports.put(WEB, Views.reject());
    plane.apply(view(), Views.at(3));
    assertThat(names()).isEqualTo(empty);
  }

  @Test // an id that came back would send clients to whoever has it now
  void endpointIdsAreNotUsedAgainAlsoAfterARestart() {
    ports.put(
        WEB, Views.sticky(Duration.ofHours(1), Balancing.RANDOM, "10.244.0.1:80", "10.244.0.2:80"));
    plane.apply(view(), Views.at(1));
    var first = ids();
    ports.put(WEB, Views.sticky(Duration.ofHours(1), Balancing.RANDOM, "10.244.0.1:80"));
    plane.apply(view(), Views.at(2));
    plane.close();
    open();
    ports.put(
        WEB, Views.sticky(Duration.ofHours(1), Balancing.RANDOM, "10.244.0.1:80", "10.244.0.2:80"));
    plane.apply(view(), Views.at(3));
    assertThat(ids().get(Views.targets("10.244.0.1:80").getFirst()))
        .isEqualTo(first.get(Views.targets("10.244.0.1:80").getFirst()));
    assertThat(first.values()).doesNotContain(ids().get(Views.targets("10.244.0.2:80").getFirst()));
  }

  @Test // (P115) it cannot come back: what is the same again is a chain of another name
  void aChainThatIsToGoIsNotUsedAgain() {
    var two = Views.to(Balancing.ROUND_ROBIN, "10.244.0.1:80", "10.244.0.2:80");
    ports.put(WEB, two);
    plane.apply(view(), Views.at(1));
    var first = chain(WEB);
    ports.put(
        WEB, Views.to(Balancing.ROUND_ROBIN, "10.244.0.1:80", "10.244.0.2:80", "10.244.0.3:80"));
    plane.apply(view(), Set.of(WEB), Views.at(2));
    assertThat(nft.read(Layout.of(Family.IPV4)).orElseThrow().chains())
        .as("a packet may be on its way to it")
        .containsKey(first);
    ports.put(WEB, two);
    plane.apply(view(), Set.of(WEB), Views.at(3));
    assertThat(chain(WEB)).isNotEqualTo(first);
    assertThat(nft.read(Layout.of(Family.IPV4)).orElseThrow().chains())
        .containsKey(chain(WEB))
        .doesNotContainKey(first);
  }

  private String chain(Frontend frontend) {
    return plane.read().port(frontend).orElseThrow().program().chain();
  }

  @ParameterizedTest // (P117)
  @EnumSource(Balancing.class)
  void oneEndpointIsNotChosenAmongOthers(Balancing balancing) {
    ports.put(WEB, Views.to(balancing, "10.244.0.1:80"));
    plane.apply(view(), Views.at(1));
    assertThat(chain(WEB)).as("shared, without a counter or a table").isEqualTo("random_1");
    assertThat(slots(WEB)).isEqualTo(Views.targets("10.244.0.1:80"));
  }

  @Test // (P102)
  void aThousandChangesAreOneTransactionForEachStep() {
    for (int i = 0; i < 1_000; i++) {
      ports.put(
          Views.tcp("10.96." + (1 + i / 250) + "." + i % 250, 80),
          Views.to(Balancing.RANDOM, "10.244.0.1:80"));
    }
    plane.apply(view(), Views.at(1));
    ports.replaceAll((_, _) -> Views.to(Balancing.RANDOM, "10.244.0.2:80"));
    int before = nft.commits();
    plane.apply(view(), ports.keySet(), Views.at(2));
    // the new Pod is made known, all frontends go over to it at once, the old one is forgotten; and
    // the position of the other family
    assertThat(nft.commits() - before).isEqualTo(4);
    assertThat(plane.read().differencesFrom(view(), Set.of())).isEmpty();
  }

  @Test
  void uninstallLeavesNothing() {
    fill();
    plane.apply(view(), Views.at(1));
    plane.uninstall();
    assertThat(nft.read(Layout.of(Family.IPV4))).isEmpty();
    assertThat(nft.read(Layout.of(Family.IPV6))).isEmpty();
    assertThat(plane.position()).isEmpty();
    assertThat(plane.read().families()).isEmpty();
  }

  @Test
  void callsAfterCloseAreRefused() {
    plane.close();
    assertThatThrownBy(() -> plane.apply(view(), Views.at(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private void fill() {
    ports.put(
        WEB, Views.to(Balancing.ROUND_ROBIN, "10.244.0.1:80", "10.244.0.2:80", "10.244.0.3:80"));
    ports.put(WEB6, Views.to(Balancing.ROUND_ROBIN, "[fd00:244::1]:80", "[fd00:244::2]:80"));
    ports.put(
        OTHER,
        Views.sticky(Duration.ofHours(1), Balancing.RANDOM, "10.244.0.1:80", "10.244.0.2:80"));
    ports.put(
        Views.udp("10.96.0.11", 53), Views.to(Balancing.RANDOM, "10.244.0.1:53", "10.244.0.2:53"));
    ports.put(Views.udp("10.96.0.12", 53), Views.reject());
    ports.put(Views.udp("10.96.0.13", 53), Views.drop());
  }

  private NodeRules view() {
    return Views.view(ports);
  }

  private List<Target> slots(Frontend frontend) {
    return plane.read().port(frontend).orElseThrow().slots();
  }

  private Map<Target, Integer> ids() {
    return plane.read().port(WEB).orElseThrow().ids();
  }

  private Set<String> names() {
    var contents = nft.read(Layout.of(Family.IPV4)).orElseThrow();
    var names = new java.util.TreeSet<>(contents.chains().keySet());
    names.addAll(contents.sets().keySet());
    return names;
  }

  private static String[] targetsWithout(List<Target> targets, Target without) {
    return targets.stream()
        .filter(t -> !t.equals(without))
        .sorted()
        .map(t -> t.address() + ":" + t.port())
        .toArray(String[]::new);
  }
}
