package io.fairlead.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.image.Digest;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Topic;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.etcd.Coordination.ClaimOutcome;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.HeldReservation;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.Coordination.NodeLease;
import io.fairlead.etcd.Coordination.ReserveOutcome;
import io.fairlead.etcd.Coordination.Settled;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What every {@link Coordination} promises. */
abstract class CoordinationContract {
  static final Duration TTL = Duration.ofSeconds(3);
  private static final LogPartition S = LogPartition.SERVICES;
  private static final LogPartition P3 = new LogPartition(Topic.PODS, 3);
  private static final ObjectName WEB = new ObjectName("default", "web");
  private static final ObjectName DB = new ObjectName("default", "db");
  private static final Settled SETTLED =
      new Settled(new LogIdentity("services-id", "pods-id"), 871, new Digest(7, -1));
  private static final UUID TAKEOVER_A = new UUID(0, 0xa);
  private static final UUID TAKEOVER_B = new UUID(0, 0xb);
  private static final UUID WEB_UID = new UUID(1, 1);
  private static final UUID DB_UID = new UUID(2, 2);
  private static final Address VIP = Address.of("10.96.0.10");

  private final List<Coordination> clients = new ArrayList<>();

  /** A client of the one store, closed by the contract. */
  abstract Coordination connect();

  /** The store stops at once and keeps its data. */
  abstract void down();

  /** The store is back with the same data; returns when it answers. */
  abstract void up();

  /** The store comes back without any data, as another cluster. */
  abstract void wipe();

  /** Lets some time pass, really or not; called while a condition is awaited. */
  abstract void pass(Duration duration);

  private Coordination client() {
    var client = connect();
    clients.add(client);
    return client;
  }

  @AfterEach
  void closeClients() {
    clients.forEach(Coordination::close);
  }

