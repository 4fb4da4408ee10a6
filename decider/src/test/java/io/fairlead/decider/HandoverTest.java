package io.fairlead.decider;

import static io.fairlead.decider.Replicas.S;
import static io.fairlead.decider.Replicas.reason;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.Digest;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.decider.Replicas.Replica;
import io.fairlead.etcd.Coordination.Settled;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What an owner that lets go leaves for the next one, and when that compares the claims all the
 * same. An orphan that nobody was told of shows which of the two it did.
 */
@Timeout(60)
class HandoverTest {
  private static final Address ORPHAN = Address.of("10.96.0.77");

  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
  }

  private Replica ownerWithServices() {
    var a = next("a");
    a.decided("1", ShopCommand.at("web", "10.96.0.10"));
    a.decided("2", ShopCommand.at("db", "10.96.0.11"));
    return a;
  }

  private boolean left() {
    return replicas.etcd.dump().keySet().stream().anyMatch(key -> key.contains("/settled/"));
  }

  private Replica next(String name) {
    var next = replicas.start(name);
    // far from what is due by time: whose lease ran out meanwhile is to compare just when it lets
    // go
    replicas.awaitWithin(Duration.ofSeconds(10), name + " serves", () -> next.serves(S));
    return next;
  }

  @Test
  void whoFindsTheClaimsSettledComparesThemLater() {
    var a = ownerWithServices();
    replicas.leaveClaim(ORPHAN.toString(), "unknown");
    a.owners.drain();
    assertThat(left()).isTrue();
    var b = next("b");
    assertThat(b.owners.stats().settledTakeovers.sum()).isEqualTo(1);
    assertThat(left()).as("for one successor only").isFalse();
    assertThat(replicas.claims()).containsKey(ORPHAN);
    assertThat(b.decided("3", ShopCommand.at("other", "10.96.0.10")).what())
        .isEqualTo("address taken");
    replicas.awaitWithin(
        Duration.ofSeconds(40), "compared", () -> !replicas.claims().containsKey(ORPHAN));
    assertThat(b.owners.stats().takeovers.sum()).isEqualTo(1);
  }

  @Test
  void whatIsLeftIsPassedOn() {
    var a = ownerWithServices();
    a.owners.drain();
    var b = next("b");
    b.decided("3", ShopCommand.at("third", "10.96.0.12"));
    b.owners.drain();
    var c = next("c");
    assertThat(c.owners.stats().settledTakeovers.sum()).isEqualTo(1);
    assertThat(replicas.claims().values()).containsExactly("web", "db", "third");
  }

  @Test
  void whoeverDiesAfterItTookTheKeyLeavesNothing() {
    var a = ownerWithServices();
    replicas.leaveClaim(ORPHAN.toString(), "unknown");
    a.owners.drain();
    var b = next("b");
    b.crash();
    var c = replicas.start("c");
    replicas.await("c serves", () -> c.serves(S));
    assertThat(c.owners.stats().settledTakeovers.sum()).isZero();
    assertThat(replicas.claims()).doesNotContainKey(ORPHAN);
  }

  @Test
  void recordsThatTheOwnerDidNotKnowOfMakeTheNextOneCompare() {
    var a = ownerWithServices();
    a.owners.drain();
    var envelope =
        new Envelope(
            new UUID(0, 5),
            TestObjects.NOON,
            "user:bob",
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    try (var log = replicas.kafka.connect();
        var appender = log.openAppender(S)) {
      appender.append(
          List.of(new LogEvent.Stored(TestObjects.service("late", "10.96.0.20"), envelope)));
    }
    var b = next("b");
    assertThat(b.owners.stats().settledTakeovers.sum()).isZero();
    assertThat(replicas.claims()).containsEntry(Address.of("10.96.0.20"), "late");
  }

  /** Until nothing can come of a call that etcd did not answer. */
  @Test
  void claimsInDoubtAreNotSettled() {
    var a = ownerWithServices();
    a.coordination.loseAnswers(1);
    assertThat(reason(a.ask("3", ShopCommand.at("third", "10.96.0.12"))))
        .isEqualTo(Answer.Reason.ETCD_UNAVAILABLE);
    a.owners.drain();
    assertThat(replicas.etcd.dump().toString()).doesNotContain("owners/");
    assertThat(left()).isFalse();
    var b = next("b");
    assertThat(b.owners.stats().settledTakeovers.sum()).isZero();
    assertThat(replicas.claims().values()).containsExactly("web", "db");
  }

  /** It may have been a decision under way; nobody knows before the next look. */
  @Test
  void whatALookFoundIsNotSettled() {
    var a = ownerWithServices();
    int before = a.coordination.listings();
    var first = new CompletableFuture<Void>();
    var second = new CompletableFuture<Void>();
    a.coordination.holdListings(first);
    replicas.leaveClaim(ORPHAN.toString(), "unknown");
    try {
      replicas.awaitWithin(
          Duration.ofSeconds(40), "a look", () -> a.coordination.listings() > before);
      a.coordination.holdListings(second);
      first.complete(null);
      replicas.awaitWithin(
          Duration.ofSeconds(5), "the next one", () -> a.coordination.listings() > before + 1);
      a.owners.drain();
    } finally {
      first.complete(null);
      second.complete(null);
    }
    assertThat(replicas.etcd.dump().toString()).doesNotContain("owners/");
    assertThat(left()).isFalse();
    var b = next("b");
    assertThat(b.owners.stats().settledTakeovers.sum()).isZero();
    assertThat(replicas.claims().values()).containsExactly("web", "db");
  }

  @Test
  void whereTheLogDoesNotAnswerNothingIsSettled() {
    var a = ownerWithServices();
    replicas.kafka.stop();
    a.owners.drain();
    assertThat(replicas.etcd.dump().toString()).doesNotContain("owners/");
    assertThat(left()).isFalse();
  }

  /** Nobody owned the partition when the backup was made: what was left then is in it. */
  @Test
  void aBackupOfEtcdSettlesNothingThatCameAfterIt() {
    var a = ownerWithServices();
    a.owners.drain();
    var backup = replicas.etcd.backup();
    var b = next("b");
    b.decided("3", ShopCommand.at("third", "10.96.0.12"));
    b.decided("4", new ShopCommand.Delete("web"));
    b.crash();
    replicas.etcd.restore(backup);
    assertThat(left()).isTrue();
    var c = replicas.start("c");
    replicas.await("c serves", () -> c.serves(S));
    assertThat(c.owners.stats().settledTakeovers.sum()).isZero();
    assertThat(replicas.claims().values()).containsExactly("db", "third");
  }

  /** Nothing was written since: the claims of the backup are those of the end of the log. */
  @Test
  void aBackupOfEtcdSettlesWhatIsAsItWas() {
    var a = ownerWithServices();
    a.owners.drain();
    var backup = replicas.etcd.backup();
    var b = next("b");
    b.crash();
    replicas.etcd.restore(backup);
    var c = replicas.start("c");
    replicas.await("c serves", () -> c.serves(S));
    assertThat(c.owners.stats().settledTakeovers.sum()).isEqualTo(1);
    assertThat(replicas.claims().values()).containsExactly("web", "db");
  }

  record Case(String name, UnaryOperator<Settled> change) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> others() {
    return Stream.of(
        new Case(
            "another log", s -> new Settled(new LogIdentity("other", "pods"), s.end(), s.digest())),
        new Case("an earlier end", s -> new Settled(s.log(), s.end() - 1, s.digest())),
        new Case("a later end", s -> new Settled(s.log(), s.end() + 1, s.digest())),
        new Case("other objects", s -> new Settled(s.log(), s.end(), Digest.ZERO)));
  }

  @ParameterizedTest
  @MethodSource("others")
  void whatIsOfAnotherStateSettlesNothing(Case other) {
    var a = ownerWithServices();
    replicas.leaveClaim(ORPHAN.toString(), "unknown");
    a.owners.drain();
    try (var operator = replicas.etcd.client()) {
      var lease = operator.openLease(Duration.ofHours(1), () -> {});
      var taken = operator.takeOwnership(S, "z", "z:1", new UUID(9, 9), lease).orElseThrow();
      var settled = other.change.apply(taken.settled().orElseThrow());
      operator.releaseSettled(S, new UUID(9, 9), settled);
    }
    var b = next("b");
    assertThat(b.owners.stats().settledTakeovers.sum()).isZero();
    assertThat(replicas.claims())
        .isEqualTo(Map.of(Address.of("10.96.0.10"), "web", Address.of("10.96.0.11"), "db"));
  }
}
