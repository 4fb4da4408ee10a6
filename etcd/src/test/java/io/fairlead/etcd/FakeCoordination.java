package io.fairlead.etcd;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** One process' view of a {@link FakeEtcd}. Passes the same contract as the real one. */
public final class FakeCoordination implements Coordination {
  private final FakeEtcd etcd;
  private final Time time;
  private final List<FakeLease> leases = new CopyOnWriteArrayList<>();
  private final List<FakeWatch> watches = new CopyOnWriteArrayList<>();
  private final AtomicInteger answersToLose = new AtomicInteger();
  private final AtomicInteger claimCalls = new AtomicInteger();
  private final AtomicInteger claimsToMake = new AtomicInteger(Integer.MAX_VALUE);
  private final AtomicInteger listingsToFail = new AtomicInteger();
  private final AtomicInteger looks = new AtomicInteger();
  private final AtomicInteger writes = new AtomicInteger();
  private final AtomicInteger listings = new AtomicInteger();
  private final AtomicInteger listed = new AtomicInteger();
  private final AtomicBoolean putToDelay = new AtomicBoolean();
  private volatile Optional<Runnable> delayed = Optional.empty();
  private volatile CompletableFuture<Void> listable = CompletableFuture.completedFuture(null);
  private volatile boolean reachable = true;
  private volatile boolean closed;

  FakeCoordination(FakeEtcd etcd, Time time) {
    this.etcd = etcd;
    this.time = time;
  }

  /** Nothing of this client reaches etcd any more; its leases run out from now on. */
  public void cutOff() {
    etcd.tick();
    etcd.locked(() -> reachable = false); // no renewal is under way after that
  }

  public void reconnect() {
    reachable = true;
    etcd.tick();
    signal();
  }

  /** The next writes happen, but their answers are lost: UNKNOWN. */
  public void loseAnswers(int writes) {
    answersToLose.set(writes);
  }

  /** The next call that puts keys of nodes is not answered in time: UNKNOWN. */
  public void delayNextPut() {
    putToDelay.set(true);
  }

  /** Does what a call asked for that was not answered in time. */
  public void putLate() {
    delayed.orElseThrow().run();
  }

  /**
   * The next call that claims makes only so many, then fails: KNOWN_FAILED, as where the second of
   * its transactions does not reach etcd.
   */
  public void breakClaimsAfter(int made) {
    claimsToMake.set(made);
  }

  /** The next listings of claims fail: KNOWN_FAILED. */
  public void failListings(int listings) {
    listingsToFail.set(listings);
  }

  /** Listings of claims are answered only after that. */
  public void holdListings(CompletableFuture<Void> until) {
    listable = until;
  }

  /** How many listings of claims were asked for. */
  public int listings() {
    return listings.get();
  }

  /** How many of them read all claims. */
  public int listed() {
    return listed.get();
  }

  /** How often the state of the cluster was asked for, which ends each look of a replica. */
  public int looks() {
    return looks.get();
  }

  /** How often claims were asked for: one call may carry many. */
  public int claimCalls() {
    return claimCalls.get();
  }

  /**
   * How many calls that change something were answered; each may change much. Renewals of leases
   * are none.
   */
  public int writes() {
    return writes.get();
  }

  /** Ids of the leases that are open. */
  public List<Long> leaseIds() {
    return leases.stream().map(FakeLease::id).toList();
  }

  private boolean connected() {
    return reachable && !closed && etcd.isUp();
  }

