package io.fairlead.decider;

import static io.fairlead.decider.Replicas.S;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.decider.PartitionOwner.Phase;
import io.fairlead.decider.ShopCommand.Reply;
import io.fairlead.etcd.Coordination.ClusterState;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.log.FakeEventLog;
import io.fairlead.eventlog.log.FakeEventLog.AppendFault;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** One partition without whoever shares them out. */
@Timeout(60)
class PartitionOwnerTest {
  private final Replicas replicas = new Replicas();
  private final FakeEventLog log = replicas.kafka.connect();
  private final FakeCoordination etcd = replicas.etcd.client();
  private final Lease lease = etcd.openLease(Duration.ofHours(1), () -> {});
  private final Feed feed = new Feed(log.identity());
  private final Loader loader =
      Loader.start(
          log,
          List.of(S),
          List.of(feed),
          (what, cause) -> replicas.faults.add(what + ": " + cause),
          Time.system());
  private final Parts<ShopCommand, Reply> parts =
      new Parts<>(
          DeciderSettings.of("shop", "a", "a:1", "0.1", List.of(S)),
          log,
          etcd,
          feed,
          new ShopLogic(List.of()),
          (what, cause) -> replicas.faults.add(what + ": " + cause),
          FaultPoints.NONE,
          replicas.time,
          RandomSource.seeded(1),
          new DeciderStats());

  @AfterEach
  void close() {
    loader.close();
    log.close();
    replicas.close();
  }

  private PartitionOwner<ShopCommand, Reply> owner(
      Supplier<Optional<Lease>> session, Runnable onChange) {
    return owner(session, Optional::empty, onChange);
  }

  private PartitionOwner<ShopCommand, Reply> owner(
      Supplier<Optional<Lease>> session,
      Supplier<Optional<ClusterState>> seenEtcd,
      Runnable onChange) {
    var owner =
        new PartitionOwner<>(parts, S, session, Optional::empty, () -> false, seenEtcd, onChange);
    owner.want(true); // first: else its thread may ask for the session before it is to own
    owner.start();
    return owner;
  }

  @Test
  void aSessionThatEndsAtAnyMomentIsNoFault() {
    var asked = new AtomicInteger();
    // there when first asked for, and gone at once
    var owner =
        owner(() -> asked.getAndIncrement() == 0 ? Optional.of(lease) : Optional.empty(), () -> {});
    Replicas.awaitStill("serves", () -> owner.phase() == Phase.SERVING);
    assertThat(replicas.faults).isEmpty();
    owner.close();
  }

