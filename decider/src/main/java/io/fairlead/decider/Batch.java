package io.fairlead.decider;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ReservedAddress;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.etcd.Coordination.ClaimOutcome;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.HeldReservation;
import io.fairlead.etcd.Coordination.ReserveOutcome;
import io.fairlead.eventlog.codec.EventCodec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Decides the slots of one transaction, one after another on a working image, and claims what they
 * need. A slot that loses a claim is decided again, and so are all after it, because they saw what
 * it wanted.
 */
final class Batch<C, R> {
  /**
   * Lost claims are rare: etcd holds what the image does not know only until the next
   * reconciliation.
   */
  private static final int MOST_LOST_CLAIMS = 16;

  /** How often the addresses of a reservation are looked at again where none is anybody's. */
  private static final int RESERVE_TRIES = 4;

  /** Far below what Kafka takes as one record, so that envelope and headers never matter. */
  static final int MOST_OBJECT_BYTES = 256 * 1024;

  private final Parts<C, R> parts;
  private final LogPartition partition;
  private final UUID takeover;
  private final Feed.State base;
  private final List<Slot<C, R>> slots;

  /** What this batch holds in etcd, whether still wanted or not. */
  private final Map<Address, ClaimRequest> claimed = new HashMap<>();

  /** Reservations that this batch made in etcd, whether still wanted or not. */
  private final Set<UUID> reserved = new HashSet<>();

  private boolean claimsInDoubt;

  Batch(
      Parts<C, R> parts,
      LogPartition partition,
      UUID takeover,
      Feed.State base,
      List<Slot<C, R>> slots) {
    this.parts = parts;
    this.partition = partition;
    this.takeover = takeover;
    this.base = base;
    this.slots = slots;
  }

  List<Slot<C, R>> open() {
    return slots.stream().filter(Slot::open).toList();
  }

  Feed.State base() {
    return base;
  }

  /** Whether etcd may hold claims of this batch that it does not know of. */
  boolean claimsInDoubt() {
    return claimsInDoubt;
  }

  /**
   * Until all that are open hold their claims; those that cannot are answered.
   *
   * @throws io.fairlead.etcd.NotOwnerException the partition was taken over
   */
  void decideAndClaim() {
    decideFrom(0);
    while (true) {
      var wanted = unclaimed();
      var holders = unreserved();
      if (wanted.isEmpty() && holders.isEmpty()) {
        return;
      }
      parts.points().reached(FaultPoint.COMMIT_DECIDED);
      int firstLoser = slots.size();
      try {
        // first: a Service of the same batch may take over what is reserved
        var losers = new ArrayList<>(reserve(holders));
        losers.addAll(claim(wanted));
        for (var loser : losers) {
          firstLoser = Math.min(firstLoser, slots.indexOf(loser));
        }
      } catch (GatewayException e) {
        // also where the failed call did nothing: it may be the second of several
        claimsInDoubt = true;
        firstLoser = refuseClaimants(e);
      }
      if (firstLoser < slots.size()) { // else what is decided stays
        decideFrom(firstLoser);
      }
    }
  }

  private void decideFrom(int index) {
    long fromNanos = parts.time().nanoTime();
    var working = base.image();
    for (int i = 0; i < slots.size(); i++) {
      var slot = slots.get(i);
      if (!slot.open()) {
        continue;
      }
      if (i >= index) {
        decide(slot, working);
      }
      if (slot.open() && slot.plan().writes()) {
        working = working.with(slot.plan().changes());
      }
    }
    parts.stats().took(Phase.DECIDE, parts.time().nanoTime() - fromNanos);
  }

  private void decide(Slot<C, R> slot, ClusterImage working) {
    try {
      slot.decide(working, parts.time().now(), parts.random());
      tooLarge(slot.plan().changes())
          .or(() -> aboveLevel(working, slot.plan().changes()))
          .ifPresent(slot::refuse);
    } catch (RuntimeException e) {
      parts.faults().fault("deciding a request for partition " + partition, e);
      slot.fail(e);
    }
  }

  /** Asked here, where nothing is claimed yet: the log would refuse it only after that. */
  private static Optional<Refusal> tooLarge(List<Change> changes) {
    for (var change : changes) {
      if (change instanceof Change.Put(var object)) {
        int bytes = EventCodec.objectBytes(object);
        if (bytes > MOST_OBJECT_BYTES) {
          var words =
              "takes %d bytes in the log, must be at most %d".formatted(bytes, MOST_OBJECT_BYTES);
          return Optional.of(
              new Refusal.Invalid(
                  object.key(),
                  List.of(new Violation("object", Violation.Reason.TOO_LONG, words))));
        }
      }
    }
    return Optional.empty();
  }

