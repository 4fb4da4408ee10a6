package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;
import static io.fairlead.etcd.EtcdKeys.text;

import io.etcd.jetcd.Client;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.common.exception.ErrorCode;
import io.etcd.jetcd.common.exception.EtcdException;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
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
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Coordination} over a real etcd, 3.4 or newer. Thread-safe; durable state is etcd's alone.
 * Threads of its own: a virtual one for each lease and each watch; all end with {@link #close}.
 */
public final class EtcdCoordination implements Coordination {
  private static final Logger log = LoggerFactory.getLogger(EtcdCoordination.class);

  /**
   * Below etcd's default of 128 operations, which counts those nested in each other, too, and the
   * conditions.
   */
  static final int OPERATIONS = 120;

  /** Transactions that are sent side by side: those of a batch, which then share etcd's disk. */
  private static final int TOGETHER = 4;

  /** Answers stay far below gRPC's message limit. */
  static final int PAGE = 4_000;

  private static final int ATTEMPTS = 5;
  private static final Op[] NOTHING = {};

  private final EtcdConfig config;
  private final Time time;
  private final FaultPoints points;
  private final EtcdConnection connection;
  private final UnreadableKeys unreadable = new UnreadableKeys();
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

  private EtcdCoordination(EtcdConfig config, Time time, FaultPoints points) {
    this.config = config;
    this.time = time;
    this.points = points;
    this.connection = new EtcdConnection(config, time);
  }

  /** Connects with the first call, so that a process can start before etcd does. */
  public static EtcdCoordination connect(EtcdConfig config, Time time) {
    return connect(config, time, FaultPoints.NONE);
  }

  /** Likewise; the points are told of each transaction on claims. */
  public static EtcdCoordination connect(EtcdConfig config, Time time, FaultPoints points) {
    return new EtcdCoordination(config, time, points);
  }

  @Override
  public Lease openLease(Duration ttl, Runnable onLost) {
    if (ttl.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("lease ttl " + ttl + " is below PT1S");
    }
    long seconds = ttl.plusNanos(999_999_999).toSeconds();
    long askedNanos = time.nanoTime();
    var granted = connection.write("grant lease", client -> client.getLeaseClient().grant(seconds));
    var lease =
        new KeptLease(
            connection,
            time,
            granted.getID(),
            ttl,
            askedNanos,
            onLost,
            ended -> open.remove(ended));
    open.add(lease);
    lease.start();
    return lease;
  }

  // --- ownership

  @Override
  public Optional<Taken> takeOwnership(
      LogPartition partition, String replica, String address, UUID takeover, Lease lease) {
    var key = EtcdKeys.owner(partition);
    var settledKey = EtcdKeys.settled(partition);
    var takeSettled = Op.delete(bytes(settledKey), DeleteOption.builder().withPrevKV(true).build());
    var value = EtcdKeys.ownerValue(replica, address, takeover);
    for (int i = 0; i < ATTEMPTS; i++) {
      var held = get(key);
      if (held.isPresent() && !ownerOf(held.get()).replica().equals(replica)) {
        return Optional.empty();
      }
      var put =
          putIfUnchanged("take ownership of " + partition, key, held, value, lease, takeSettled);
      if (put.isSucceeded()) {
        var owner = new Owner(replica, address, takeover, put.getHeader().getRevision());
        var settled =
            put.getDeleteResponses().getFirst().getPrevKvs().stream()
                .findFirst()
                .flatMap(kv -> EtcdKeys.settled(text(kv.getValue())));
        return Optional.of(new Taken(owner, settled));
      }
    }
    throw changedTooOften(key);
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return get(EtcdKeys.owner(partition)).map(EtcdCoordination::ownerOf);
  }

  @Override
  public Map<LogPartition, Owner> owners() {
    record Owned(Optional<LogPartition> partition, Owner owner) {}
    var owners = new TreeMap<LogPartition, Owner>();
    unreadable
        .readable(
            EtcdKeys.OWNERS,
            range(EtcdKeys.OWNERS),
            kv -> new Owned(EtcdKeys.partition(text(kv.getKey())), ownerOf(kv)))
        .forEach(
            owned -> owned.partition.ifPresent(partition -> owners.put(partition, owned.owner)));
    return owners;
  }

  private static Owner ownerOf(KeyValue kv) {
    return EtcdKeys.owner(text(kv.getKey()), text(kv.getValue()), kv.getModRevision());
  }

  @Override
  public void releaseOwnership(LogPartition partition, UUID takeover) {
    var delete = Op.delete(bytes(EtcdKeys.owner(partition)), DeleteOption.DEFAULT);
    var _ = commit("release " + partition, guard(partition, takeover), List.of(delete), List.of());
  }

  @Override
  public void releaseSettled(LogPartition partition, UUID takeover, Settled settled) {
    var delete = Op.delete(bytes(EtcdKeys.owner(partition)), DeleteOption.DEFAULT);
    var put =
        Op.put(
            bytes(EtcdKeys.settled(partition)),
            bytes(EtcdKeys.settledValue(settled)),
            PutOption.DEFAULT);
    var _ =
        commit("release " + partition, guard(partition, takeover), List.of(delete, put), List.of());
  }

  // --- members

  @Override
  public void putMember(String service, Member member, Lease lease) {
    var key = bytes(EtcdKeys.member(service, member.replica()));
    var value = bytes(EtcdKeys.memberValue(member));
    var option = PutOption.builder().withLeaseId(lease.id()).build();
    var _ =
        under(
            lease,
            () ->
                connection.write(
                    "put member", client -> client.getKVClient().put(key, value, option)));
  }

  @Override
  public SortedMap<String, Member> members(String service) {
    var prefix = EtcdKeys.MEMBERS + service + "/";
    var members = new TreeMap<String, Member>();
    unreadable
        .readable(
            prefix,
            range(prefix),
            kv -> {
              var key = text(kv.getKey());
              return EtcdKeys.member(key, key.substring(prefix.length()), text(kv.getValue()));
            })
        .forEach(member -> members.put(member.replica(), member));
    return members;
  }

  @Override
  public AutoCloseable watch(Runnable onChange) {
    // members, nodes and owners lie side by side; claims, which change with every Service, do not
    var watch =
        new EtcdWatch(
            connection,
            time,
            EtcdKeys.MEMBERS,
            EtcdKeys.endOf(EtcdKeys.OWNERS),
            config.callTimeout(),
            onChange);
    open.add(watch);
    watch.start();
    return () -> {
      open.remove(watch);
      watch.close();
    };
  }

  // --- claims

  @Override
  public Map<Address, ClaimOutcome> claim(
      Collection<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    requireDistinct(requests);
    var outcomes = new HashMap<Address, ClaimOutcome>();
    var left = batches(requests);
    while (!left.isEmpty()) {
      var chunks = left.subList(0, Math.min(left.size(), TOGETHER));
      left = left.subList(chunks.size(), left.size());
      var all =
          connection.write(
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
    var conditions = new ArrayList<>(List.of(guard(partition, takeover)));
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
        .Then(puts.toArray(NOTHING))
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
    var answer = commit("claim addresses", guard(partition, takeover), claims, List.of());
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

  @Override
  public boolean replaceClaim(
      ClaimRequest request, ClaimHolder found, LogPartition partition, UUID takeover) {
    var key = EtcdKeys.claim(request.address());
    var unchanged =
        Op.txn(
            asFound(key, found),
            new Op[] {Op.put(bytes(key), bytes(EtcdKeys.claimValue(request)), PutOption.DEFAULT)},
            NOTHING);
    var answer = commit("replace claim", guard(partition, takeover), List.of(unchanged), List.of());
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
    var holder = firstWordIs(key, found.uid());
    return new Cmp[] {revision, holder[0], holder[1]};
  }

  @Override
  public void free(Collection<ClaimRequest> claims, LogPartition partition, UUID takeover) {
    requireDistinct(claims);
    var others = new ArrayList<ClaimRequest>();
    for (var batch : batches(claims)) {
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
      var answer = commit("free addresses", guard(partition, takeover), frees, List.of());
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
    for (int i = 0; i < ATTEMPTS; i++) {
      var holder =
          get(key).map(EtcdCoordination::holderOf).filter(h -> h.uid().equals(claim.uid()));
      if (holder.isEmpty()) {
        return;
      }
      var living =
          holder.get().reserved()
              ? Optional.<HeldReservation>empty() // the reservation gives it up itself
              : holder
                  .get()
                  .reservation()
                  .flatMap(this::reservation)
                  .filter(r -> r.reservation().addresses().contains(claim.address()));
      if (giveBack(key, claim.address(), holder.get(), living, partition, takeover)) {
        return;
      }
    }
    throw changedTooOften(key);
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
    living.ifPresent(found -> conditions.add(unchanged(found)));
    var change =
        living
            .map(found -> putClaim(found.reservation(), address, found.lease()))
            .orElseGet(() -> Op.delete(bytes(key), DeleteOption.DEFAULT));
    var nested = Op.txn(conditions.toArray(Cmp[]::new), new Op[] {change}, NOTHING);
    TxnResponse answer;
    try {
      answer = commit("free address", guard(partition, takeover), List.of(nested), List.of());
      points.reached(FaultPoint.FREE_TRANSACTION);
    } catch (GatewayException e) {
      if (leaseIsGone(e)) {
        return false;
      }
      throw e;
    }
    if (!answer.isSucceeded()) {
      throw new NotOwnerException(partition);
    }
    return answer.getTxnResponses().getFirst().isSucceeded();
  }

  @Override
  public Optional<ClaimHolder> claimOn(Address address) {
    return get(EtcdKeys.claim(address)).map(EtcdCoordination::holderOf);
  }

  @Override
  public SortedMap<Address, ClaimHolder> claims() {
    var claims = new TreeMap<Address, ClaimHolder>();
    unreadable
        .readable(
            EtcdKeys.CLAIMS,
            range(EtcdKeys.CLAIMS),
            kv -> Map.entry(EtcdKeys.address(text(kv.getKey())), holderOf(kv)))
        .forEach(claim -> claims.put(claim.getKey(), claim.getValue()));
    return claims;
  }

  private static ClaimHolder holderOrNobody(KeyValue kv) {
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

  private static List<List<ClaimRequest>> batches(Collection<ClaimRequest> requests) {
    var all = List.copyOf(requests);
    var batches = new ArrayList<List<ClaimRequest>>();
    for (int from = 0; from < all.size(); from += OPERATIONS) {
      batches.add(all.subList(from, Math.min(all.size(), from + OPERATIONS)));
    }
    return batches;
  }

  // --- reservations

  @Override
  public ReserveOutcome reserve(
      Reservation reservation,
      String tokenHash,
      Map<Address, ClaimHolder> replaced,
      LogPartition partition,
      UUID takeover) {
    long seconds = reservation.ttl().plusNanos(999_999_999).toSeconds();
    long lease =
        connection.write("grant lease", client -> client.getLeaseClient().grant(seconds)).getID();
    boolean held = false;
    try {
      var outcome = reserve(reservation, tokenHash, replaced, lease, partition, takeover);
      held = outcome instanceof ReserveOutcome.Reserved;
      return outcome;
    } finally {
      if (!held) { // also where the outcome is unknown: what is under it goes with it
        revoke(lease);
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
        Op.txn(conditions.toArray(Cmp[]::new), puts.toArray(NOTHING), gets.toArray(NOTHING));
    var answer =
        commit("reserve addresses", guard(partition, takeover), List.of(nested), List.of());
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
          .forEach(kv -> holders.put(address, holderOrNobody(kv)));
    }
    return new ReserveOutcome.Lost(holders);
  }

  private static Op putClaim(Reservation reservation, Address address, long lease) {
    return Op.put(
        bytes(EtcdKeys.claim(address)),
        bytes(EtcdKeys.claimValue(EtcdKeys.claim(reservation, address))),
        PutOption.builder().withLeaseId(lease).build());
  }

  private static Cmp unchanged(HeldReservation found) {
    return new Cmp(
        bytes(EtcdKeys.reservation(found.reservation().uid())),
        Cmp.Op.EQUAL,
        CmpTarget.modRevision(found.revision()));
  }

  /** Best effort, without waiting: without its keys a lease is nothing, and it runs out. */
  private void revoke(long lease) {
    try {
      var _ = connection.client().getLeaseClient().revoke(lease);
    } catch (RuntimeException e) { // the client was closed under us
      log.atDebug().setCause(e).log("lease not revoked; it runs out");
    }
  }

  @Override
  public Optional<HeldReservation> reservation(UUID id) {
    var found = get(EtcdKeys.reservation(id));
    try {
      return found.map(EtcdCoordination::reservationOf);
    } catch (GatewayException _) { // told when they are listed; it runs out all the same
      return Optional.empty();
    }
  }

  @Override
  public SortedMap<UUID, HeldReservation> reservations() {
    var reservations = new TreeMap<UUID, HeldReservation>();
    unreadable
        .readable(
            EtcdKeys.RESERVATIONS, range(EtcdKeys.RESERVATIONS), EtcdCoordination::reservationOf)
        .forEach(found -> reservations.put(found.reservation().uid(), found));
    return reservations;
  }

  private static HeldReservation reservationOf(KeyValue kv) {
    return EtcdKeys.reservation(
        text(kv.getKey()), text(kv.getValue()), kv.getLease(), kv.getModRevision());
  }

  @Override
  public Map<UUID, Duration> timeLeft(Collection<HeldReservation> reservations) {
    var left = new HashMap<UUID, Duration>();
    var all = List.copyOf(reservations);
    for (int from = 0; from < all.size(); from += OPERATIONS) {
      var some = all.subList(from, Math.min(all.size(), from + OPERATIONS));
      var answers =
          connection.read(
              "read leases",
              client -> {
                var calls =
                    some.stream()
                        .map(one ->
                            client.getLeaseClient().timeToLive(one.lease(), LeaseOption.DEFAULT))
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

  @Override
  public Optional<Duration> renew(HeldReservation reservation) {
    try {
      var answer =
          connection.write(
              "renew lease", client -> client.getLeaseClient().keepAliveOnce(reservation.lease()));
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

  @Override
  public void endReservations(Collection<UUID> ids, LogPartition partition, UUID takeover) {
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
                firstWordIs(key, id),
                new Op[] {Op.delete(bytes(key), DeleteOption.DEFAULT)},
                NOTHING));
      }
      ends.add(Op.delete(bytes(EtcdKeys.reservation(id)), DeleteOption.DEFAULT));
      if (!commit("end reservation", guard(partition, takeover), ends, List.of()).isSucceeded()) {
        throw new NotOwnerException(partition);
      }
      points.reached(FaultPoint.FREE_TRANSACTION);
      revoke(found.get().lease());
    }
  }

  @Override
  public void restoreClaims(
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
              NOTHING));
    }
    try {
      if (!commit("restore claims", guard(partition, takeover), puts, List.of()).isSucceeded()) {
        throw new NotOwnerException(partition);
      }
    } catch (GatewayException e) {
      if (!leaseIsGone(e)) {
        throw e;
      }
    }
  }

  /** etcd answers so where a put names a lease that it does not know; nothing happened. */
  private static boolean leaseIsGone(GatewayException e) {
    return e.getCause() instanceof BrokenCallException broken
        && broken.code() == Status.Code.NOT_FOUND;
  }

  // --- nodes

  @Override
  public boolean putNode(NodeLease node, Lease lease) {
    var key = EtcdKeys.node(node.node());
    var value = EtcdKeys.nodeValue(node);
    for (int i = 0; i < ATTEMPTS; i++) {
      var held = get(key);
      if (held.isPresent()
          && EtcdKeys.node(key, text(held.get().getValue())).session() > node.session()) {
        return false;
      }
      if (putIfUnchanged("put node " + node.node(), key, held, value, lease).isSucceeded()) {
        return true;
      }
    }
    throw changedTooOften(key);
  }

  @Override
  public SortedMap<String, NodeLease> nodes() {
    var nodes = new TreeMap<String, NodeLease>();
    for (var kv : range(EtcdKeys.NODES)) {
      var node = EtcdKeys.node(text(kv.getKey()), text(kv.getValue()));
      nodes.put(node.node(), node);
    }
    return nodes;
  }

  @Override
  public boolean putLeft(NodeLease node, Duration ttl) {
    long seconds = ttl.plusNanos(999_999_999).toSeconds();
    long lease =
        connection.write("grant lease", client -> client.getLeaseClient().grant(seconds)).getID();
    boolean put = false;
    try {
      put = putLeft(node, lease);
      return put;
    } finally {
      if (!put) {
        revoke(lease);
      }
    }
  }

  private boolean putLeft(NodeLease node, long lease) {
    var key = EtcdKeys.left(node.node());
    var own = bytes(EtcdKeys.node(node.node()));
    var value = bytes(EtcdKeys.nodeValue(node));
    for (int i = 0; i < ATTEMPTS; i++) {
      var said = get(key);
      if (said.isPresent()
          && EtcdKeys.node(key, text(said.get().getValue())).session() > node.session()) {
        return false;
      }
      var unchanged =
          new Cmp(
              bytes(key),
              Cmp.Op.EQUAL,
              said.<CmpTarget<?>>map(kv -> CmpTarget.modRevision(kv.getModRevision()))
                  .orElse(CmpTarget.version(0)));
      var answer =
          commit(
              "say that the agent of node " + node.node() + " left",
              new Cmp[] {unchanged},
              List.of(
                  Op.put(bytes(key), value, PutOption.builder().withLeaseId(lease).build()),
                  Op.txn(
                      new Cmp[] {new Cmp(own, Cmp.Op.EQUAL, CmpTarget.value(value))},
                      new Op[] {Op.delete(own, DeleteOption.DEFAULT)},
                      NOTHING)),
              List.of());
      if (answer.isSucceeded()) {
        return true;
      }
    }
    throw changedTooOften(key);
  }

  @Override
  public SortedMap<String, NodeLease> left() {
    var left = new TreeMap<String, NodeLease>();
    for (var kv : range(EtcdKeys.LEFT)) {
      try {
        var node = EtcdKeys.node(text(kv.getKey()), text(kv.getValue()));
        left.put(node.node(), node);
      } catch (GatewayException _) { // it runs out; without it the node is lost later
        log.atDebug().addKeyValue("key", text(kv.getKey())).log("Key cannot be read");
      }
    }
    return left;
  }

  @Override
  public int unreadableKeys() {
    return unreadable.size();
  }

  @Override
  public ClusterState clusterState() {
    var count = GetOption.builder().withCountOnly(true).build();
    var header =
        connection
            .read(
                "read cluster state",
                client -> client.getKVClient().get(bytes(EtcdKeys.ROOT), count))
            .getHeader();
    return new ClusterState(Long.toHexString(header.getClusterId()), header.getRevision());
  }

  @Override
  public List<String> endpoints() {
    return config.endpoints();
  }

  @Override
  public void close() {
    for (var one : List.copyOf(open)) {
      open.remove(one);
      try {
        one.close();
      } catch (Exception e) {
        throw new IllegalStateException("leases and watches close without failing", e);
      }
    }
    connection.close();
  }

  // --- what all of them are made of

  private Optional<KeyValue> get(String key) {
    return connection
        .read("read " + key, client -> client.getKVClient().get(bytes(key)))
        .getKvs()
        .stream()
        .findFirst();
  }

  /** All keys with a prefix at one revision, page by page. */
  private List<KeyValue> range(String prefix) {
    for (int i = 0; i < ATTEMPTS; i++) {
      var all = new ArrayList<KeyValue>();
      long revision = 0;
      var from = prefix;
      try {
        while (true) {
          var page = page(from, EtcdKeys.endOf(prefix), revision);
          all.addAll(page.getKvs());
          if (!page.isMore()) {
            return all;
          }
          revision = page.getHeader().getRevision();
          from = text(page.getKvs().getLast().getKey()) + '\0';
        }
      } catch (GatewayException e) {
        // the revision of the first page was compacted away meanwhile
        if (revision == 0
            || !(e.getCause() instanceof BrokenCallException broken)
            || broken.connectionTrouble()) {
          throw e;
        }
      }
    }
    throw changedTooOften(prefix);
  }

  private GetResponse page(String from, String to, long revision) {
    var option =
        GetOption.builder().withRange(bytes(to)).withLimit(PAGE).withRevision(revision).build();
    return connection.read("list " + from, client -> client.getKVClient().get(bytes(from), option));
  }

  private TxnResponse putIfUnchanged(
      String what, String key, Optional<KeyValue> found, String value, Lease lease, Op... also) {
    var unchanged =
        new Cmp(
            bytes(key),
            Cmp.Op.EQUAL,
            found
                .<CmpTarget<?>>map(kv -> CmpTarget.modRevision(kv.getModRevision()))
                .orElse(CmpTarget.version(0)));
    var changes = new ArrayList<>(List.of(also));
    changes.add(
        Op.put(bytes(key), bytes(value), PutOption.builder().withLeaseId(lease.id()).build()));
    return under(lease, () -> commit(what, new Cmp[] {unchanged}, changes, List.of()));
  }

  /** etcd answers NOT_FOUND to these where it does not know the lease: no need to wait for more. */
  private static <T> T under(Lease lease, Supplier<T> put) {
    try {
      return put.get();
    } catch (GatewayException e) {
      if (lease instanceof KeptLease kept && leaseIsGone(e)) {
        kept.gone();
      }
      throw e;
    }
  }

  private TxnResponse commit(String what, Cmp[] conditions, List<Op> then, List<Op> otherwise) {
    return connection.write(
        what,
        client ->
            client
                .getKVClient()
                .txn()
                .If(conditions)
                .Then(then.toArray(NOTHING))
                .Else(otherwise.toArray(NOTHING))
                .commit());
  }

  /** The ownership key holds this take-over's id. */
  private static Cmp[] guard(LogPartition partition, UUID takeover) {
    return firstWordIs(EtcdKeys.owner(partition), takeover);
  }

  /** False also where the key is absent. */
  private static Cmp[] firstWordIs(String key, UUID word) {
    return new Cmp[] {
      new Cmp(bytes(key), Cmp.Op.GREATER, CmpTarget.value(bytes(word + " "))),
      new Cmp(bytes(key), Cmp.Op.LESS, CmpTarget.value(bytes(word + "!"))) // '!' follows ' '
    };
  }

  private static GatewayException changedTooOften(String key) {
    return new GatewayException(
        Outcome.KNOWN_FAILED, "etcd key " + key + " changed under us " + ATTEMPTS + " times");
  }
}