  @Test
  void nobodySeesTheKeyGoneWhileItSeemsToServeOrToBeFit() {
    var seen = new CopyOnWriteArrayList<String>();
    var self = new CompletableFuture<PartitionOwner<ShopCommand, Reply>>();
    var owner =
        owner(
            () -> Optional.of(lease),
            () -> {
              if (etcd.owner(S).isEmpty()) {
                var now = self.join();
                seen.add(now.phase() + (now.unfitUntilNanos().isPresent() ? " unfit" : " fit"));
              }
            });
    self.complete(owner);
    Replicas.awaitStill("serves", () -> owner.phase() == Phase.SERVING);
    replicas.kafka.cutOff(log);
    assertThat(Replicas.reason(ask(owner))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    replicas.await(
        "gives up",
        () -> {
          owner.wake();
          return owner.phase() == Phase.IDLE;
        });
    assertThat(seen).contains("LETTING_GO unfit").doesNotContain("SERVING fit", "SERVING unfit");
    assertThat(seen).allMatch(state -> state.endsWith(" unfit"));
    owner.close();
  }

  /**
   * As of a look at etcd that began before it was told to: it would take over the key it gave up.
   */
  @Test
  void whoeverLetsGoForGoodDoesNotFollowAWishThatComesLate() {
    var asked = new AtomicInteger();
    var self = new CompletableFuture<PartitionOwner<ShopCommand, Reply>>();
    var owner =
        owner(
            () -> {
              asked.incrementAndGet();
              return Optional.of(lease);
            },
            () -> {
              if (self.join().phase() == Phase.LETTING_GO) {
                self.join().want(true);
              }
            });
    self.complete(owner);
    Replicas.awaitStill("serves", () -> owner.phase() == Phase.SERVING);
    int before = asked.get();
    owner.letGoForGood();
    Replicas.awaitStill("looks what to do next", () -> asked.get() > before);
    owner.close();
    assertThat(parts.stats().takeovers.sum()).isEqualTo(1);
    assertThat(etcd.owner(S)).isEmpty();
  }

  /** Also where they are so rare that the log has answered between them. */
  @ParameterizedTest
  @EnumSource(
      value = AppendFault.class,
      names = {"REFUSED", "UNKNOWN_NOT_WRITTEN"})
  void anOwnerWhoseAppendsAllFailLetsGoThoughTheLogAnswers(AppendFault fault) {
    var owner = owner(() -> Optional.of(lease), () -> {});
    Replicas.awaitStill("serves", () -> owner.phase() == Phase.SERVING);
    for (int i = 0; i < CommitHealth.MOST_IN_A_ROW; i++) {
      Replicas.awaitStill("serves again, or still", () -> owner.phase() == Phase.SERVING);
      replicas.time.advance(Duration.ofSeconds(10));
      log.failNextAppend(fault);
      assertThat(ask(owner)).isInstanceOf(Answer.Unavailable.class);
    }
    Replicas.awaitStill("gives up", () -> owner.unfitUntilNanos().isPresent());
    Replicas.awaitStill("lets go", () -> etcd.owner(S).isEmpty());
    assertThat(replicas.faults).isEmpty();
    owner.close();
  }

  /** Else nobody could take the partition over: the key stays as long as its replica lives. */
  @Test
  void whoIsToLetGoWhileAnOutcomeIsUnknownDeletesItsKey() {
    var answer = new CompletableFuture<Answer<Reply>>();
    var self = new CompletableFuture<PartitionOwner<ShopCommand, Reply>>();
    var owner =
        owner(
            () -> {
              if (answer.isDone()) { // answered; what follows is the next take-over
                self.join().want(false);
              }
              return Optional.of(lease);
            },
            () -> {});
    self.complete(owner);
    Replicas.awaitStill("serves", () -> owner.phase() == Phase.SERVING);
    log.failNextAppend(AppendFault.UNKNOWN_NOT_WRITTEN);
    owner.submit(request(answer));
    assertThat(Replicas.reason(Replicas.get(answer))).isEqualTo(Answer.Reason.OUTCOME_UNKNOWN);
    Replicas.awaitStill("lets go", () -> owner.phase() == Phase.IDLE);
    assertThat(etcd.owner(S)).isEmpty();
    assertThat(owner.held()).isEmpty();
    owner.close();
  }

  /** The key may be there again, but not what was claimed under it since the backup. */
  @ParameterizedTest
  @MethodSource("etcdsSeen")
  void whoLetsGoOfAnEtcdThatWasRestoredLeavesNothing(ClusterState seen, boolean leaves) {
    var owner = owner(() -> Optional.of(lease), () -> Optional.of(seen), () -> {});
    Replicas.awaitStill("serves", () -> owner.phase() == Phase.SERVING);
    owner.want(false);
    Replicas.awaitStill("lets go", () -> owner.phase() == Phase.IDLE);
    assertThat(etcd.owner(S)).isEmpty();
    var taken = etcd.takeOwnership(S, "b", "b:1", new UUID(0, 2), lease).orElseThrow();
    assertThat(taken.settled().isPresent()).isEqualTo(leaves);
    owner.close();
  }

  static Stream<Arguments> etcdsSeen() {
    return Stream.of(
        Arguments.of(new ClusterState("fake-1", 1), true),
        Arguments.of(new ClusterState("fake-1", 1_000_000), false),
        Arguments.of(new ClusterState("fake-0", 1), false));
  }

  private static Answer<Reply> ask(PartitionOwner<ShopCommand, Reply> owner) {
    var answer = new CompletableFuture<Answer<Reply>>();
    owner.submit(request(answer));
    return Replicas.get(answer);
  }

  private static Pending.Ask<ShopCommand, Reply> request(CompletableFuture<Answer<Reply>> answer) {
    return new Pending.Ask<>(
        Request.internal("user:alice", ShopCommand.headless("web"), "test"), answer, 0);
  }
}
