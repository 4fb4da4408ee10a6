package io.fairlead.decider;

import static io.fairlead.decider.Replicas.S;
import static io.fairlead.decider.Replicas.awaitStill;
import static io.fairlead.decider.Replicas.get;
import static io.fairlead.decider.Replicas.reason;
import static io.fairlead.decider.Replicas.reply;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.decide.Refusal;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEvent;
import io.fairlead.decider.Replicas.Replica;
import io.fairlead.decider.ShopCommand.Find;
import io.fairlead.decider.ShopCommand.Reply;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.log.FakeEventLog.AppendFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GroupCommitTest {
  /** What nobody knows of is put right in that time; periodically only after 30 s. */
  private static final Duration SOON = Duration.ofSeconds(10);

  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
  }

  /** Answers nothing until commits are shown: what is submitted meanwhile becomes one batch. */
  private CompletableFuture<Answer<Reply>> busy(Replica a) {
    long before = a.owners.stats().records.sum();
    replicas.kafka.hideCommits();
    var first = a.submit("busy", ShopCommand.headless("busy"));
    awaitStill("appended", () -> a.owners.stats().records.sum() > before);
    return first;
  }

  @Test
  void answersWhenTheOwnFollowerHasDeliveredTheRecord() {
    var a = replicas.owner("a");
    var busy = busy(a);
    assertThat(busy).isNotDone();
    assertThat(a.feed.current().image().services().all()).isEmpty();
    replicas.kafka.showCommits();
    var answer = get(busy);
    var stored = replicas.kafka.committed(S).getLast();
    assertThat(reply(answer).version()).isEqualTo(stored.offset());
    assertThat(((Answer.Decided<?>) answer).position().of(S)).isGreaterThan(stored.offset());
    assertThat(a.feed.current().image().services().all()).hasSize(1);
  }

  @Test
  void everythingThatArrivedMeanwhileIsOneTransactionAndOneClaim() {
    var a = replicas.owner("a");
    var _ = busy(a);
    long batches = a.owners.stats().batches.sum();
    int claimCalls = a.coordination.claimCalls();
    var answers = new ArrayList<CompletableFuture<Answer<Reply>>>();
    for (int i = 0; i < 40; i++) {
      answers.add(a.submit("id-" + i, ShopCommand.any("svc-" + i)));
    }
    replicas.kafka.showCommits();
    var addresses = new HashSet<Address>();
    for (var answer : answers) {
      var reply = reply(get(answer));
      assertThat(reply.what()).isEqualTo("created");
      addresses.add(reply.address().orElseThrow());
    }
    assertThat(addresses).hasSize(40);
    assertThat(a.owners.stats().batches.sum() - batches).isEqualTo(1);
    assertThat(a.coordination.claimCalls() - claimCalls).isEqualTo(1);
    assertThat(replicas.claims()).hasSize(40);
  }

  @Test
  void doesNotDecideWhatNobodyWaitsForAnyMore() {
    var a = replicas.owner("a");
    var _ = busy(a);
    var given = a.submit("1", ShopCommand.any("given-up"));
    var wanted = a.submit("2", ShopCommand.any("wanted"));
    given.cancel(false);
    replicas.kafka.showCommits();
    assertThat(reply(get(wanted)).what()).isEqualTo("created");
    assertThat(a.feed.current().image().services().get(TestObjects.name("given-up"))).isEmpty();
    assertThat(replicas.claims()).hasSize(1).containsValue("wanted");
    assertThat(a.owners.stats().withdrawn.sum()).isEqualTo(1);
    // nothing is remembered of it: asked again it is decided
    assertThat(reply(get(a.submit("1", ShopCommand.any("given-up")))).what()).isEqualTo("created");
  }

  @Test
  void tellsWhatTheTimeOfRequestsGoesInto() {
    var a = replicas.owner("a");
    var phases = new java.util.concurrent.ConcurrentLinkedQueue<Phase>();
    a.owners
        .stats()
        .onPhase((phase, nanos) -> {
          assertThat(nanos).isNotNegative();
          phases.add(phase);
        });
    assertThat(reply(get(a.submit("1", ShopCommand.any("web")))).what()).isEqualTo("created");
    awaitStill("told", () -> phases.contains(Phase.ANSWER)); // measured when all are answered
    assertThat(phases)
        .containsExactly(
            Phase.QUEUE, Phase.DECIDE, Phase.CLAIM, Phase.APPEND, Phase.DELIVER, Phase.ANSWER);
    phases.clear();
    assertThat(reply(get(a.submit("2", new Find("web")))).what()).isEqualTo("found");
    awaitStill("told", () -> phases.contains(Phase.ANSWER));
    assertThat(phases).containsExactly(Phase.QUEUE, Phase.DECIDE, Phase.CONFIRM, Phase.ANSWER);
    phases.clear();
    assertThat(reply(get(a.submit("3", new ShopCommand.Delete("web")))).what())
        .isEqualTo("deleted");
    awaitStill("told", () -> phases.contains(Phase.ANSWER));
    assertThat(phases)
        .containsExactly(
            Phase.QUEUE, Phase.DECIDE, Phase.APPEND, Phase.DELIVER, Phase.FREE, Phase.ANSWER);
  }

  @Test
  void decidesOneAfterAnotherOnWhatTheOnesBeforeWillWrite() {
    var a = replicas.owner("a");
    var _ = busy(a);
    var created = a.submit("1", ShopCommand.any("web"));
    var refused = a.submit("2", ShopCommand.any("web"));
    var found = a.submit("3", new Find("web"));
    var deleted = a.submit("4", new ShopCommand.Delete("web"));
    var again = a.submit("5", ShopCommand.any("web"));
    replicas.kafka.showCommits();
    assertThat(reply(get(created)).what()).isEqualTo("created");
    assertThat(reply(get(refused)).what()).isEqualTo("name taken");
    assertThat(reply(get(found)))
        .isEqualTo(new Reply("found", "web", reply(get(created)).address(), 0)); // still pending
    assertThat(reply(get(deleted)).what()).isEqualTo("deleted");
    assertThat(reply(get(again)).what()).isEqualTo("created");
    assertThat(replicas.claims()).hasSize(1).containsValue("web");
    var last = a.feed.current().image().services().get(TestObjects.name("web"));
    assertThat(last.orElseThrow().offset()).isEqualTo(reply(get(again)).version());
    try (var client = replicas.etcd.client()) { // the claim is the living one's
      assertThat(client.claims().values().iterator().next().uid())
          .isEqualTo(last.orElseThrow().object().uid());
    }
  }

  @Test
  void envelopesSayWhoAskedForWhatAndWhen() {
    var a = replicas.owner("a");
    var request =
        new Request<ShopCommand>(
            "user:carol",
            Optional.of(new RequestStamp("id-1", Replicas.hash("x"))),
            ShopCommand.headless("web"),
            Optional.of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            Optional.of("test"));
    assertThat(reply(get(a.owners.submit(S, request))).what()).isEqualTo("created");
    var envelope = ((LogEvent.Stored) replicas.events().getLast()).envelope();
    assertThat(envelope.actor()).isEqualTo("user:carol");
    assertThat(envelope.request()).isEqualTo(request.stamp());
    assertThat(envelope.traceparent()).isEqualTo(request.traceparent());
    assertThat(envelope.cause()).contains("test");
    assertThat(envelope.eventId().version()).isEqualTo(7);
    assertThat(envelope.accepted())
        .isBetween(replicas.time.now().minusSeconds(60), replicas.time.now());
  }

  /**
   * B12: there are no finalizers, so that nothing is pending. The address is free when the deletion
   * is answered, and not before it is in the log.
   */
  @Test
  void aRemovalIsARecordAndATombstoneAndFreesTheAddressBeforeItIsAnswered() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    assertThat(replicas.claims()).containsOnlyKeys(Address.of("10.96.0.10"));
    assertThat(a.decided("2", new ShopCommand.Delete("web")).what()).isEqualTo("deleted");
    assertThat(replicas.claims()).isEmpty();
    var events = replicas.events();
    assertThat(events.get(1)).isInstanceOf(LogEvent.Deleted.class);
    assertThat(events.get(2)).isInstanceOf(LogEvent.Tombstone.class);
    assertThat(events.get(2).key()).isEqualTo(events.get(1).key());
    assertThat(a.feed.current().image().services().all()).isEmpty();
  }

  // --- claims

  @Test
  void aStaticAddressOfALivingServiceIsRefusedWithItsHolder() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    assertThat(a.decided("2", ShopCommand.at("db", "10.96.0.10")).what())
        .isEqualTo("address taken");
    assertThat(replicas.stored()).containsExactly("web");
    assertThat(a.owners.stats().claimConflicts.sum()).isEqualTo(1);
  }

  @Test
  void anAddressThatIsGivenUpAndTakenBackInOneBatchStaysClaimed() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    var _ = busy(a);
    var none = a.submit("2", new ShopCommand.Readdress("web", new ShopCommand.Vip.None()));
    var back =
        a.submit(
            "3",
            new ShopCommand.Readdress("web", new ShopCommand.Vip.Of(Address.of("10.96.0.10"))));
    replicas.kafka.showCommits();
    assertThat(reply(get(none)).what()).isEqualTo("readdressed");
    assertThat(reply(get(back)).address()).contains(Address.of("10.96.0.10"));
    assertThat(replicas.claims()).isEqualTo(Map.of(Address.of("10.96.0.10"), "web"));
  }

  @Test
  void aBatchThatCameToNothingFreesNothingThatAServiceHad() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    a.log.failNextAppend(AppendFault.REFUSED);
    var same = new ShopCommand.Readdress("web", new ShopCommand.Vip.Of(Address.of("10.96.0.10")));
    assertThat(reason(a.ask("2", same))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    assertThat(replicas.claims()).isEqualTo(Map.of(Address.of("10.96.0.10"), "web"));
  }

  @Test
  void anAddressThatIsGivenUpIsFreed() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    a.decided("2", new ShopCommand.Readdress("web", new ShopCommand.Vip.None()));
    assertThat(replicas.claims()).isEmpty();
    a.decided(
        "3", new ShopCommand.Readdress("web", new ShopCommand.Vip.Of(Address.of("10.96.0.11"))));
    assertThat(replicas.claims()).isEqualTo(Map.of(Address.of("10.96.0.11"), "web"));
  }

  @Test
  void onlyTheOneThatLostItsClaimIsDecidedDifferently() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    var _ = busy(a);
    var before = a.submit("2", ShopCommand.any("before"));
    var loser = a.submit("3", ShopCommand.at("loser", "10.96.0.10"));
    var blocked = a.submit("4", new Find("loser"));
    var after = a.submit("5", ShopCommand.any("after"));
    replicas.kafka.showCommits();
    assertThat(reply(get(before)).what()).isEqualTo("created");
    assertThat(reply(get(loser)).what()).isEqualTo("address taken");
    assertThat(reply(get(blocked)).what()).isEqualTo("not found");
    assertThat(reply(get(after)).what()).isEqualTo("created");
    assertThat(replicas.stored()).containsExactly("web", "busy", "before", "after");
    assertThat(replicas.claims().values()).containsExactlyInAnyOrder("web", "before", "after");
  }

  /** The address of a Service that goes in the same batch is free only when it is gone. */
  @Test
  void aPickThatLosesItsClaimIsMadeAgain() {
    var a = replicas.owner("a");
    var first = a.decided("1", ShopCommand.any("web")).address().orElseThrow();
    var _ = busy(a);
    var deleted = a.submit("2", new ShopCommand.Delete("web"));
    var picks = a.submit("3", ShopCommand.any("db"));
    replicas.kafka.showCommits();
    assertThat(reply(get(deleted)).what()).isEqualTo("deleted");
    var second = reply(get(picks));
    assertThat(second.what()).isEqualTo("created");
    assertThat(second.address().orElseThrow()).isNotEqualTo(first);
    assertThat(replicas.claims()).isEqualTo(Map.of(second.address().orElseThrow(), "db"));
    assertThat(a.owners.stats().claimConflicts.sum()).isEqualTo(1);
  }

  /** Freed before its record is there, an address could be given out twice. */
  @Test
  void aDeletionThatFailsFreesNothing() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(reason(a.ask("2", new ShopCommand.Delete("web"))))
        .isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    a.log.failNextAppend(AppendFault.UNKNOWN_NOT_WRITTEN);
    assertThat(reason(a.ask("3", new ShopCommand.Delete("web"))))
        .isEqualTo(Answer.Reason.OUTCOME_UNKNOWN);
    assertThat(replicas.claims()).isEqualTo(Map.of(Address.of("10.96.0.10"), "web"));
    assertThat(a.owners.stats().claimsRestored.sum()).isZero();
  }

  @Test
  void aClaimThatACrashLeftIsReplaced() {
    var a = replicas.owner("a");
    replicas.leaveClaim("10.96.0.10", "crashed");
    assertThat(a.decided("1", ShopCommand.at("web", "10.96.0.10")).what()).isEqualTo("created");
    assertThat(replicas.claims()).isEqualTo(Map.of(Address.of("10.96.0.10"), "web"));
  }

  @Test
  void withEtcdAwayOnlyWritesThatNeedNoClaimGoOn() {
    var a = replicas.owner("a");
    a.decided("0", ShopCommand.headless("zero"));
    replicas.etcd.down();
    assertThat(a.decided("1", ShopCommand.headless("one")).what()).isEqualTo("created");
    assertThat(reason(a.ask("2", ShopCommand.any("two"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    assertThat(reason(a.ask("3", new Find("one")))).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    assertThat(reason(a.ask("4", ShopCommand.headless("one")))) // name taken, unconfirmed
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    assertThat(reason(get(a.owners.confirm(S)))).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    busyMixed(a);
    assertThat(replicas.stored()).containsExactly("zero", "one", "busy", "four");
  }

  private void busyMixed(Replica a) {
    var _ = busy(a);
    var needsClaim = a.submit("5", ShopCommand.any("three"));
    var goesOn = a.submit("6", ShopCommand.headless("four"));
    replicas.kafka.showCommits();
    assertThat(reason(get(needsClaim))).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    assertThat(reply(get(goesOn)).what()).isEqualTo("created");
  }

  @Test
  void aLostAnswerOfAClaimLeaksNothing() {
    var a = replicas.owner("a");
    a.coordination.loseAnswers(1);
    assertThat(reason(a.ask("1", ShopCommand.at("web", "10.96.0.10"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    replicas.awaitWithin(SOON, "freed", () -> replicas.claims().isEmpty());
    assertThat(a.decided("1", ShopCommand.at("web", "10.96.0.10")).what()).isEqualTo("created");
  }

  /** What etcd did not answer it may carry out later, when the first reconciliation is over. */
  @Test
  void aClaimThatIsMadeLateLeaksNothing() {
    var a = replicas.owner("a");
    a.coordination.loseAnswers(1);
    assertThat(reason(a.ask("1", ShopCommand.at("web", "10.96.0.10"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    replicas.awaitWithin(SOON, "freed", () -> replicas.claims().isEmpty());
    replicas.leaveClaim("10.96.0.10", "web");
    replicas.awaitWithin(SOON, "freed again", () -> replicas.claims().isEmpty());
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(1);
  }

  @Test
  void claimsThatBrokeOffInTheMiddleLeakNothing() {
    var a = replicas.owner("a");
    var _ = busy(a);
    var answers = new ArrayList<CompletableFuture<Answer<Reply>>>();
    for (int i = 0; i < 5; i++) {
      answers.add(a.submit("id-" + i, ShopCommand.any("svc-" + i)));
    }
    a.coordination.breakClaimsAfter(3);
    a.coordination.failListings(2); // nor does it count that reconciliation fails at first
    replicas.kafka.showCommits();
    answers.forEach(
        answer -> assertThat(reason(get(answer))).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE));
    replicas.awaitWithin(SOON, "freed", () -> replicas.claims().isEmpty());
    assertThat(a.decided("id-0", ShopCommand.any("svc-0")).what()).isEqualTo("created");
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(1);
  }

  @Test
  void aFailedReconciliationStaysDue() {
    var a = replicas.owner("a");
    a.coordination.failListings(3);
    a.coordination.loseAnswers(1);
    assertThat(reason(a.ask("1", ShopCommand.at("web", "10.96.0.10"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    replicas.awaitWithin(SOON, "freed", () -> replicas.claims().isEmpty());
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(1);
  }

  // --- commits that fail

  @Test
  void afterAnUnknownOutcomeTheWholeTakeoverIsDoneAgainAndTheRetryFindsItsAnswer() {
    var a = replicas.owner("a");
    a.log.failNextAppend(AppendFault.UNKNOWN_WRITTEN);
    assertThat(reason(a.ask("1", ShopCommand.any("web")))).isEqualTo(Answer.Reason.OUTCOME_UNKNOWN);
    var again = retry(a, "1", ShopCommand.any("web"));
    assertThat(again.what()).isEqualTo("created");
    assertThat(again.version()).isEqualTo(replicas.kafka.committed(S).getLast().offset());
    assertThat(replicas.stored()).containsExactly("web");
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(2);
    assertThat(replicas.claims()).hasSize(1);
  }

  @Test
  void anUnknownOutcomeThatWasNothingIsDecidedAnewByTheRetry() {
    var a = replicas.owner("a");
    a.log.failNextAppend(AppendFault.UNKNOWN_NOT_WRITTEN);
    assertThat(reason(a.ask("1", ShopCommand.at("web", "10.96.0.10"))))
        .isEqualTo(Answer.Reason.OUTCOME_UNKNOWN);
    assertThat(retry(a, "1", ShopCommand.at("web", "10.96.0.10")).what()).isEqualTo("created");
    assertThat(replicas.stored()).containsExactly("web");
    assertThat(replicas.claims()).hasSize(1);
  }

  private Reply retry(Replica a, String id, ShopCommand command) {
    var decided = new ArrayList<Reply>();
    replicas.await(
        "decided",
        () -> {
          if (a.ask(id, command) instanceof Answer.Decided<Reply>(var reply, _)) {
            decided.add(reply);
          }
          return !decided.isEmpty();
        });
    return decided.getFirst();
  }

  @Test
  void anOwnerThatIsFencedThoughTheKeyIsItsOwnTakesOverAgain() {
    var a = replicas.owner("a");
    try (var stranger = replicas.kafka.connect();
        var _ = stranger.openAppender(S)) {
      assertThat(a.ask("1", ShopCommand.any("web"))).isInstanceOf(Answer.NotOwner.class);
      awaitStill("taken over again", () -> a.owners.stats().takeovers.sum() == 2);
      awaitStill("serves", () -> a.serves(S));
      assertThat(a.decided("1", ShopCommand.any("web")).what()).isEqualTo("created");
    }
    assertThat(replicas.stored()).containsExactly("web");
    assertThat(replicas.claims()).hasSize(1);
  }

  /** What waits behind it is decided on the log as it turns out to be. */
  @Test
  void whatWaitsBehindAnUnknownOutcomeIsDecidedAfterTheNextTakeover() {
    var a = replicas.owner("a");
    var busy = busy(a);
    a.log.failNextAppend(AppendFault.UNKNOWN_WRITTEN);
    var unknown = a.submit("1", ShopCommand.at("web", "10.96.0.10"));
    replicas.kafka.showCommits();
    assertThat(reply(get(busy)).what()).isEqualTo("created");
    assertThat(reason(get(unknown))).isEqualTo(Answer.Reason.OUTCOME_UNKNOWN);
    var waiting = a.submit("2", ShopCommand.at("db", "10.96.0.10"));
    var again = a.submit("1", ShopCommand.at("web", "10.96.0.10"));
    assertThat(reply(get(again)).what()).isEqualTo("created");
    assertThat(reply(get(waiting)).what()).isEqualTo("address taken");
    assertThat(replicas.stored()).containsExactly("busy", "web");
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(2);
  }

  @Test
  void aRefusedCommitIsNothingAndTheNextOneWorks() {
    var a = replicas.owner("a");
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(reason(a.ask("1", ShopCommand.any("web")))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    assertThat(replicas.claims()).isEmpty();
    assertThat(a.decided("1", ShopCommand.any("web")).what()).isEqualTo("created");
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(1);
  }

  @Test
  void anOwnerThatCannotCommitForThreeSecondsMakesRoomForAnother() {
    var a = replicas.owner("a");
    var b = replicas.startModest("b");
    replicas.awaitReady(b);
    assertThat(a.serves(S)).isTrue();
    replicas.kafka.cutOff(a.log);
    assertThat(reason(a.ask("1", ShopCommand.any("web")))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    replicas.time.advance(Duration.ofMillis(2900));
    assertThat(a.serves(S)).isTrue();
    // without another request: it asks by itself whether the log is back
    replicas.await("the other serves", () -> b.serves(S));
    assertThat(a.serves(S)).isFalse();
    assertThat(b.decided("1", ShopCommand.any("web")).what()).isEqualTo("created");
    for (int i = 0; i < 30; i++) { // it does not come back while it cannot reach the log
      replicas.time.advance(Duration.ofSeconds(1));
      int looks = a.coordination.looks();
      replicas.await("looked", () -> a.coordination.looks() > looks);
      assertThat(a.owners.serving()).isEmpty();
    }
    assertThat(b.owners.stats().takeovers.sum()).isEqualTo(1);
    assertThat(b.serves(S)).isTrue();
    assertThat(replicas.claims()).hasSize(1);
  }

  @Test
  void timeInWhichNobodyAskedForAnythingIsNoReasonToGiveUp() {
    var a = replicas.owner("a");
    var key = a.coordination.owner(S);
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(reason(a.ask("1", ShopCommand.any("web")))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    for (int i = 0; i < 20; i++) {
      replicas.time.advance(Duration.ofSeconds(1));
      int looks = a.coordination.looks();
      replicas.await("looked", () -> a.coordination.looks() > looks);
      assertThat(a.serves(S)).isTrue();
    }
    assertThat(a.coordination.owner(S)).isEqualTo(key);
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(reason(a.ask("2", ShopCommand.any("web")))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    assertThat(a.decided("3", ShopCommand.any("web")).what()).isEqualTo("created");
    assertThat(a.coordination.owner(S)).isEqualTo(key);
    assertThat(a.owners.stats().takeovers.sum()).isEqualTo(1);
  }

  @Test
  void anObjectThatIsTooLargeIsRefusedBeforeAnythingIsClaimed() {
    var a = replicas.owner("a");
    int claimCalls = a.coordination.claimCalls();
    var answer = a.ask("1", new ShopCommand.Bulky("web", 256 * 1024));
    assertThat(answer)
        .isInstanceOfSatisfying(
            Answer.Invalid.class,
            answered -> {
              var invalid = (Refusal.Invalid) answered.refusal();
              assertThat(invalid.object().name()).isEqualTo("web");
              assertThat(invalid.violations())
                  .singleElement()
                  .asString()
                  .matches("object: .*: takes 262\\d{3} bytes in the log, must be at most 262144");
            });
    assertThat(a.coordination.claimCalls()).isEqualTo(claimCalls);
    assertThat(replicas.stored()).isEmpty();
    assertThat(a.decided("2", new ShopCommand.Bulky("web", 255 * 1024)).what())
        .isEqualTo("created");
  }

  @Test
  void whatIsAboveTheFeatureLevelIsRefusedBeforeAnythingIsClaimedAndTakenAfterTheRaise() {
    replicas.withLevels(
        new FeatureLevels(
            2,
            object ->
                object instanceof Service service && service.name().name().startsWith("new")
                    ? 2
                    : 1));
    var a = replicas.owner("a");
    int claimCalls = a.coordination.claimCalls();
    assertThat(a.ask("1", ShopCommand.any("new-1")))
        .isEqualTo(
            new Answer.Invalid<>(
                new Refusal.AboveFeatureLevel(
                    ObjectKey.of(Kind.SERVICE, TestObjects.name("new-1")), 2, 1)));
    assertThat(a.coordination.claimCalls()).isEqualTo(claimCalls);
    assertThat(replicas.stored()).isEmpty();
    assertThat(a.decided("2", ShopCommand.any("old")).what()).isEqualTo("created");

    // also in one transaction with the raise, behind it
    var _ = busy(a);
    var before = a.submit("3", ShopCommand.any("new-2"));
    var raise = a.submit("4", new ShopCommand.Raise(2));
    var after = a.submit("5", ShopCommand.any("new-3"));
    replicas.kafka.showCommits();
    assertThat(get(before)).isInstanceOf(Answer.Invalid.class);
    assertThat(reply(get(raise)).what()).isEqualTo("raised");
    assertThat(reply(get(after)).what()).isEqualTo("created");
    assertThat(a.feed.current().image().featureLevel()).isEqualTo(2);
    assertThat(a.coordination.members("shop").values())
        .extracting(Coordination.Member::featureLevel)
        .containsExactly(2);
  }

  @Test
  void anObjectThatIsTooLargeFailsAloneAndTheNextOnesDoNotSeeIt() {
    var a = replicas.owner("a");
    var _ = busy(a);
    var before = a.submit("1", ShopCommand.any("before"));
    var large = a.submit("2", new ShopCommand.Bulky("large", 300_000));
    var find = a.submit("3", new Find("large"));
    var after = a.submit("4", ShopCommand.any("after"));
    replicas.kafka.showCommits();
    assertThat(reply(get(before)).what()).isEqualTo("created");
    assertThat(get(large)).isInstanceOf(Answer.Invalid.class);
    assertThat(reply(get(find)).what()).isEqualTo("not found");
    assertThat(reply(get(after)).what()).isEqualTo("created");
    assertThat(replicas.claims().values()).containsExactlyInAnyOrder("before", "after");
  }

  @Test
  void aRequestThatTheLogRefusesFailsAlone() {
    var a = replicas.owner("a");
    var _ = busy(a);
    var good = a.submit("1", ShopCommand.any("good"));
    var bad = a.submit("2", new ShopCommand.Misplace("bad"));
    var alsoGood = a.submit("3", ShopCommand.any("also-good"));
    var reading = a.submit("4", new Find("good"));
    replicas.kafka.showCommits();
    assertThat(reply(get(good)).what()).isEqualTo("created");
    assertThat(reply(get(alsoGood)).what()).isEqualTo("created");
    assertThat(reply(get(reading)).what()).isEqualTo("found");
    assertThatThrownBy(() -> bad.get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IllegalArgumentException.class);
    assertThat(replicas.stored()).containsExactly("busy", "good", "also-good");
    assertThat(replicas.claims().values()).containsExactlyInAnyOrder("good", "also-good");
  }

  @Test
  void aBugInTheLogicIsAFaultOfThatRequestOnly() {
    var a = replicas.owner("a");
    assertThatThrownBy(() -> a.submit("1", new ShopCommand.Explode()).get(20, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("a bug");
    assertThat(replicas.faults).singleElement().asString().contains("a bug");
    assertThat(a.decided("2", ShopCommand.any("web")).what()).isEqualTo("created");
  }

  // --- answers that write nothing

  @Test
  void anOwnerThatWasReplacedDoesNotAnswerFromItsOldImage() {
    var a = replicas.owner("a");
    a.coordination.cutOff();
    var b = replicas.startEager("b"); // which does not hand it back
    replicas.await("b serves", () -> b.serves(S));
    b.decided("1", ShopCommand.headless("web"));
    assertThat(a.serves(S)).isTrue();
    Replicas.awaitStill(
        "a has read it, too", () -> a.feed.current().image().services().all().size() == 1);
    assertThat(reason(a.ask("2", new Find("web")))).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    a.coordination.reconnect();
    assertThat(a.ask("3", new Find("web"))).isInstanceOf(Answer.NotOwner.class);
  }

  @Test
  void withTheLogAwayNothingIsConfirmed() {
    var a = replicas.owner("a");
    replicas.kafka.cutOff(a.log);
    assertThat(reason(a.ask("1", new Find("web")))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
    assertThat(reason(get(a.owners.confirm(S)))).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
  }

  /** Who repeats it may be told by an owner that was replaced. */
  @Test
  void whatIsRememberedIsConfirmedToo() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.headless("web"));
    replicas.etcd.down();
    assertThat(reason(a.ask("1", ShopCommand.headless("web"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    assertThat(reason(a.ask("1", ShopCommand.headless("db"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
  }

  @Test
  void aConfirmationHoldsEverythingThatWasConfirmedBefore() {
    var a = replicas.owner("a");
    var version = a.decided("1", ShopCommand.any("web")).version();
    var confirmed = get(a.owners.confirm(S));
    assertThat(confirmed).isInstanceOf(Answer.Decided.class);
    var state = ((Answer.Decided<Decider.Confirmed>) confirmed).reply();
    assertThat(state.position().of(S)).isGreaterThan(version);
    assertThat(state.image().services().all()).hasSize(1);
  }

  @Test
  void manyReadsShareOneConfirmation() {
    var a = replicas.owner("a");
    var _ = busy(a);
    long before = a.owners.stats().confirmations.sum();
    var reads = new ArrayList<CompletableFuture<Answer<Reply>>>();
    for (int i = 0; i < 50; i++) {
      reads.add(a.submit("id-" + i, new Find("busy")));
    }
    replicas.kafka.showCommits();
    reads.forEach(read -> assertThat(reply(get(read)).what()).isEqualTo("found"));
    assertThat(a.owners.stats().confirmations.sum() - before).isEqualTo(1);
  }

  // --- requests that come again

  @Test
  void aRequestThatComesAgainGetsTheSameAnswerAlsoFromTheNextOwner() {
    var a = replicas.owner("a");
    var first = a.decided("1", ShopCommand.any("web"));
    assertThat(a.decided("1", ShopCommand.any("web"))).isEqualTo(first);
    a.decided("2", new ShopCommand.Delete("web"));
    assertThat(a.decided("1", ShopCommand.any("web"))).isEqualTo(first);
    a.crash();
    var b = replicas.start("b");
    replicas.await("b serves", () -> b.serves(S));
    assertThat(b.decided("1", ShopCommand.any("web"))).isEqualTo(first);
    assertThat(replicas.stored()).containsExactly("web");
  }

  @Test
  void theSameIdForSomethingElseIsRefused() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.any("web"));
    assertThat(a.ask("1", ShopCommand.any("db"))).isEqualTo(new Answer.PayloadDiffers<>("1"));
    var other =
        Request.of(
            "user:bob",
            new RequestStamp("1", Replicas.hash(ShopCommand.any("db"))),
            (ShopCommand) ShopCommand.any("db"));
    assertThat(reply(get(a.owners.submit(S, other))).what()).isEqualTo("created");
  }

  @Test
  void theSameRequestTwiceInOneBatchIsDecidedOnce() {
    var a = replicas.owner("a");
    var _ = busy(a);
    var one = a.submit("1", ShopCommand.any("web"));
    var two = a.submit("1", ShopCommand.any("web"));
    var differs = a.submit("1", ShopCommand.any("db"));
    replicas.kafka.showCommits();
    assertThat(reply(get(one)).what()).isEqualTo("created");
    assertThat(get(two)).isEqualTo(get(one));
    assertThat(get(differs)).isEqualTo(new Answer.PayloadDiffers<>("1"));
    assertThat(replicas.stored()).containsExactly("busy", "web");
  }

  @Test
  void afterAnHourOfLogTimeARequestIsForgotten() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.any("web"));
    replicas.time.advance(Duration.ofMinutes(59));
    a.decided("2", ShopCommand.headless("later"));
    assertThat(a.decided("1", ShopCommand.any("web")).what()).isEqualTo("created");
    replicas.time.advance(Duration.ofMinutes(2));
    a.decided("3", ShopCommand.headless("much-later"));
    assertThat(a.decided("1", ShopCommand.any("web")).what()).isEqualTo("name taken");
  }

  // --- limits

  @Test
  void whatDoesNotFitIntoTheQueueIsRefusedAtOnce() {
    replicas.withQueue(3);
    var a = replicas.owner("a");
    var _ = busy(a);
    var waiting =
        List.of(
            a.submit("1", new Find("x")),
            a.submit("2", new Find("x")),
            a.submit("3", new Find("x")));
    var refused = a.submit("4", new Find("x"));
    assertThat(refused).isDone();
    assertThat(reason(get(refused))).isEqualTo(Answer.Reason.OVERLOADED);
    var givenUp = waiting.getFirst();
    givenUp.cancel(false); // makes room
    var next = a.submit("5", new Find("x"));
    replicas.kafka.showCommits();
    waiting
        .subList(1, 3)
        .forEach(answer -> assertThat(reply(get(answer)).what()).isEqualTo("not found"));
    assertThat(reply(get(next)).what()).isEqualTo("not found");
  }
}
