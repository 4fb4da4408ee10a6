package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.Client;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.etcd.Coordination.ClaimOutcome;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.HeldReservation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Who has which address; each change compares the ownership key. Thread-safe. */
final class EtcdClaims {
  /** Transactions that are sent side by side: those of a batch, which then share etcd's disk. */
  private static final int TOGETHER = 4;

  private final EtcdStore store;
  private final EtcdReservations reservations;
  private final FaultPoints points;

  EtcdClaims(EtcdStore store, EtcdReservations reservations, FaultPoints points) {
    this.store = store;
    this.reservations = reservations;
    this.points = points;
  }

  Map<Address, ClaimOutcome> claim(
      Collection<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    requireDistinct(requests);
    var outcomes = new HashMap<Address, ClaimOutcome>();
    var left = EtcdStore.batches(requests);
    while (!left.isEmpty()) {
      var chunks = left.subList(0, Math.min(left.size(), TOGETHER));
      left = left.subList(chunks.size(), left.size());
      var all =
          store
              .connection()
              .write(
                  "claim addresses",
                  client ->
                      EtcdConnection.together(
                          chunks.stream()
                              .map(chunk -> claimAll(client, chunk, partition, takeover))
                              .toList()));
      for (int i = 0; i < chunks.size(); i++) {
        if (all.get(i).isSucceeded()) {
          chunks
              .get(i)
              .forEach(request -> outcomes.put(request.address(), new ClaimOutcome.Claimed()));
        } else {
          outcomes.putAll(claimEach(chunks.get(i), partition, takeover));
        }
        points.reached(FaultPoint.CLAIM_TRANSACTION);
      }
    }
    return outcomes;
  }

  /**
   * All of them or none: hardly ever is one taken that the image knows nothing of, and conditions
   * side by side cost etcd much less than those nested in each other.
   */
  private static CompletableFuture<TxnResponse> claimAll(
      Client client, List<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    var conditions = new ArrayList<>(List.of(EtcdStore.guard(partition, takeover)));
    var puts = new ArrayList<Op>();
    for (var request : requests) {
      var key = bytes(EtcdKeys.claim(request.address()));
      conditions.add(new Cmp(key, Cmp.Op.EQUAL, CmpTarget.version(0)));
      puts.add(Op.put(key, bytes(EtcdKeys.claimValue(request)), PutOption.DEFAULT));
    }
    return client
        .getKVClient()
        .txn()
        .If(conditions.toArray(Cmp[]::new))
        .Then(puts.toArray(EtcdStore.NOTHING))
        .commit();
  }

  /** Those that can be had; of the others the holder. */
  private Map<Address, ClaimOutcome> claimEach(
      List<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    var claims = new ArrayList<Op>();
    for (var request : requests) {
      var key = bytes(EtcdKeys.claim(request.address()));
      claims.add(
          Op.txn(
              new Cmp[] {new Cmp(key, Cmp.Op.EQUAL, CmpTarget.version(0))},
              new Op[] {Op.put(key, bytes(EtcdKeys.claimValue(request)), PutOption.DEFAULT)},
              new Op[] {Op.get(key, GetOption.DEFAULT)}));
    }
    var answer =
        store.commit("claim addresses", EtcdStore.guard(partition, takeover), claims, List.of());
    if (!answer.isSucceeded()) {
      throw new NotOwnerException(partition);
    }
    var outcomes = new HashMap<Address, ClaimOutcome>();
    for (int i = 0; i < requests.size(); i++) {
      outcomes.put(
          requests.get(i).address(), outcome(requests.get(i), answer.getTxnResponses().get(i)));
    }
    return outcomes;
  }

  private static ClaimOutcome outcome(ClaimRequest request, TxnResponse answer) {
    if (answer.isSucceeded()) {
      return new ClaimOutcome.Claimed();
    }
    var holder = holderOrNobody(answer.getGetResponses().getFirst().getKvs().getFirst());
    return holder.uid().equals(request.uid())
        ? new ClaimOutcome.Claimed()
        : new ClaimOutcome.HeldByOther(holder);
  }

  boolean replaceClaim(
      ClaimRequest request, ClaimHolder found, LogPartition partition, UUID takeover) {
    var key = EtcdKeys.claim(request.address());
    var unchanged =
        Op.txn(
            asFound(key, found),
            new Op[] {Op.put(bytes(key), bytes(EtcdKeys.claimValue(request)), PutOption.DEFAULT)},
            EtcdStore.NOTHING);
    var answer =
        store.commit(
            "replace claim", EtcdStore.guard(partition, takeover), List.of(unchanged), List.of());
    if (!answer.isSucceeded()) {
      throw new NotOwnerException(partition);
    }
    return answer.getTxnResponses().getFirst().isSucceeded();
  }

  /** Revisions are given out twice where etcd was restored from a backup: the holder, too. */
  private static Cmp[] asFound(String key, ClaimHolder found) {
    var revision = new Cmp(bytes(key), Cmp.Op.EQUAL, CmpTarget.modRevision(found.revision()));
    if (found.uid().equals(ClaimHolder.nobody(0).uid())) {
      return new Cmp[] {revision};
    }
    var holder = EtcdStore.firstWordIs(key, found.uid());
    return new Cmp[] {revision, holder[0], holder[1]};
  }

