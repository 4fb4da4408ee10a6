package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.common.exception.ErrorCode;
import io.etcd.jetcd.common.exception.EtcdException;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.etcd.Coordination.HeldReservation;
import io.fairlead.etcd.Coordination.ReserveOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;

/** Addresses that are held under leases of their own. Thread-safe. */
final class EtcdReservations {
  private final EtcdStore store;
  private final FaultPoints points;

  EtcdReservations(EtcdStore store, FaultPoints points) {
    this.store = store;
    this.points = points;
  }

  ReserveOutcome reserve(
      Reservation reservation,
      String tokenHash,
      Map<Address, ClaimHolder> replaced,
      LogPartition partition,
      UUID takeover) {
    long lease = store.grant(reservation.ttl());
    boolean held = false;
    try {
      var outcome = reserve(reservation, tokenHash, replaced, lease, partition, takeover);
      held = outcome instanceof ReserveOutcome.Reserved;
      return outcome;
    } finally {
      if (!held) { // also where the outcome is unknown: what is under it goes with it
        store.revoke(lease);
      }
    }
  }

  private ReserveOutcome reserve(
      Reservation reservation,
      String tokenHash,
      Map<Address, ClaimHolder> replaced,
      long lease,
      LogPartition partition,
      UUID takeover) {
    var conditions = new ArrayList<Cmp>();
    var puts = new ArrayList<Op>();
    var gets = new ArrayList<Op>();
    for (var address : reservation.addresses()) { // so few that one transaction takes them
      var key = bytes(EtcdKeys.claim(address));
      var found = replaced.get(address);
      conditions.add(
          new Cmp(
              key,
              Cmp.Op.EQUAL,
              found == null ? CmpTarget.version(0) : CmpTarget.modRevision(found.revision())));
      puts.add(putClaim(reservation, address, lease));
      gets.add(Op.get(key, GetOption.DEFAULT));
    }
    puts.add(
        Op.put(
            bytes(EtcdKeys.reservation(reservation.uid())),
            bytes(EtcdKeys.reservationValue(reservation, tokenHash)),
            PutOption.builder().withLeaseId(lease).build()));
    var nested =
        Op.txn(
            conditions.toArray(Cmp[]::new),
            puts.toArray(EtcdStore.NOTHING),
            gets.toArray(EtcdStore.NOTHING));
    var answer =
        store.commit(
            "reserve addresses", EtcdStore.guard(partition, takeover), List.of(nested), List.of());
    points.reached(FaultPoint.CLAIM_TRANSACTION);
    if (!answer.isSucceeded()) {
      throw new NotOwnerException(partition);
    }
    var inner = answer.getTxnResponses().getFirst();
    if (inner.isSucceeded()) {
      return new ReserveOutcome.Reserved();
    }
    var holders = new TreeMap<Address, ClaimHolder>();
    for (int i = 0; i < reservation.addresses().size(); i++) {
      var address = reservation.addresses().get(i);
      inner
          .getGetResponses()
          .get(i)
          .getKvs()
          .forEach(kv -> holders.put(address, EtcdClaims.holderOrNobody(kv)));
    }
    return new ReserveOutcome.Lost(holders);
  }

  static Op putClaim(Reservation reservation, Address address, long lease) {
    return Op.put(
        bytes(EtcdKeys.claim(address)),
        bytes(EtcdKeys.claimValue(EtcdKeys.claim(reservation, address))),
        PutOption.builder().withLeaseId(lease).build());
  }

  static Cmp unchanged(HeldReservation found) {
    return new Cmp(
        bytes(EtcdKeys.reservation(found.reservation().uid())),
        Cmp.Op.EQUAL,
        CmpTarget.modRevision(found.revision()));
  }

  Optional<HeldReservation> reservation(UUID id) {
    var found = store.get(EtcdKeys.reservation(id));
    try {
      return found.map(EtcdReservations::reservationOf);
    } catch (GatewayException _) { // told when they are listed; it runs out all the same
      return Optional.empty();
    }
  }

