package io.fairlead.etcd;

import static io.fairlead.etcd.EtcdKeys.bytes;

import io.etcd.jetcd.options.GetOption;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * {@link Coordination} over a real etcd, 3.4 or newer. Thread-safe; durable state is etcd's alone.
 * Threads of its own: a virtual one for each lease and each watch; all end with {@link #close}.
 */
public final class EtcdCoordination implements Coordination {
  private final EtcdConfig config;
  private final Time time;
  private final EtcdConnection connection;
  private final EtcdStore store;
  private final EtcdOwners owners;
  private final EtcdClaims claims;
  private final EtcdReservations reservations;
  private final EtcdNodes nodes;
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

  private EtcdCoordination(EtcdConfig config, Time time, FaultPoints points) {
    this.config = config;
    this.time = time;
    this.connection = new EtcdConnection(config, time);
    this.store = new EtcdStore(connection);
    this.owners = new EtcdOwners(store);
    this.reservations = new EtcdReservations(store, points);
    this.claims = new EtcdClaims(store, reservations, points);
    this.nodes = new EtcdNodes(store);
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
    long askedNanos = time.nanoTime();
    long id = store.grant(ttl);
    var lease =
        new KeptLease(connection, time, id, ttl, askedNanos, onLost, ended -> open.remove(ended));
    open.add(lease);
    lease.start();
    return lease;
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

  // --- ownership and members

  @Override
  public Optional<Taken> takeOwnership(
      LogPartition partition, String replica, String address, UUID takeover, Lease lease) {
    return owners.takeOwnership(partition, replica, address, takeover, lease);
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return owners.owner(partition);
  }

  @Override
  public Map<LogPartition, Owner> owners() {
    return owners.owners();
  }

  @Override
  public void releaseOwnership(LogPartition partition, UUID takeover) {
    owners.releaseOwnership(partition, takeover);
  }

  @Override
  public void releaseSettled(LogPartition partition, UUID takeover, Settled settled) {
    owners.releaseSettled(partition, takeover, settled);
  }

  @Override
  public void putMember(String service, Member member, Lease lease) {
    owners.putMember(service, member, lease);
  }

  @Override
  public SortedMap<String, Member> members(String service) {
    return owners.members(service);
  }

  // --- claims

  @Override
  public Map<Address, ClaimOutcome> claim(
      Collection<ClaimRequest> requests, LogPartition partition, UUID takeover) {
    return claims.claim(requests, partition, takeover);
  }

  @Override
  public boolean replaceClaim(
      ClaimRequest request, ClaimHolder found, LogPartition partition, UUID takeover) {
    return claims.replaceClaim(request, found, partition, takeover);
  }

  @Override
  public void free(Collection<ClaimRequest> claimed, LogPartition partition, UUID takeover) {
    claims.free(claimed, partition, takeover);
  }

  @Override
  public Optional<ClaimHolder> claimOn(Address address) {
    return claims.claimOn(address);
  }

  @Override
  public SortedMap<Address, ClaimHolder> claims() {
    return claims.claims();
  }

  // --- reservations

  @Override
  public ReserveOutcome reserve(
      Reservation reservation,
      String tokenHash,
      Map<Address, ClaimHolder> replaced,
      LogPartition partition,
      UUID takeover) {
    return reservations.reserve(reservation, tokenHash, replaced, partition, takeover);
  }

  @Override
  public Optional<HeldReservation> reservation(UUID id) {
    return reservations.reservation(id);
  }

  @Override
  public SortedMap<UUID, HeldReservation> reservations() {
    return reservations.reservations();
  }

  @Override
  public Map<UUID, Duration> timeLeft(Collection<HeldReservation> held) {
    return reservations.timeLeft(held);
  }

  @Override
  public Optional<Duration> renew(HeldReservation reservation) {
    return reservations.renew(reservation);
  }

  @Override
  public void endReservations(Collection<UUID> ids, LogPartition partition, UUID takeover) {
    reservations.endReservations(ids, partition, takeover);
  }

  @Override
  public void restoreClaims(
      HeldReservation found, Collection<Address> addresses, LogPartition partition, UUID takeover) {
    reservations.restoreClaims(found, addresses, partition, takeover);
  }

  // --- nodes

  @Override
  public Set<String> putNodes(Collection<NodeLease> put, Lease lease) {
    return nodes.putNodes(put, lease);
  }

  @Override
  public void removeNodes(Collection<NodeLease> removed) {
    nodes.removeNodes(removed);
  }

  @Override
  public SortedMap<String, NodeLease> nodes() {
    return nodes.nodes();
  }

  @Override
  public Set<String> putLeft(Collection<NodeLease> left, Duration ttl) {
    return nodes.putLeft(left, ttl);
  }

  @Override
  public SortedMap<String, NodeLease> left() {
    return nodes.left();
  }

  // --- all of it

  @Override
  public int unreadableKeys() {
    return store.unreadable().size();
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
}
