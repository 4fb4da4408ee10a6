package io.fairlead.decider;

import static io.fairlead.decider.Replicas.S;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.log.EventLog;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TakeoverTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
  }

  private static LogEvent stored(DomainObject object) {
    var envelope =
        new Envelope(
            RandomSource.seeded(object.key().toString().hashCode()).uuid(),
            TestObjects.NOON,
            "user:bob",
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    return new LogEvent.Stored(object, envelope);
  }

  private void written(LogEvent... events) {
    try (var log = replicas.kafka.connect();
        var appender = log.openAppender(S)) {
      appender.append(List.of(events));
    }
  }

  private Takeover.Result<ShopCommand, ShopCommand.Reply> takenOver(EventLog log, Feed feed) {
    var coordination = replicas.etcd.client();
    var parts =
        new Parts<>(
            DeciderSettings.of("shop", "a", "a:1", "0.1", List.of(S)),
            log,
            coordination,
            feed,
            new ShopLogic(List.of()),
            (what, cause) -> replicas.faults.add(what + ": " + cause),
            FaultPoints.NONE,
            replicas.time,
            RandomSource.seeded(1),
            new DeciderStats());
    var lease = coordination.openLease(Duration.ofHours(1), () -> {});
    try {
      return new Takeover<>(parts, S, lease, new CommitHealth(), _ -> {}).run();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static PartitionHeader header(int partitions) {
    return new PartitionHeader(S, partitions, "murmur2", new UUID(0, 7));
  }

  @Test
  void takesAFreePartitionAndWritesItsHeaderFirst() {
    var a = replicas.owner("a");
    assertThat(replicas.kafka.committed(S)).hasSize(1);
    assertThat(a.feed.current().image().header(S))
        .hasValueSatisfying(header -> {
          assertThat(header.partitions()).isEqualTo(1);
          assertThat(header.hash()).isEqualTo("murmur2");
        });
    assertThat(a.owners.owner(S)).hasValueSatisfying(o -> assertThat(o.replica()).isEqualTo("a"));
  }

  @Test
  void doesNotWriteAHeaderTwice() {
    written(stored(header(1)), stored(TestObjects.service("web", "10.96.0.10")));
    var a = replicas.owner("a");
    assertThat(a.decided("1", new ShopCommand.Find("web")).what()).isEqualTo("found");
    assertThat(replicas.kafka.committed(S)).hasSize(2);
  }

  @Test
  void refusesAPartitionOfAnotherLayout() {
    // the follower refuses such a record, too; so the image is made by hand
    var log = replicas.kafka.connect();
    var feed = new Feed(log.identity());
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    delta.replay(new LogEntry(S, 0, TestObjects.NOON, stored(header(3))));
    feed.onUpdate(delta, delta.apply(), new Manifest(Position.start(log.identity()), List.of()));
    var result = takenOver(log, feed);
    assertThat(result).isInstanceOf(Takeover.Result.Refused.class);
    assertThat(replicas.faults.getFirst()).contains("3 partitions").contains("configured are 1");
    assertThat(replicas.kafka.committed(S)).isEmpty();
  }

  @Test
  void refusesObjectsWithoutAHeader() {
    written(stored(TestObjects.service("web", "10.96.0.10")));
    var a = replicas.start("a");
    replicas.await("fault", () -> !replicas.faults.isEmpty());
    assertThat(replicas.faults.getFirst()).contains("no header");
    assertThat(a.serves(S)).isFalse();
    assertThat(replicas.kafka.committed(S)).hasSize(1);
  }

  @Test
  void knowsWhatItsPredecessorWroteBeforeItServes() {
    var a = replicas.owner("a");
    for (int i = 0; i < 20; i++) {
      a.decided("id-" + i, ShopCommand.any("svc-" + i));
    }
    var b = replicas.start("b");
    a.crash();
    replicas.await("b serves", () -> b.serves(S));
    for (int i = 0; i < 20; i++) {
      assertThat(b.decided("find-" + i, new ShopCommand.Find("svc-" + i)).what())
          .isEqualTo("found");
    }
    assertThat(b.decided("again", ShopCommand.any("svc-7")).what()).isEqualTo("name taken");
  }

  @Test
  void readsToTheEndAlsoWhenCommitsAreSeenLate() {
    var a = replicas.owner("a");
    replicas.kafka.hideCommits();
    var unseen = a.submit("1", ShopCommand.any("web"));
    Replicas.awaitStill("appended", () -> a.owners.stats().records.sum() >= 2);
    var b = replicas.start("b");
    a.crash();
    replicas.kafka.showCommits();
    replicas.await("b serves", () -> b.serves(S));
    assertThat(b.decided("2", ShopCommand.any("web")).what()).isEqualTo("name taken");
    assertThat(replicas.stored()).containsExactly("web");
    unseen.cancel(true);
  }

  @Test
  void servesNothingBeforeItsOwnFollowerIsAtTheEnd() {
    written(stored(header(1)), stored(TestObjects.service("web", "10.96.0.10")));
    var atEnd = new CompletableFuture<Boolean>();
    var log =
        new HookedLog(replicas.kafka.connect()) {
          @Override
          void beforeEnd() {
            atEnd.complete(true);
          }
        };
    var feed = new Feed(log.identity());
    var taken = new CompletableFuture<Takeover.Result<ShopCommand, ShopCommand.Reply>>();
    Thread.ofVirtual().start(() -> taken.complete(takenOver(log, feed)));
    assertThat(Replicas.get(atEnd)).isTrue();
    assertThat(taken).isNotDone();
    try (var _ =
        Loader.start(
            log,
            List.of(S),
            List.of(feed),
            (what, cause) -> replicas.faults.add(what + ": " + cause),
            Time.system())) {
      assertThat(Replicas.get(taken)).isInstanceOf(Takeover.Result.Owning.class);
    }
    assertThat(feed.current().image().services().all()).hasSize(1);
    assertThat(replicas.kafka.committed(S)).as("no second header").hasSize(2);
    assertThat(replicas.claims()).as("reconciled with what it read").hasSize(1);
  }

  @Test
  void fencesAPredecessorThatDoesNotKnowYet() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.headless("before"));
    a.coordination.cutOff();
    var b = replicas.start("b");
    replicas.await("b serves", () -> b.serves(S));
    assertThat(a.serves(S)).isTrue(); // nobody can have told it
    var late = a.ask("2", ShopCommand.headless("late"));
    assertThat(late).isInstanceOf(Answer.NotOwner.class);
    b.decided("3", ShopCommand.headless("after"));
    assertThat(replicas.stored()).containsExactly("before", "after");
    replicas.await("a has let go", () -> !a.serves(S));
  }

  @Test
  void doesNotServeWhenTheKeyWasLostWhileFencing() {
    var other = replicas.etcd.client();
    var readOn = new AtomicBoolean();
    var a =
        replicas.start(
            "a",
            log ->
                new HookedLog(log) {
                  @Override
                  void beforeFencing() {
                    stealKey(other);
                  }

                  @Override
                  void beforeEnd() {
                    readOn.set(true);
                  }
                });
    replicas.await(
        "looked", () -> a.owners.owner(S).filter(o -> o.replica().equals("z")).isPresent());
    replicas.await("not taken over", () -> a.owners.serving().isEmpty());
    assertThat(replicas.kafka.committed(S)).isEmpty();
    assertThat(a.owners.stats().takeovers.sum()).isZero();
    assertThat(other.owner(S).orElseThrow().replica()).isEqualTo("z");
    assertThat(readOn).as("a look before the read").isFalse();
  }

  @Test
  void doesNotServeWhenTheKeyWasLostWhileReading() {
    var other = replicas.etcd.client();
    var a =
        replicas.start(
            "a",
            log ->
                new HookedLog(log) {
                  @Override
                  void beforeEnd() {
                    stealKey(other);
                  }
                });
    replicas.await(
        "looked", () -> a.owners.owner(S).filter(o -> o.replica().equals("z")).isPresent());
    // answered when the take-over has ended one way or the other
    assertThat(a.ask("1", new ShopCommand.Find("web"))).isInstanceOf(Answer.NotOwner.class);
    assertThat(replicas.kafka.committed(S)).isEmpty();
    assertThat(a.owners.stats().takeovers.sum()).isZero();
  }

  /** For whoever waits for the take-over, and for the log, which nobody has to stay away from. */
  @Test
  void saysWhichOfTheTwoDidNotAnswer() {
    var log =
        new HookedLog(replicas.kafka.connect()) {
          @Override
          void beforeEnd() {
            replicas.etcd.down();
          }
        };
    assertThat(failedFor(log)).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    replicas.etcd.up();
    var stopped =
        new HookedLog(replicas.kafka.connect()) {
          @Override
          void beforeEnd() {
            replicas.kafka.stop();
          }
        };
    assertThat(failedFor(stopped)).isEqualTo(Answer.Reason.LOG_UNAVAILABLE);
  }

  private Answer.Reason failedFor(EventLog log) {
    var result = takenOver(log, new Feed(log.identity()));
    assertThat(result).isInstanceOf(Takeover.Result.Failed.class);
    return ((Takeover.Result.Failed<ShopCommand, ShopCommand.Reply>) result).reason();
  }

  private static void stealKey(FakeCoordination other) {
    other.owner(S).ifPresent(owner -> other.releaseOwnership(S, owner.takeover()));
    var lease = other.openLease(Duration.ofHours(10), () -> {});
    assertThat(other.takeOwnership(S, "z", "z:1", new UUID(9, 9), lease)).isPresent();
  }

  @Test
  void writesWhatTheServiceWantsToBeThereOnceOnly() {
    replicas.withBootstrap("kubernetes", "fairlead");
    var a = replicas.owner("a");
    assertThat(replicas.stored()).containsExactly("kubernetes", "fairlead");
    assertThat(replicas.claims().values()).containsExactlyInAnyOrder("kubernetes", "fairlead");
    assertThat(((LogEvent.Stored) replicas.events().getFirst()).envelope().actor())
        .isEqualTo("service:shop");
    a.crash();
    var b = replicas.start("b");
    replicas.await("b serves", () -> b.serves(S));
    assertThat(replicas.stored()).hasSize(2);
  }

  @Test
  void putsClaimsRightBeforeItServes() {
    var a = replicas.owner("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    replicas.leaveClaim("10.96.0.77", "crashed-before-its-append");
    var holder = a.coordination.owner(S).orElseThrow();
    var web = a.coordination.claims().entrySet().iterator().next();
    a.coordination.free(
        List.of(
            new Coordination.ClaimRequest(
                web.getKey(), web.getValue().uid(), web.getValue().service())),
        S,
        holder.takeover());
    assertThat(replicas.claims().values()).containsExactly("crashed-before-its-append");
    a.crash();
    var b = replicas.start("b");
    replicas.await("b serves", () -> b.serves(S));
    assertThat(replicas.claims()).isEqualTo(Map.of(Address.of("10.96.0.10"), "web"));
  }

  @Test
  void waitsForTheLeaseOfADeadOwnerAndTakesOverThen() {
    var a = replicas.owner("a");
    var b = replicas.startModest("b");
    replicas.await("b has looked", () -> b.owners.owner(S).isPresent());
    a.crash();
    var answer = b.ask("1", ShopCommand.any("web"));
    assertThat(answer).isInstanceOf(Answer.NotOwner.class);
    var next = b.owners.ownerOtherThan(S, ((Answer.NotOwner<?>) answer).revision());
    replicas.await("somebody else owns", next::isDone);
    assertThat(Replicas.get(next).orElseThrow().replica()).isEqualTo(b.name);
    replicas.await("b serves", () -> b.serves(S));
  }

  @Test
  void answersWhatArrivesWhileItTakesOver() {
    replicas.kafka.hideCommits();
    var a = replicas.start("a");
    replicas.await("key put", () -> a.coordination.owner(S).isPresent());
    var early = a.submit("1", ShopCommand.any("web"));
    replicas.kafka.showCommits();
    assertThat(Replicas.reply(Replicas.get(early)).what()).isEqualTo("created");
  }

  @Test
  void staysAwayFromAPartitionWhileTheLogIsAway() {
    replicas.kafka.stop();
    var a = replicas.start("a");
    replicas.await(
        "tried",
        () ->
            !a.owners.serving().isEmpty()
                || a.coordination.members("shop").values().stream().anyMatch(m -> !m.ready()));
    assertThat(a.serves(S)).isFalse();
    replicas.await("key deleted", () -> a.coordination.owner(S).isEmpty());
    replicas.kafka.start();
    replicas.await("a serves", () -> a.serves(S));
  }

  @Test
  void aPartitionThatIsNotTheServicesIsRefused() {
    var a = replicas.owner("a");
    assertThatThrownBy(() ->
            a.owners.submit(
                LogPartition.NODES, Request.internal("service:shop", ShopCommand.any("x"), "test")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("p0");
  }

  @Test
  void headerIsTheVeryFirstRecord() {
    replicas.withBootstrap("fairlead");
    replicas.owner("a");
    assertThat(replicas.kafka.committed(S).stream().map(LogEntry::offset)).first().isEqualTo(0L);
    assertThat(replicas.kafka.committed(S).getFirst().event().key().toString())
        .startsWith("PartitionHeader/");
  }
}