  SortedMap<UUID, HeldReservation> reservations() {
    var reservations = new TreeMap<UUID, HeldReservation>();
    store
        .unreadable()
        .readable(
            EtcdKeys.RESERVATIONS,
            store.range(EtcdKeys.RESERVATIONS),
            EtcdReservations::reservationOf)
        .forEach(found -> reservations.put(found.reservation().uid(), found));
    return reservations;
  }

  private static HeldReservation reservationOf(KeyValue kv) {
    return EtcdKeys.reservation(
        text(kv.getKey()), text(kv.getValue()), kv.getLease(), kv.getModRevision());
  }

  Map<UUID, Duration> timeLeft(Collection<HeldReservation> reservations) {
    var left = new HashMap<UUID, Duration>();
    var all = List.copyOf(reservations);
    for (int from = 0; from < all.size(); from += EtcdStore.OPERATIONS) {
      var some = all.subList(from, Math.min(all.size(), from + EtcdStore.OPERATIONS));
      var answers =
          store
              .connection()
              .read(
                  "read leases",
                  client -> {
                    var calls =
                        some.stream()
                            .map(one ->
                                client
                                    .getLeaseClient()
                                    .timeToLive(one.lease(), LeaseOption.DEFAULT))
                            .toList();
                    return EtcdConnection.together(calls);
                  });
      for (int i = 0; i < some.size(); i++) {
        long seconds = answers.get(i).getTTL();
        if (seconds >= 0) { // -1: etcd does not know it
          left.put(some.get(i).reservation().uid(), Duration.ofSeconds(seconds));
        }
      }
    }
    return left;
  }

  Optional<Duration> renew(HeldReservation reservation) {
    try {
      var answer =
          store
              .connection()
              .write(
                  "renew lease",
                  client -> client.getLeaseClient().keepAliveOnce(reservation.lease()));
      return Optional.of(Duration.ofSeconds(answer.getTTL()));
    } catch (GatewayException e) {
      if (e.getCause() instanceof ExecutionException failed
          && failed.getCause() instanceof EtcdException answered
          && answered.getErrorCode() == ErrorCode.NOT_FOUND) {
        return Optional.empty(); // what jetcd makes of an answer with ttl 0
      }
      throw e;
    }
  }

  void endReservations(Collection<UUID> ids, LogPartition partition, UUID takeover) {
    for (var id : ids) {
      var found = reservation(id);
      if (found.isEmpty()) {
        continue; // and what it held went with it
      }
      var ends = new ArrayList<Op>();
      for (var address : found.get().reservation().addresses()) {
        var key = EtcdKeys.claim(address);
        ends.add(
            Op.txn(
                EtcdStore.firstWordIs(key, id),
                new Op[] {Op.delete(bytes(key), DeleteOption.DEFAULT)},
                EtcdStore.NOTHING));
      }
      ends.add(Op.delete(bytes(EtcdKeys.reservation(id)), DeleteOption.DEFAULT));
      if (!store
          .commit("end reservation", EtcdStore.guard(partition, takeover), ends, List.of())
          .isSucceeded()) {
        throw new NotOwnerException(partition);
      }
      points.reached(FaultPoint.FREE_TRANSACTION);
      store.revoke(found.get().lease());
    }
  }

  void restoreClaims(
      HeldReservation found, Collection<Address> addresses, LogPartition partition, UUID takeover) {
    var puts = new ArrayList<Op>();
    for (var address : addresses) {
      puts.add(
          Op.txn(
              new Cmp[] {
                new Cmp(bytes(EtcdKeys.claim(address)), Cmp.Op.EQUAL, CmpTarget.version(0)),
                unchanged(found)
              },
              new Op[] {putClaim(found.reservation(), address, found.lease())},
              EtcdStore.NOTHING));
    }
    try {
      if (!store
          .commit("restore claims", EtcdStore.guard(partition, takeover), puts, List.of())
          .isSucceeded()) {
        throw new NotOwnerException(partition);
      }
    } catch (GatewayException e) {
      if (!EtcdStore.leaseIsGone(e)) {
        throw e;
      }
    }
  }
}