  void free(Collection<ClaimRequest> claims, LogPartition partition, UUID takeover) {
    requireDistinct(claims);
    var others = new ArrayList<ClaimRequest>();
    for (var batch : EtcdStore.batches(claims)) {
      var frees = new ArrayList<Op>();
      for (var claim : batch) {
        var key = bytes(EtcdKeys.claim(claim.address()));
        var plain =
            EtcdKeys.claimValue(new ClaimRequest(claim.address(), claim.uid(), claim.service()));
        frees.add(
            Op.txn(
                new Cmp[] {new Cmp(key, Cmp.Op.EQUAL, CmpTarget.value(bytes(plain)))},
                new Op[] {Op.delete(key, DeleteOption.DEFAULT)},
                new Op[] {Op.get(key, GetOption.DEFAULT)}));
      }
      var answer =
          store.commit("free addresses", EtcdStore.guard(partition, takeover), frees, List.of());
      if (!answer.isSucceeded()) {
        throw new NotOwnerException(partition);
      }
      points.reached(FaultPoint.FREE_TRANSACTION);
      for (int i = 0; i < batch.size(); i++) {
        var one = answer.getTxnResponses().get(i);
        var uid = batch.get(i).uid();
        if (!one.isSucceeded()
            && one.getGetResponses().getFirst().getKvs().stream()
                .anyMatch(kv -> holderOrNobody(kv).uid().equals(uid))) {
          others.add(batch.get(i));
        }
      }
    }
    for (var claim : others) {
      giveBack(claim, partition, takeover);
    }
  }

  /** Frees one claim that may have been taken over from a reservation. */
  private void giveBack(ClaimRequest claim, LogPartition partition, UUID takeover) {
    var key = EtcdKeys.claim(claim.address());
    for (int i = 0; i < EtcdStore.ATTEMPTS; i++) {
      var holder =
          store.get(key).map(EtcdClaims::holderOf).filter(h -> h.uid().equals(claim.uid()));
      if (holder.isEmpty()) {
        return;
      }
      var living =
          holder.get().reserved()
              ? Optional.<HeldReservation>empty() // the reservation gives it up itself
              : holder
                  .get()
                  .reservation()
                  .flatMap(reservations::reservation)
                  .filter(r -> r.reservation().addresses().contains(claim.address()));
      if (giveBack(key, claim.address(), holder.get(), living, partition, takeover)) {
        return;
      }
    }
    throw EtcdStore.changedTooOften(key);
  }

  /** False = claim or reservation changed meanwhile. */
  private boolean giveBack(
      String key,
      Address address,
      ClaimHolder holder,
      Optional<HeldReservation> living,
      LogPartition partition,
      UUID takeover) {
    var conditions = new ArrayList<>(List.of(asFound(key, holder)));
    living.ifPresent(found -> conditions.add(EtcdReservations.unchanged(found)));
    var change =
        living
            .map(found -> EtcdReservations.putClaim(found.reservation(), address, found.lease()))
            .orElseGet(() -> Op.delete(bytes(key), DeleteOption.DEFAULT));
    var nested = Op.txn(conditions.toArray(Cmp[]::new), new Op[] {change}, EtcdStore.NOTHING);
    TxnResponse answer;
    try {
      answer =
          store.commit(
              "free address", EtcdStore.guard(partition, takeover), List.of(nested), List.of());
      points.reached(FaultPoint.FREE_TRANSACTION);
    } catch (GatewayException e) {
      if (EtcdStore.leaseIsGone(e)) {
        return false;
      }
      throw e;
    }
    if (!answer.isSucceeded()) {
      throw new NotOwnerException(partition);
    }
    return answer.getTxnResponses().getFirst().isSucceeded();
  }

  Optional<ClaimHolder> claimOn(Address address) {
    return store.get(EtcdKeys.claim(address)).map(EtcdClaims::holderOf);
  }

  SortedMap<Address, ClaimHolder> claims() {
    var claims = new TreeMap<Address, ClaimHolder>();
    store
        .unreadable()
        .readable(
            EtcdKeys.CLAIMS,
            store.range(EtcdKeys.CLAIMS),
            kv -> Map.entry(EtcdKeys.address(text(kv.getKey())), holderOf(kv)))
        .forEach(claim -> claims.put(claim.getKey(), claim.getValue()));
    return claims;
  }

  static ClaimHolder holderOrNobody(KeyValue kv) {
    try {
      return holderOf(kv);
    } catch (GatewayException _) { // told when it is listed
      return ClaimHolder.nobody(kv.getModRevision());
    }
  }

  private static ClaimHolder holderOf(KeyValue kv) {
    return EtcdKeys.holder(text(kv.getKey()), text(kv.getValue()), kv.getModRevision());
  }

  private static void requireDistinct(Collection<ClaimRequest> requests) {
    var seen = new HashSet<Address>();
    for (var request : requests) {
      if (!seen.add(request.address())) { // etcd refuses two puts of one key in a transaction
        throw new IllegalArgumentException(request.address() + " stands twice in one request");
      }
    }
  }
}