  final void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .ignoreExceptionsInstanceOf(GatewayException.class)
        .until(() -> {
          if (condition.call()) {
            return true;
          }
          pass(Duration.ofMillis(100));
          return false;
        });
  }

  private static void ignored() {}

  private static ClaimHolder holder(Coordination client) {
    return Optional.ofNullable(client.claims().get(VIP)).orElseThrow();
  }

  private static ClaimRequest claim(Address address, UUID uid, ObjectName service) {
    return new ClaimRequest(address, uid, service);
  }

  private static Coordination owning(Coordination client, UUID takeover) {
    var lease = client.openLease(TTL, CoordinationContract::ignored);
    assertThat(client.takeOwnership(S, "a", "a:7401", takeover, lease)).isPresent();
    return client;
  }

  // --- ownership

  @Test
  void ownershipIsTakenByOneOnly() {
    var a = client();
    var b = client();
    var leaseA = a.openLease(TTL, CoordinationContract::ignored);
    var leaseB = b.openLease(TTL, CoordinationContract::ignored);
    var owner = a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, leaseA).orElseThrow().owner();
    assertThat(owner.replica()).isEqualTo("a");
    assertThat(b.takeOwnership(S, "b", "b:7401", TAKEOVER_B, leaseB)).isEmpty();
    assertThat(b.owner(S)).contains(owner);
    assertThat(b.owner(P3)).isEmpty();
    assertThat(b.takeOwnership(P3, "b", "b:7401", TAKEOVER_B, leaseB)).isPresent();
    assertThat(a.owners()).containsOnlyKeys(S, P3).containsEntry(S, owner);
  }

  @Test
  void ownershipIsTakenAgainByItsOwnReplicaWithANewerRevision() {
    var a = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    var first = a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease).orElseThrow().owner();
    var second = a.takeOwnership(S, "a", "a:7401", TAKEOVER_B, lease).orElseThrow().owner();
    assertThat(second.revision()).isGreaterThan(first.revision());
    assertThat(a.owner(S)).contains(second);
  }

  @Test
  void onlyTheTakeoverThatHoldsTheKeyReleasesIt() {
    var a = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    a.releaseOwnership(S, TAKEOVER_B);
    assertThat(a.owner(S)).isPresent();
    a.releaseOwnership(S, TAKEOVER_A);
    assertThat(a.owner(S)).isEmpty();
    a.releaseOwnership(S, TAKEOVER_A);
  }

  @Test
  void whatAnOwnerLeavesIsFoundByTheNextOneOfThatPartitionOnce() {
    var a = owning(client(), TAKEOVER_A);
    var b = client();
    a.releaseSettled(S, TAKEOVER_A, SETTLED);
    assertThat(b.owner(S)).isEmpty();
    assertThat(b.owners()).isEmpty();
    var lease = b.openLease(TTL, CoordinationContract::ignored);
    assertThat(b.takeOwnership(P3, "b", "b:7401", TAKEOVER_B, lease).orElseThrow().settled())
        .isEmpty();
    var taken = b.takeOwnership(S, "b", "b:7401", TAKEOVER_B, lease).orElseThrow();
    assertThat(taken.settled()).contains(SETTLED);
    assertThat(taken.owner()).isEqualTo(b.owner(S).orElseThrow());
    b.releaseOwnership(S, TAKEOVER_B);
    var again = b.takeOwnership(S, "b", "b:7401", TAKEOVER_A, lease).orElseThrow();
    assertThat(again.settled()).isEmpty();
  }

  @Test
  void onlyTheTakeoverThatHoldsTheKeyLeavesSomething() {
    var a = owning(client(), TAKEOVER_A);
    a.releaseSettled(S, TAKEOVER_B, SETTLED);
    assertThat(a.owner(S)).isPresent();
    a.releaseOwnership(S, TAKEOVER_A);
    a.releaseSettled(S, TAKEOVER_A, SETTLED);
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    var taken = a.takeOwnership(S, "a", "a:7401", TAKEOVER_B, lease).orElseThrow();
    assertThat(taken.settled()).isEmpty();
  }

  /** It is not under the lease of whoever left it, who ends soon. */
  @Test
  void whatAnOwnerLeavesOutlivesIt() {
    var a = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    a.releaseSettled(S, TAKEOVER_A, SETTLED);
    lease.close();
    var b = client();
    var other = b.openLease(TTL, CoordinationContract::ignored);
    assertThat(b.takeOwnership(S, "b", "b:7401", TAKEOVER_B, other).orElseThrow().settled())
        .contains(SETTLED);
  }

  @Test
  void closingTheLeaseGivesUpWhatWasPutUnderIt() {
    var a = client();
    var b = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    a.putMember("allocator", new Member("a", "a:7401", "0.1", true), lease);
    assertThat(lease.live()).isTrue();
    lease.close();
    assertThat(lease.live()).isFalse();
    assertThat(b.owner(S)).isEmpty();
    assertThat(b.members("allocator")).isEmpty();
  }

  @Test
  void aLeaseOutlivesItsTtlWhileItsClientIsThere() {
    var a = client();
    var lost = new AtomicInteger();
    var lease = a.openLease(TTL, lost::incrementAndGet);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    var other = client().openLease(TTL, CoordinationContract::ignored);
    for (int i = 0; i < 3 * TTL.toSeconds(); i++) {
      passReally(Duration.ofSeconds(1));
      assertThat(lease.live()).isTrue();
    }
    assertThat(a.owner(S)).isPresent();
    assertThat(other.live()).isTrue();
    assertThat(lost).hasValue(0);
  }

  /** As {@link #pass}, but in real stores time itself has to do it. */
  abstract void passReally(Duration duration);

  @Test
  void aLeaseThatCannotBePutUnderIsRefusedWithoutEffect() {
    var a = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    lease.close();
    assertThatThrownBy(() -> a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease))
        .isInstanceOfSatisfying(
            GatewayException.class,
            e -> assertThat(e.outcome()).isEqualTo(GatewayException.Outcome.KNOWN_FAILED));
    assertThat(a.owner(S)).isEmpty();
  }

  // --- claims

  @Test
  void aFreeAddressIsClaimedAndAClaimOfOnesOwnIsClaimedAgain() {
    var a = owning(client(), TAKEOVER_A);
    var request = claim(VIP, WEB_UID, WEB);
    assertThat(a.claim(List.of(request), S, TAKEOVER_A))
        .containsExactlyEntriesOf(Map.of(VIP, new ClaimOutcome.Claimed()));
    assertThat(a.claim(List.of(request), S, TAKEOVER_A))
        .containsExactlyEntriesOf(Map.of(VIP, new ClaimOutcome.Claimed()));
    assertThat(a.claims()).containsOnlyKeys(VIP);
    assertThat(holder(a).service()).isEqualTo(WEB);
  }

  @Test
  void aTakenAddressIsRefusedWithItsHolderAndTheOthersAreClaimed() {
    var a = owning(client(), TAKEOVER_A);
    var free = Address.of("fd00::10");
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    var outcomes = a.claim(List.of(claim(VIP, DB_UID, DB), claim(free, DB_UID, DB)), S, TAKEOVER_A);
    assertThat(outcomes.get(free)).isEqualTo(new ClaimOutcome.Claimed());
    assertThat(outcomes.get(VIP))
        .isInstanceOfSatisfying(
            ClaimOutcome.HeldByOther.class,
            held -> {
              assertThat(held.holder().uid()).isEqualTo(WEB_UID);
              assertThat(held.holder().service()).isEqualTo(WEB);
            });
    assertThat(a.claims()).containsOnlyKeys(VIP, free);
  }

  @Test
  void hundredsOfAddressesAreClaimedAndFreedInOneCall() {
    var a = owning(client(), TAKEOVER_A);
    var requests =
        IntStream.range(0, 300)
            .mapToObj(
                i -> claim(Address.of("10.96.%d.%d".formatted(i / 100, i % 100)), WEB_UID, WEB))
            .toList();
    assertThat(a.claim(requests, S, TAKEOVER_A).values())
        .hasSize(300)
        .containsOnly(new ClaimOutcome.Claimed());
    assertThat(a.claims()).hasSize(300);
    a.free(requests, S, TAKEOVER_A);
    assertThat(a.claims()).isEmpty();
  }

  @Test
  void oneTakenAddressAmongHundredsKeepsNoOtherFromBeingClaimed() {
    var a = owning(client(), TAKEOVER_A);
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    var requests =
        new ArrayList<>(
            IntStream.range(0, 300)
                .mapToObj(
                    i -> claim(Address.of("10.97.%d.%d".formatted(i / 100, i % 100)), DB_UID, DB))
                .toList());
    requests.add(170, claim(VIP, DB_UID, DB));
    var outcomes = a.claim(requests, S, TAKEOVER_A);
    assertThat(outcomes.remove(VIP)).isInstanceOf(ClaimOutcome.HeldByOther.class);
    assertThat(outcomes.values()).hasSize(300).containsOnly(new ClaimOutcome.Claimed());
    assertThat(a.claims()).hasSize(301);
    assertThat(holder(a).uid()).isEqualTo(WEB_UID);
  }

  @Test
  void whoeverLostTheKeyNeitherClaimsNorReplacesNorFrees() {
    var a = owning(client(), TAKEOVER_A);
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    var found = holder(a);
    var other = claim(Address.of("10.96.0.11"), DB_UID, DB);
    assertThatThrownBy(() -> a.claim(List.of(other), S, TAKEOVER_B))
        .isInstanceOf(NotOwnerException.class);
    assertThatThrownBy(() -> a.claim(List.of(other), P3, TAKEOVER_A))
        .isInstanceOf(NotOwnerException.class);
    assertThatThrownBy(() -> a.replaceClaim(claim(VIP, DB_UID, DB), found, S, TAKEOVER_B))
        .isInstanceOf(NotOwnerException.class);
    assertThatThrownBy(() -> a.free(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_B))
        .isInstanceOf(NotOwnerException.class);
    assertThat(a.claims()).containsOnlyKeys(VIP).containsEntry(VIP, found);
  }

  @Test
  void aClaimIsReplacedOnlyAsItWasFound() {
    var a = owning(client(), TAKEOVER_A);
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    var found = holder(a);
    assertThat(a.replaceClaim(claim(VIP, DB_UID, DB), found, S, TAKEOVER_A)).isTrue();
    assertThat(holder(a).uid()).isEqualTo(DB_UID);
    assertThat(a.replaceClaim(claim(VIP, WEB_UID, WEB), found, S, TAKEOVER_A)).isFalse();
    assertThat(holder(a).uid()).isEqualTo(DB_UID);
  }

  @Test
  void onlyOnesOwnClaimIsFreed() {
    var a = owning(client(), TAKEOVER_A);
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    a.free(List.of(claim(VIP, DB_UID, DB)), S, TAKEOVER_A);
    assertThat(a.claims()).containsOnlyKeys(VIP);
    a.free(
        List.of(claim(VIP, WEB_UID, WEB), claim(Address.of("10.96.0.99"), WEB_UID, WEB)),
        S,
        TAKEOVER_A);
    assertThat(a.claims()).isEmpty();
  }

  @Test
  void anAddressTwiceInOneRequestIsACallersFault() {
    var a = owning(client(), TAKEOVER_A);
    assertThatThrownBy(
            () -> a.claim(List.of(claim(VIP, WEB_UID, WEB), claim(VIP, DB_UID, DB)), S, TAKEOVER_A))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10.96.0.10");
  }

  // --- reservations

  private static final String HASH = "0f".repeat(32);
  private static final Address OTHER = Address.of("fd00::10");
  private static final Duration LONG = Duration.ofMinutes(10);

  private static Reservation reservation(long id, Duration ttl, Address... addresses) {
    return new Reservation(
        new UUID(9, id), Instant.parse("2026-11-01T00:00:00Z"), WEB, List.of(addresses), ttl);
  }

  private static HeldReservation reserved(
      Coordination client, long id, Duration ttl, Address... addresses) {
    var reservation = reservation(id, ttl, addresses);
    assertThat(client.reserve(reservation, HASH, Map.of(), S, TAKEOVER_A))
        .isEqualTo(new ReserveOutcome.Reserved());
    return client.reservation(reservation.uid()).orElseThrow();
  }

  /** The Service web takes an address over from the reservation that has it. */
  private static ClaimHolder takeOver(Coordination client, HeldReservation from) {
    var request = new ClaimRequest(VIP, WEB_UID, WEB, Optional.of(from.reservation().uid()));
    assertThat(client.replaceClaim(request, holder(client), S, TAKEOVER_A)).isTrue();
    return holder(client);
  }

  @Test
  void aReservationHoldsAllItsAddressesUnderALeaseOfItsOwn() {
    var a = owning(client(), TAKEOVER_A);
    var held = reserved(a, 1, LONG, VIP, OTHER);
    assertThat(held.reservation()).isEqualTo(reservation(1, LONG, VIP, OTHER));
    assertThat(held.tokenHash()).isEqualTo(HASH);
    assertThat(a.reservations()).containsOnlyKeys(new UUID(9, 1));
    assertThat(a.claims()).containsOnlyKeys(VIP, OTHER);
    assertThat(holder(a).reserved()).isTrue();
    assertThat(holder(a).service()).isEqualTo(WEB);
    assertThat(a.timeLeft(List.of(held)).get(new UUID(9, 1)))
        .isBetween(LONG.minusSeconds(60), LONG);
    assertThat(a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A).get(VIP))
        .isEqualTo(new ClaimOutcome.HeldByOther(holder(a))); // also for whom it is: taken over
  }

  @Test
  void aReservationGetsAllOfItsAddressesOrNone() {
    var a = owning(client(), TAKEOVER_A);
    a.claim(List.of(claim(VIP, DB_UID, DB)), S, TAKEOVER_A);
    var found = holder(a);
    var wanted = reservation(1, LONG, OTHER, VIP);
    assertThat(a.reserve(wanted, HASH, Map.of(), S, TAKEOVER_A))
        .isInstanceOfSatisfying(
            ReserveOutcome.Lost.class,
            lost -> assertThat(lost.holders()).containsOnly(Map.entry(VIP, found)));
    assertThat(a.claims()).containsOnlyKeys(VIP);
    assertThat(a.reservations()).isEmpty();
    a.free(List.of(claim(VIP, DB_UID, DB)), S, TAKEOVER_A);
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A); // not as it was found
    assertThat(a.reserve(wanted, HASH, Map.of(VIP, found), S, TAKEOVER_A))
        .isInstanceOf(ReserveOutcome.Lost.class);
    assertThat(a.reserve(wanted, HASH, Map.of(VIP, holder(a)), S, TAKEOVER_A))
        .isEqualTo(new ReserveOutcome.Reserved());
    assertThat(a.claims().values()).hasSize(2).allMatch(ClaimHolder::reserved);
  }

  @Test
  void aReservationRunsOutUnlessItIsRenewedAndWhatAServiceTookOverStays() {
    var a = owning(client(), TAKEOVER_A);
    var renewed = reserved(a, 1, TTL, Address.of("10.96.0.21"));
    var left = reserved(a, 2, TTL, VIP, Address.of("10.96.0.22"));
    var taken = takeOver(a, left);
    assertThat(taken.reserved()).isFalse();
    assertThat(taken.reservation()).contains(new UUID(9, 2));
    await(
        "the one that nobody renews is gone",
        () -> {
          assertThat(a.renew(renewed)).isPresent();
          return a.reservation(new UUID(9, 2)).isEmpty();
        });
    assertThat(a.claims()).containsOnlyKeys(VIP, Address.of("10.96.0.21"));
    assertThat(holder(a)).isEqualTo(taken);
    assertThat(a.timeLeft(List.of(renewed, left))).containsOnlyKeys(new UUID(9, 1));
    assertThat(a.renew(left)).isEmpty();
    a.free(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    assertThat(a.claims()).doesNotContainKey(VIP);
  }

  @Test
  void whatAServiceGivesUpGoesBackToItsReservationAndEndsWithIt() {
    var a = owning(client(), TAKEOVER_A);
    var held = reserved(a, 1, LONG, VIP);
    takeOver(a, held);
    a.free(List.of(claim(VIP, DB_UID, DB)), S, TAKEOVER_A); // not its own
    assertThat(holder(a).uid()).isEqualTo(WEB_UID);
    a.free(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    assertThat(holder(a).reserved()).isTrue();
    a.free(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    assertThat(holder(a).reserved()).isTrue();
    a.endReservations(List.of(new UUID(9, 1), new UUID(9, 7)), S, TAKEOVER_A);
    assertThat(a.claims()).isEmpty();
    assertThat(a.reservations()).isEmpty();
  }

  @Test
  void theEndOfAReservationLeavesWhatAServiceTookOver() {
    var a = owning(client(), TAKEOVER_A);
    var held = reserved(a, 1, LONG, VIP, OTHER);
    var taken = takeOver(a, held);
    a.endReservations(List.of(new UUID(9, 1)), S, TAKEOVER_A);
    assertThat(a.claims()).containsOnly(Map.entry(VIP, taken));
    assertThat(a.reservation(new UUID(9, 1))).isEmpty();
    a.free(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    assertThat(a.claims()).isEmpty();
  }

  @Test
  void aReservationIsTakenOverOnlyAsItWasFound() {
    var a = owning(client(), TAKEOVER_A);
    var first = reserved(a, 1, LONG, VIP);
    var found = holder(a);
    a.endReservations(List.of(first.reservation().uid()), S, TAKEOVER_A);
    var request = claim(VIP, WEB_UID, WEB);
    assertThat(a.replaceClaim(request, found, S, TAKEOVER_A)).isFalse();
    reserved(a, 2, LONG, VIP);
    assertThat(a.replaceClaim(request, found, S, TAKEOVER_A)).isFalse();
    var other = // as where revisions are given out twice
        new ClaimHolder(found.uid(), found.service(), found.reservation(), holder(a).revision());
    assertThat(a.replaceClaim(request, other, S, TAKEOVER_A)).isFalse();
    assertThat(holder(a).uid()).isEqualTo(new UUID(9, 2));
  }

  @Test
  void lostClaimsOfAReservationAreMadeAgainWhereTheyAreFree() {
    var a = owning(client(), TAKEOVER_A);
    var held = reserved(a, 1, LONG, VIP, OTHER);
    a.free(List.of(new ClaimRequest(OTHER, new UUID(9, 1), WEB)), S, TAKEOVER_A);
    var taken = takeOver(a, held);
    assertThat(a.claims()).containsOnlyKeys(VIP);
    a.restoreClaims(held, List.of(VIP, OTHER), S, TAKEOVER_A);
    assertThat(holder(a)).isEqualTo(taken);
    assertThat(a.claimOn(OTHER).filter(ClaimHolder::reserved)).isPresent();
    a.endReservations(List.of(new UUID(9, 1)), S, TAKEOVER_A);
    a.restoreClaims(held, List.of(OTHER), S, TAKEOVER_A);
    assertThat(a.claims()).containsOnlyKeys(VIP);
  }

  @Test
  void whoeverLostTheKeyNeitherReservesNorEndsNorRestores() {
    var a = owning(client(), TAKEOVER_A);
    var held = reserved(a, 1, LONG, VIP);
    var more = reservation(2, LONG, OTHER);
    assertThatThrownBy(() -> a.reserve(more, HASH, Map.of(), S, TAKEOVER_B))
        .isInstanceOf(NotOwnerException.class);
    assertThatThrownBy(() -> a.endReservations(List.of(new UUID(9, 1)), S, TAKEOVER_B))
        .isInstanceOf(NotOwnerException.class);
    assertThatThrownBy(() -> a.restoreClaims(held, List.of(VIP), S, TAKEOVER_B))
        .isInstanceOf(NotOwnerException.class);
    assertThat(a.claims()).containsOnlyKeys(VIP);
    assertThat(a.reservations()).containsOnlyKeys(new UUID(9, 1));
  }

  @Test
  void sixtyFourAddressesAreReservedAndEndedAtOnce() {
    var a = owning(client(), TAKEOVER_A);
    var addresses =
        IntStream.range(0, 64).mapToObj(i -> Address.of("10.96.1." + i)).toArray(Address[]::new);
    reserved(a, 1, LONG, addresses);
    assertThat(a.claims()).hasSize(64);
    a.endReservations(List.of(new UUID(9, 1)), S, TAKEOVER_A);
    assertThat(a.claims()).isEmpty();
  }

  // --- members, nodes

  @Test
  void membersAreListedByService() {
    var a = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    var member = new Member("a", "10.0.0.1:7401", "0.1.0-SNAPSHOT", false);
    a.putMember("allocator", member, lease);
    a.putMember("endpoints", new Member("x", "x:7402", "0.1", true), lease);
    assertThat(client().members("allocator").values()).containsExactly(member);
    var ready = new Member("a", "10.0.0.1:7401", "0.1.0-SNAPSHOT", true, 3);
    a.putMember("allocator", ready, lease);
    assertThat(a.members("allocator").values()).containsExactly(ready);
  }

  @Test
  void theNewerSessionOfANodeWins() {
    var a = client();
    var b = client();
    var leaseA = a.openLease(TTL, CoordinationContract::ignored);
    var leaseB = b.openLease(TTL, CoordinationContract::ignored);
    var first = new NodeLease("node-a", 7, "a");
    var other = new NodeLease("node-b", 8, "a");
    var later = new NodeLease("node-a", 9, "b");
    assertThat(a.putNodes(List.of(first, other), leaseA)).isEmpty();
    assertThat(b.putNodes(List.of(later), leaseB)).isEmpty();
    assertThat(a.putNodes(List.of(first, other), leaseA)).containsExactly("node-a");
    a.removeNodes(List.of(first));
    assertThat(b.nodes().values()).containsExactly(later, other);
    leaseA.close(); // what it once put is the newer session's now
    assertThat(b.nodes().values()).containsExactly(later);
    b.removeNodes(List.of(later, other));
    assertThat(a.nodes()).isEmpty();
    assertThat(b.putNodes(List.of(later), leaseB)).isEmpty();
    leaseB.close();
    assertThat(a.nodes()).isEmpty();
  }

  /**
   * What is put again under another lease outlives the first: so a lease that was lost does no
   * harm.
   */
  @Test
  void aNodeThatIsPutAgainIsUnderTheLaterLease() {
    var a = client();
    var node = new NodeLease("node-a", 7, "a");
    var first = a.openLease(TTL, CoordinationContract::ignored);
    var second = a.openLease(TTL, CoordinationContract::ignored);
    assertThat(a.putNodes(List.of(node), first)).isEmpty();
    assertThat(a.putNodes(List.of(node), second)).isEmpty();
    first.close();
    assertThat(a.nodes().values()).containsExactly(node);
    second.close();
    assertThat(a.nodes()).isEmpty();
  }

  /** More than one transaction takes. */
  @Test
  void manyNodesArePutAndRemovedTogether() {
    var a = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    var first = new ArrayList<NodeLease>();
    var second = new ArrayList<NodeLease>();
    for (int i = 0; i < 300; i++) {
      first.add(new NodeLease("node-" + i, 1 + i, "a"));
      second.add(new NodeLease("node-" + i, 1000 + i, "a"));
    }
    assertThat(a.putNodes(first, lease)).isEmpty();
    assertThat(a.putNodes(second.subList(50, 300), lease)).isEmpty();
    assertThat(a.putNodes(first, lease)).hasSize(250);
    assertThat(a.nodes().values())
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(first.subList(0, 50).stream(), second.subList(50, 300).stream())
                .toList());
    a.removeNodes(first.subList(0, 200));
    assertThat(a.nodes()).hasSize(250);
    assertThat(a.putLeft(second, Duration.ofSeconds(60))).isEmpty();
    assertThat(a.nodes()).isEmpty();
    assertThat(a.left()).hasSize(300);
    assertThat(a.putLeft(first, Duration.ofSeconds(60))).hasSize(300);
  }

  @Test
  void whatIsSaidOfAStreamThatWasLeftOutlivesWhoeverSaidIt() {
    var a = client();
    var b = client();
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    var first = new NodeLease("node-a", 7, "a");
    assertThat(a.putNodes(List.of(first), lease)).isEmpty();
    assertThat(a.putLeft(List.of(first), Duration.ofSeconds(60))).isEmpty();
    assertThat(b.nodes()).isEmpty();
    assertThat(b.left().values()).containsExactly(first);
    lease.close();
    a.close();
    assertThat(b.left().values()).containsExactly(first);
  }

  @Test
  void leavingAStreamTakesNothingFromALaterSession() {
    var a = client();
    var b = client();
    var lease = b.openLease(TTL, CoordinationContract::ignored);
    var first = new NodeLease("node-a", 7, "a");
    var later = new NodeLease("node-a", 9, "b");
    assertThat(b.putNodes(List.of(later), lease)).isEmpty();
    assertThat(a.putLeft(List.of(first), Duration.ofSeconds(60))).isEmpty();
    assertThat(b.nodes().values()).containsExactly(later);
    assertThat(b.putLeft(List.of(later), Duration.ofSeconds(60))).isEmpty();
    assertThat(a.putLeft(List.of(first), Duration.ofSeconds(60))).containsExactly("node-a");
    assertThat(a.left().values()).containsExactly(later);
    assertThat(a.nodes()).isEmpty();
  }

  @Test
  void whatIsSaidOfAStreamThatWasLeftRunsOut() {
    var a = client();
    assertThat(a.putLeft(List.of(new NodeLease("node-a", 7, "a")), Duration.ofSeconds(1)))
        .isEmpty();
    await("it runs out", () -> a.left().isEmpty());
  }

  // --- watching

  @Test
  void aWatchTellsOfChangesOfOthers() throws Exception {
    var a = client();
    var b = client();
    var seen = new Watching(b);
    try (var _ = b.watch(seen)) {
      await("first look", () -> seen.calls.get() > 0);
      var lease = a.openLease(TTL, CoordinationContract::ignored);
      a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
      await("owner seen", () -> seen.owners.equals(List.of("a")));
      lease.close();
      await("release seen", () -> seen.owners.isEmpty());
    }
  }

  @Test
  void aWatchTellsOfAChangeAfterARestart() throws Exception {
    var a = client();
    var b = client();
    var seen = new Watching(b);
    try (var _ = b.watch(seen)) {
      await("first look", () -> seen.calls.get() > 0);
      down();
      up();
      await(
          "owner put",
          () -> {
            var lease = a.openLease(TTL, CoordinationContract::ignored);
            return a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease).isPresent();
          });
      await("owner seen", () -> seen.owners.equals(List.of("a")));
    }
  }

  @Test
  void aWatchTellsOfAChangeAfterEverythingWasWiped() throws Exception {
    var a = client();
    var b = client();
    var seen = new Watching(b);
    var lease = a.openLease(TTL, CoordinationContract::ignored);
    for (int i = 0; i < 5; i++) { // so that the new revisions begin below the old ones
      a.takeOwnership(S, "a", "a:7401", new UUID(0, i), lease);
    }
    try (var _ = b.watch(seen)) {
      await("owner seen", () -> seen.owners.equals(List.of("a")));
      wipe();
      await("nobody seen", () -> seen.owners.isEmpty());
      await(
          "owner put",
          () -> {
            var again = a.openLease(TTL, CoordinationContract::ignored);
            return a.takeOwnership(S, "b", "b:7401", TAKEOVER_B, again).isPresent();
          });
      await("owner seen again", () -> seen.owners.equals(List.of("b")));
    }
  }

  private static final class Watching implements Runnable {
    private final Coordination client;
    final AtomicInteger calls = new AtomicInteger();
    volatile List<String> owners = List.of();

    Watching(Coordination client) {
      this.client = client;
    }

    @Override
    public void run() {
      try {
        owners = client.owners().values().stream().map(Coordination.Owner::replica).toList();
        calls.incrementAndGet();
      } catch (GatewayException _) { // told again after the next reconnect
      }
    }
  }

  // --- the store goes away

  @Test
  void whatWasClaimedIsThereAfterARestart() {
    var a = owning(client(), TAKEOVER_A);
    a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
    var before = a.clusterState();
    down();
    up();
    await("claims", () -> a.claims().containsKey(VIP));
    await("cluster", () -> a.clusterState().clusterId().equals(before.clusterId()));
    assertThat(a.clusterState().revision()).isGreaterThanOrEqualTo(before.revision());
  }

  @Test
  void aShortAbsenceDoesNotCostTheLease() {
    var a = client();
    var lost = new AtomicInteger();
    var lease = a.openLease(Duration.ofSeconds(20), lost::incrementAndGet);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    down();
    up();
    await("owner", () -> a.owner(S).isPresent());
    passReally(Duration.ofSeconds(1));
    assertThat(lease.live()).isTrue();
    assertThat(lost).hasValue(0);
  }

  @Test
  void everyCallFailsWithoutEffectWhileTheStoreIsAway() {
    var a = owning(client(), TAKEOVER_A);
    down();
    try {
      assertKnownFailed(() -> a.owner(S));
      assertKnownFailed(a::claims);
      assertKnownFailed(() -> a.openLease(TTL, CoordinationContract::ignored));
      await(
          "claim fails without having been sent",
          () -> {
            try {
              a.claim(List.of(claim(VIP, WEB_UID, WEB)), S, TAKEOVER_A);
              return false;
            } catch (GatewayException e) {
              return e.outcome() == GatewayException.Outcome.KNOWN_FAILED;
            }
          });
    } finally {
      up();
    }
    await("answers again", () -> a.claims().isEmpty());
  }

  private static void assertKnownFailed(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            GatewayException.class,
            e -> assertThat(e.outcome()).isEqualTo(GatewayException.Outcome.KNOWN_FAILED));
  }

  @Test
  void aLeaseIsKnownLostWhenTheStoreStaysAwayAndIsToldOnce() {
    var a = client();
    var lost = new AtomicInteger();
    var lease = a.openLease(TTL, lost::incrementAndGet);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    down();
    try {
      await("not live", () -> !lease.live());
      await("told", () -> lost.get() == 1);
    } finally {
      up();
    }
    await("key gone", () -> a.owner(S).isEmpty());
    lease.close();
    assertThat(lost).hasValue(1);
  }

  @Test
  void aLeaseOfAWipedStoreIsLostAndTheOtherClusterShows() {
    var a = client();
    var lost = new AtomicInteger();
    var lease = a.openLease(Duration.ofSeconds(20), lost::incrementAndGet);
    a.takeOwnership(S, "a", "a:7401", TAKEOVER_A, lease);
    var before = a.clusterState();
    wipe();
    await("told", () -> lost.get() == 1);
    assertThat(lease.live()).isFalse();
    await("answers", () -> a.owner(S).isEmpty());
    var after = a.clusterState();
    assertThat(after).isNotEqualTo(before);
    assertThat(
            !after.clusterId().equals(before.clusterId()) || after.revision() < before.revision())
        .isTrue();
  }

  @Test
  void closingIsCleanAlsoTwiceAndWhileTheStoreIsAway() {
    var a = client();
    var lost = new AtomicInteger();
    var lease = a.openLease(TTL, lost::incrementAndGet);
    var _ = a.watch(CoordinationContract::ignored);
    down();
    try {
      a.close();
      a.close();
      assertThat(lease.live()).isFalse();
      assertThat(lost).hasValue(0);
      assertThatThrownBy(() -> a.owner(S)).isInstanceOf(GatewayException.class);
    } finally {
      up();
    }
  }
}