  /** What replicas may not understand that follow this log is not written. */
  private Optional<Refusal> aboveLevel(ClusterImage working, List<Change> changes) {
    int level = working.featureLevel();
    for (var change : changes) {
      if (change instanceof Change.Put(var object)) {
        int needed = parts.settings().levels().needed().applyAsInt(object);
        if (needed > level) {
          return Optional.of(new Refusal.AboveFeatureLevel(object.key(), needed, level));
        }
      }
    }
    return Optional.empty();
  }

  /** By address; of two that want the same (the first one is deleted in this batch) the later. */
  private Map<Address, Wanted<C, R>> unclaimed() {
    var wanted = new LinkedHashMap<Address, Wanted<C, R>>();
    for (var slot : open()) {
      for (var claim : slot.plan().claims()) {
        wanted.put(claim.address(), new Wanted<>(slot, request(claim)));
      }
    }
    wanted.values().removeIf(w -> w.claim.equals(claimed.get(w.claim.address())));
    return wanted;
  }

  private record Wanted<C, R>(Slot<C, R> slot, ClaimRequest claim) {}

  private static ClaimRequest held(Address address, ClaimHolder holder) {
    return new ClaimRequest(address, holder.uid(), holder.service());
  }

  private static ClaimRequest request(Decision.Claim claim) {
    return new ClaimRequest(claim.address(), claim.uid(), claim.service());
  }

  /** Those whose reservation is not in etcd yet. */
  private List<Slot<C, R>> unreserved() {
    return open().stream()
        .filter(slot ->
            slot.plan()
                .hold()
                .filter(hold -> !reserved.contains(hold.reservation().uid()))
                .isPresent())
        .toList();
  }

  /** Makes their reservations; who did not get all its addresses is told what it lost. */
  private List<Slot<C, R>> reserve(List<Slot<C, R>> slots) {
    var losers = new ArrayList<Slot<C, R>>();
    for (var slot : slots) {
      var hold = slot.plan().hold().orElseThrow();
      if (reserve(slot, hold)) {
        reserved.add(hold.reservation().uid());
        // an earlier try may have claimed some for a Service of this batch: it takes them over anew
        hold.reservation().addresses().forEach(claimed::remove);
        parts.points().reached(FaultPoint.COMMIT_CLAIMED);
      } else {
        losers.add(slot);
      }
    }
    refuseHopeless(losers);
    return losers;
  }

  private boolean reserve(Slot<C, R> slot, Decision.Hold hold) {
    var replaced = new HashMap<Address, ClaimHolder>();
    for (int i = 0; i < RESERVE_TRIES; i++) {
      var outcome =
          parts
              .coordination()
              .reserve(hold.reservation(), hold.tokenHash(), replaced, partition, takeover);
      switch (outcome) {
        case ReserveOutcome.Reserved() -> {
          return true;
        }
        case ReserveOutcome.Lost(var holders) -> {
          replaced.clear();
          for (var held : holders.entrySet()) {
            if (!told(slot, held.getKey(), held.getValue())) {
              replaced.put(held.getKey(), held.getValue());
            }
          }
          if (replaced.size() < holders.size()) {
            return false;
          }
        }
      }
    }
    slot.contested();
    return false;
  }

  /** Claims them; who did not get all is told what it lost. */
  private List<Slot<C, R>> claim(Map<Address, Wanted<C, R>> wanted) {
    if (wanted.isEmpty()) {
      return List.of();
    }
    var requests = wanted.values().stream().map(Wanted::claim).toList();
    long fromNanos = parts.time().nanoTime();
    var outcomes = parts.coordination().claim(requests, partition, takeover);
    parts.stats().took(Phase.CLAIM, parts.time().nanoTime() - fromNanos);
    parts.points().reached(FaultPoint.COMMIT_CLAIMED);
    var losers = new ArrayList<Slot<C, R>>();
    for (var one : wanted.values()) {
      var address = one.claim.address();
      switch (Objects.requireNonNull(outcomes.get(address), "an outcome for each address")) {
        case ClaimOutcome.Claimed() -> claimed.put(address, one.claim);
        case ClaimOutcome.HeldByOther(var holder) -> {
          if (holder.reserved() && holder.service().equals(one.claim.service())
              ? takeOver(one, holder)
              : !told(one.slot, address, holder) && replace(one, one.claim, holder)) {
            claimed.put(address, one.claim);
          } else {
            losers.add(one.slot);
          }
        }
      }
    }
    refuseHopeless(losers);
    return losers;
  }