  private <T> T read(Supplier<T> body) {
    etcd.tick();
    if (closed || !reachable) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED, closed ? "client closed" : "fake etcd cannot be reached");
    }
    return etcd.locked(() -> {
      etcd.requireUp();
      return body.get();
    });
  }

  private <T> T write(Supplier<T> body) {
    var result =
        read(() -> {
          var written = body.get();
          writes.incrementAndGet(); // before anybody sees it
          return written;
        });
    etcd.changed();
    if (answersToLose.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new GatewayException(Outcome.UNKNOWN, "answer lost");
    }
    return result;
  }

  // --- leases

  @Override
  public Lease openLease(Duration ttl, Runnable onLost) {
    long askedNanos = time.nanoTime();
    var lease = new FakeLease(write(() -> etcd.grant(ttl)), ttl, askedNanos, onLost);
    leases.add(lease);
    return lease;
  }

  void renewLeases() {
    for (var lease : leases) {
      lease.renew();
    }
  }

  private final class FakeLease implements Lease {
    private final long id;
    private final Duration ttl;
    private final Runnable onLost;
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile long renewedNanos;

    FakeLease(long id, Duration ttl, long renewedNanos, Runnable onLost) {
      this.id = id;
      this.ttl = ttl;
      this.renewedNanos = renewedNanos;
      this.onLost = onLost;
    }

    void renew() {
      boolean gone =
          etcd.locked(() -> {
            if (!connected()) {
              return time.nanoTime() - renewedNanos >= ttl.toNanos();
            }
            renewedNanos = time.nanoTime();
            return !etcd.renew(id);
          });
      if (gone && ended.compareAndSet(false, true)) {
        leases.remove(this);
        Thread.ofVirtual().start(onLost);
      }
    }

    @Override
    public long id() {
      return id;
    }

    @Override
    public boolean live() {
      renew();
      return !ended.get();
    }

    @Override
    public void close() {
      if (ended.compareAndSet(false, true)) {
        leases.remove(this);
        try {
          write(() -> {
            etcd.revoke(id);
            return id;
          });
        } catch (GatewayException _) { // best effort
        }
      }
    }
  }

  // --- ownership

  @Override
  public Optional<Taken> takeOwnership(
      LogPartition partition, String replica, String address, UUID takeover, Lease lease) {
    var key = EtcdKeys.owner(partition);
    return write(() -> {
      var held = etcd.get(key).map(e -> EtcdKeys.owner(key, e.value(), e.revision()));
      if (held.isPresent() && !held.get().replica().equals(replica)) {
        return Optional.empty();
      }
      long revision = etcd.put(key, EtcdKeys.ownerValue(replica, address, takeover), lease.id());
      var left = EtcdKeys.settled(partition);
      var settled = etcd.get(left).flatMap(e -> EtcdKeys.settled(e.value()));
      etcd.delete(left);
      return Optional.of(new Taken(new Owner(replica, address, takeover, revision), settled));
    });
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return read(() -> ownerNow(partition));
  }

  private Optional<Owner> ownerNow(LogPartition partition) {
    var key = EtcdKeys.owner(partition);
    return etcd.get(key).map(e -> EtcdKeys.owner(key, e.value(), e.revision()));
  }

  @Override
  public Map<LogPartition, Owner> owners() {
    return read(() -> {
      var owners = new TreeMap<LogPartition, Owner>();
      etcd.range(EtcdKeys.OWNERS)
          .forEach((key, e) ->
              owners.put(
                  EtcdKeys.partition(key).orElseThrow(),
                  EtcdKeys.owner(key, e.value(), e.revision())));
      return owners;
    });
  }

  @Override
  public void releaseOwnership(LogPartition partition, UUID takeover) {
    write(() -> {
      if (holds(partition, takeover)) {
        etcd.delete(EtcdKeys.owner(partition));
      }
      return takeover;
    });
  }

  @Override
  public void releaseSettled(LogPartition partition, UUID takeover, Settled settled) {
    write(() -> {
      if (holds(partition, takeover)) {
        etcd.delete(EtcdKeys.owner(partition));
        etcd.put(EtcdKeys.settled(partition), EtcdKeys.settledValue(settled), 0);
      }
      return takeover;
    });
  }

  private boolean holds(LogPartition partition, UUID takeover) {
    return ownerNow(partition).filter(o -> o.takeover().equals(takeover)).isPresent();
  }

  private void guard(LogPartition partition, UUID takeover) {
    if (!holds(partition, takeover)) {
      throw new NotOwnerException(partition);
    }
  }

  // --- members

  @Override
  public void putMember(String service, Member member, Lease lease) {
    var key = EtcdKeys.member(service, member.replica());
    write(() -> etcd.put(key, EtcdKeys.memberValue(member), lease.id()));
  }

  @Override
  public SortedMap<String, Member> members(String service) {
    var prefix = EtcdKeys.MEMBERS + service + "/";
    return read(() -> {
      var members = new TreeMap<String, Member>();
      etcd.range(prefix)
          .forEach((key, e) -> {
            var replica = key.substring(prefix.length());
            members.put(replica, EtcdKeys.member(key, replica, e.value()));
          });
      return members;
    });
  }

  // --- watch

  @Override
  public AutoCloseable watch(Runnable onChange) {
    var watch = new FakeWatch(onChange);
    watches.add(watch);
    watch.thread.start();
    watch.signal();
    return watch;
  }

  void signal() {
    if (connected()) {
      watches.forEach(FakeWatch::signal);
    }
  }

  private final class FakeWatch implements AutoCloseable {
    private final Semaphore signals = new Semaphore(0);
    private final Thread thread;

    FakeWatch(Runnable onChange) {
      this.thread =
          Thread.ofVirtual()
              .name("fake-etcd-watch")
              .unstarted(() -> {
                try {
                  while (true) {
                    signals.acquire();
                    signals.drainPermits();
                    onChange.run();
                  }
                } catch (InterruptedException _) { // closed
                  Thread.currentThread().interrupt();
                }
              });
    }

    void signal() {
      signals.release();
    }

    @Override
    public void close() {
      watches.remove(this);
      thread.interrupt();
    }
  }

  // --- claims

  @Override
  public Map<Address, ClaimOutcome> claim(
      Collection<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    claimCalls.incrementAndGet();
    int most = claimsToMake.getAndSet(Integer.MAX_VALUE);
    return write(() -> {
      guard(partition, takeover);
      var outcomes = new HashMap<Address, ClaimOutcome>();
      for (var request : requests) {
        if (outcomes.size() == most) {
          throw new GatewayException(Outcome.KNOWN_FAILED, "claims broken off on request");
        }
        var previous = outcomes.put(request.address(), claim(request));
        if (previous != null) {
          throw new IllegalArgumentException(request.address() + " stands twice");
        }
      }
      return outcomes;
    });
  }

  private ClaimOutcome claim(ClaimRequest request) {
    var key = EtcdKeys.claim(request.address());
    var held = etcd.get(key).map(e -> EtcdKeys.holder(key, e.value(), e.revision()));
    if (held.isEmpty()) {
      etcd.put(key, EtcdKeys.claimValue(request), 0);
      return new ClaimOutcome.Claimed();
    }
    return held.get().uid().equals(request.uid())
        ? new ClaimOutcome.Claimed()
        : new ClaimOutcome.HeldByOther(held.get());
  }

  @Override
  public boolean replaceClaim(
      ClaimRequest request, ClaimHolder found, LogPartition partition, UUID takeover) {
    var key = EtcdKeys.claim(request.address());
    return write(() -> {
      guard(partition, takeover);
      if (etcd.get(key)
          .filter(e -> e.revision() == found.revision())
          .map(e -> EtcdKeys.holder(key, e.value(), e.revision()))
          .filter(holder -> holder.uid().equals(found.uid()))
          .isEmpty()) {
        return false;
      }
      etcd.put(key, EtcdKeys.claimValue(request), 0);
      return true;
    });
  }

  @Override
  public void free(Collection<ClaimRequest> claims, LogPartition partition, UUID takeover) {
    write(() -> {
      guard(partition, takeover);
      claims.forEach(this::free);
      return takeover;
    });
  }

  private void free(ClaimRequest claim) {
    var key = EtcdKeys.claim(claim.address());
    var holder =
        etcd.get(key)
            .map(e -> EtcdKeys.holder(key, e.value(), e.revision()))
            .filter(h -> h.uid().equals(claim.uid()));
    if (holder.isEmpty()) {
      return;
    }
    var living =
        holder
            .flatMap(ClaimHolder::reservation)
            .filter(id -> !id.equals(claim.uid()))
            .flatMap(this::reservationNow)
            .filter(r -> r.reservation().addresses().contains(claim.address()));
    living.ifPresentOrElse(
        found -> putClaim(found.reservation(), claim.address(), found.lease()),
        () -> etcd.delete(key));
  }

  @Override
  public Optional<ClaimHolder> claimOn(Address address) {
    var key = EtcdKeys.claim(address);
    return read(() -> etcd.get(key).map(e -> EtcdKeys.holder(key, e.value(), e.revision())));
  }

  @Override
  public SortedMap<Address, ClaimHolder> claims() {
    if (listingsToFail.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      throw new GatewayException(Outcome.KNOWN_FAILED, "listing failed on request");
    }
    var until = listable; // first: who sees the count may hold the next one
    listings.incrementAndGet();
    until.join();
    SortedMap<Address, ClaimHolder> found =
        read(() -> {
          var claims = new TreeMap<Address, ClaimHolder>();
          etcd.range(EtcdKeys.CLAIMS)
              .forEach((key, e) ->
                  claims.put(EtcdKeys.address(key), EtcdKeys.holder(key, e.value(), e.revision())));
          return claims;
        });
    listed.incrementAndGet();
    return found;
  }

  // --- reservations

  @Override
  public ReserveOutcome reserve(
      Reservation reservation,
      String tokenHash,
      Map<Address, ClaimHolder> replaced,
      LogPartition partition,
      UUID takeover) {
    return write(() -> {
      guard(partition, takeover);
      var holders = new TreeMap<Address, ClaimHolder>();
      boolean asExpected = true;
      for (var address : reservation.addresses()) {
        var key = EtcdKeys.claim(address);
        var held = etcd.get(key).map(e -> EtcdKeys.holder(key, e.value(), e.revision()));
        held.ifPresent(holder -> holders.put(address, holder));
        asExpected &=
            held.map(ClaimHolder::revision)
                .equals(Optional.ofNullable(replaced.get(address)).map(ClaimHolder::revision));
      }
      if (!asExpected) {
        return new ReserveOutcome.Lost(holders);
      }
      long lease = etcd.grant(reservation.ttl());
      for (var address : reservation.addresses()) {
        putClaim(reservation, address, lease);
      }
      etcd.put(
          EtcdKeys.reservation(reservation.uid()),
          EtcdKeys.reservationValue(reservation, tokenHash),
          lease);
      return new ReserveOutcome.Reserved();
    });
  }

  private void putClaim(Reservation reservation, Address address, long lease) {
    etcd.put(
        EtcdKeys.claim(address), EtcdKeys.claimValue(EtcdKeys.claim(reservation, address)), lease);
  }

  private Optional<HeldReservation> reservationNow(UUID id) {
    var key = EtcdKeys.reservation(id);
    return etcd.get(key).map(e -> EtcdKeys.reservation(key, e.value(), e.lease(), e.revision()));
  }

  @Override
  public Optional<HeldReservation> reservation(UUID id) {
    return read(() -> reservationNow(id));
  }

  @Override
  public SortedMap<UUID, HeldReservation> reservations() {
    return read(() -> {
      var reservations = new TreeMap<UUID, HeldReservation>();
      etcd.range(EtcdKeys.RESERVATIONS)
          .forEach((key, e) -> {
            var found = EtcdKeys.reservation(key, e.value(), e.lease(), e.revision());
            reservations.put(found.reservation().uid(), found);
          });
      return reservations;
    });
  }

  @Override
  public Map<UUID, Duration> timeLeft(Collection<HeldReservation> reservations) {
    return read(() -> {
      var left = new HashMap<UUID, Duration>();
      for (var found : reservations) {
        etcd.timeLeft(found.lease())
            .ifPresent(
                time -> left.put(found.reservation().uid(), Duration.ofSeconds(time.toSeconds())));
      }
      return left;
    });
  }

  @Override
  public Optional<Duration> renew(HeldReservation reservation) {
    return write(() ->
        etcd.renew(reservation.lease()) ? etcd.timeLeft(reservation.lease()) : Optional.empty());
  }

  @Override
  public void endReservations(Collection<UUID> ids, LogPartition partition, UUID takeover) {
    write(() -> {
      for (var id : ids) {
        guard(partition, takeover);
        reservationNow(id).ifPresent(found -> etcd.revoke(found.lease()));
      }
      return takeover;
    });
  }

  @Override
  public void restoreClaims(
      HeldReservation found, Collection<Address> addresses, LogPartition partition, UUID takeover) {
    write(() -> {
      guard(partition, takeover);
      boolean lives =
          reservationNow(found.reservation().uid())
              .filter(now -> now.revision() == found.revision())
              .isPresent();
      for (var address : addresses) {
        if (lives && etcd.get(EtcdKeys.claim(address)).isEmpty()) {
          putClaim(found.reservation(), address, found.lease());
        }
      }
      return takeover;
    });
  }

  // --- nodes

  @Override
  public Set<String> putNodes(Collection<NodeLease> nodes, Lease lease) {
    if (putToDelay.getAndSet(false)) {
      delayed = Optional.of(() -> write(() -> putAll(nodes, EtcdKeys::node, lease.id())));
      throw new GatewayException(Outcome.UNKNOWN, "not answered in time");
    }
    return write(() -> putAll(nodes, EtcdKeys::node, lease.id()));
  }

  @Override
  public void removeNodes(Collection<NodeLease> nodes) {
    write(() -> {
      nodes.forEach(this::remove);
      return nodes;
    });
  }

  @Override
  public Set<String> putLeft(Collection<NodeLease> nodes, Duration ttl) {
    return write(() -> {
      var newer = putAll(nodes, EtcdKeys::left, etcd.grant(ttl));
      nodes.forEach(this::remove);
      return newer;
    });
  }

  private Set<String> putAll(Collection<NodeLease> nodes, UnaryOperator<String> keyOf, long lease) {
    var newer = new TreeSet<String>();
    for (var node : nodes) {
      var key = keyOf.apply(node.node());
      var held = etcd.get(key).map(e -> EtcdKeys.node(key, e.value()));
      if (held.isPresent() && held.get().session() > node.session()) {
        newer.add(node.node());
      } else {
        etcd.put(key, EtcdKeys.nodeValue(node), lease);
      }
    }
    return newer;
  }

  private void remove(NodeLease node) {
    var own = EtcdKeys.node(node.node());
    if (etcd.get(own).filter(e -> e.value().equals(EtcdKeys.nodeValue(node))).isPresent()) {
      etcd.delete(own);
    }
  }

  @Override
  public SortedMap<String, NodeLease> left() {
    return read(() -> {
      var left = new TreeMap<String, NodeLease>();
      etcd.range(EtcdKeys.LEFT)
          .forEach((key, e) -> {
            var node = EtcdKeys.node(key, e.value());
            left.put(node.node(), node);
          });
      return left;
    });
  }

  @Override
  public SortedMap<String, NodeLease> nodes() {
    return read(() -> {
      var nodes = new TreeMap<String, NodeLease>();
      etcd.range(EtcdKeys.NODES)
          .forEach((key, e) -> {
            var node = EtcdKeys.node(key, e.value());
            nodes.put(node.node(), node);
          });
      return nodes;
    });
  }

  /** It holds nothing but what it was given. */
  @Override
  public int unreadableKeys() {
    return 0;
  }

  @Override
  public ClusterState clusterState() {
    var state = read(etcd::state);
    looks.incrementAndGet();
    return state;
  }

  @Override
  public List<String> endpoints() {
    return List.of("fake:2379");
  }

  /** As by a clean stop: leases are revoked. */
  @Override
  public void close() {
    leases.forEach(FakeLease::close);
    watches.forEach(FakeWatch::close);
    closed = true;
    etcd.remove(this);
  }

  /** As by kill -9: nothing is revoked, nothing is called back. */
  public void crash() {
    watches.forEach(FakeWatch::close);
    leases.clear();
    etcd.locked(() -> closed = true);
    etcd.remove(this);
  }
}