  /** From the reservation that was made for this Service. */
  private boolean takeOver(Wanted<C, R> one, ClaimHolder holder) {
    var living = living(holder);
    var from =
        new ClaimRequest(
            one.claim.address(),
            one.claim.uid(),
            one.claim.service(),
            living.map(found -> found.reservation().uid()));
    if (!replace(one, from, holder)) {
      return false;
    }
    living.ifPresent(_ -> parts.stats().reservedTakenOver.increment());
    return true;
  }

  private boolean replace(Wanted<C, R> one, ClaimRequest claim, ClaimHolder found) {
    if (parts.coordination().replaceClaim(claim, found, partition, takeover)) {
      parts.points().reached(FaultPoint.COMMIT_REPLACED);
      return true;
    }
    one.slot.contested(); // freed meanwhile, as by a reservation that ran out
    return false;
  }

  /**
   * Tells a decision who has an address that it wants.
   *
   * @return false = nobody: it was left by a crash, by a deletion that could not free it, or by
   *     this batch's earlier tries
   */
  private boolean told(Slot<C, R> slot, Address address, ClaimHolder holder) {
    if (!holder.reserved()) {
      if (!ClaimReconciler.lives(base.image(), held(address, holder))) {
        return false;
      }
      slot.lost(address, holder.service());
    } else {
      var living = living(holder);
      if (living.isEmpty()) {
        return false;
      }
      var left = parts.coordination().timeLeft(List.of(living.get())).get(holder.uid());
      if (left == null) {
        slot.contested(); // it ran out just now
        return true;
      }
      slot.lost(
          address,
          new ReservedAddress(holder.service(), holder.uid(), parts.time().now().plus(left)));
    }
    parts.stats().claimConflicts.increment();
    return true;
  }

  /** The reservation that has an address, where the log and etcd both say that it lives. */
  private Optional<HeldReservation> living(ClaimHolder holder) {
    var id = holder.uid();
    boolean known =
        base.image().reservations().get(id.toString()).isPresent()
            || open().stream()
                .flatMap(slot -> slot.plan().hold().stream())
                .anyMatch(hold -> hold.reservation().uid().equals(id));
    return known ? parts.coordination().reservation(id) : Optional.empty();
  }

  private void refuseHopeless(List<Slot<C, R>> losers) {
    for (var loser : losers) {
      if (loser.open() && loser.lostClaims() > MOST_LOST_CLAIMS + loser.plan().wants()) {
        loser.refuse(
            Refused.because(
                Answer.Reason.ETCD_UNAVAILABLE,
                "etcd holds claims on " + loser.lostClaims() + " addresses that no Service has"));
      }
    }
  }

  /** Without etcd no address is given out; the others go on. The index of the first one refused. */
  private int refuseClaimants(GatewayException e) {
    int first = slots.size();
    for (int i = slots.size() - 1; i >= 0; i--) {
      var slot = slots.get(i);
      if (slot.open() && slot.plan().claimsAny()) {
        slot.refuse(
            Refused.because(
                Answer.Reason.ETCD_UNAVAILABLE, "no address can be claimed: " + e.getMessage()));
        first = i;
      }
    }
    return first;
  }

  /**
   * What the decisions free, and claims of this batch that came to nothing; but nothing that a
   * Service has after it, such as an address that one decision gave up and a later one took back.
   *
   * @param image after the batch
   */
  List<ClaimRequest> toFree(ClusterImage image) {
    var frees = new LinkedHashMap<Address, ClaimRequest>();
    for (var slot : slots) {
      if (slot.succeeded() || slot.open()) {
        slot.plan().frees().forEach(claim -> frees.put(claim.address(), request(claim)));
      }
    }
    frees.putAll(claimed); // last: that is what etcd holds of these addresses
    frees.values().removeIf(claim -> ClaimReconciler.lives(image, claim));
    return List.copyOf(frees.values());
  }

  /**
   * Reservations that the decisions end, and those of this batch that came to nothing.
   *
   * @param image after the batch
   */
  List<UUID> toEnd(ClusterImage image) {
    var ends = new LinkedHashSet<>(reserved);
    for (var slot : slots) {
      if (slot.succeeded() || slot.open()) {
        for (var change : slot.plan().changes()) {
          if (change instanceof Change.Remove(var key, var uid) && key.kind() == Kind.RESERVATION) {
            ends.add(uid);
          }
        }
      }
    }
    ends.removeIf(id -> image.reservations().get(id.toString()).isPresent());
    return List.copyOf(ends);
  }

  /** The reservations that were made, for a batch that came to nothing. */
  List<UUID> allReserved() {
    return List.copyOf(reserved);
  }

  /**
   * What was claimed, for a batch that came to nothing; but nothing that a Service had before it.
   */
  List<ClaimRequest> allClaimed() {
    return claimed.values().stream()
        .filter(claim -> !ClaimReconciler.lives(base.image(), claim))
        .toList();
  }
}
