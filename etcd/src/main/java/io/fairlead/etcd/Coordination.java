package io.fairlead.etcd;

import io.fairlead.core.image.Digest;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;

/**
 * What replicas agree on through etcd: who owns which partition, who is there, which addresses are
 * claimed and reserved, which nodes live. Thread-safe. All methods block, are bounded by the
 * gateway's time-out, and throw {@link io.fairlead.core.run.GatewayException} (UNKNOWN for writes
 * whose answer was lost).
 */
public interface Coordination extends AutoCloseable {
  /**
   * A lease that is kept alive until closed. Keys put under it vanish when it is lost or closed.
   *
   * @param onLost called once, on a thread of the gateway, when the lease ran out or can no longer
   *     be known to live (no answer for a whole ttl)
   */
  Lease openLease(Duration ttl, Runnable onLost);

  interface Lease extends AutoCloseable {
    long id();

    /** Whether it was renewed within its ttl, by this process' monotonic clock. */
    boolean live();

    /** Revokes; best effort. */
    @Override
    void close();
  }

  // --- ownership of partitions: /fairlead/v1/owners/<topic>/<partition>

  /**
   * Who owns a partition.
   *
   * @param takeover random id of this take-over
   * @param revision of the key; grows with every take-over
   */
  record Owner(String replica, String address, UUID takeover, long revision) {}

  /**
   * What an owner leaves that lets go with nothing open: the claims are those that the image wants
   * at that end of the log. It stands while nobody owns the partition, and no longer.
   *
   * @param log which one
   * @param end next offset of the partition
   * @param digest of the partition's objects there
   */
  record Settled(LogIdentity log, long end, Digest digest) {}

  /**
   * What a take-over got.
   *
   * @param settled what the predecessor left, which nobody finds a second time
   */
  record Taken(Owner owner, Optional<Settled> settled) {}

  /**
   * Puts the key under the lease, if nobody (or this replica itself, from an earlier take-over)
   * holds it, and takes away what the predecessor left, in one transaction; empty = somebody else
   * holds it.
   */
  Optional<Taken> takeOwnership(
      LogPartition partition, String replica, String address, UUID takeover, Lease lease);

  Optional<Owner> owner(LogPartition partition);

  Map<LogPartition, Owner> owners();

  /** Deletes the key if it still holds that take-over id. */
  void releaseOwnership(LogPartition partition, UUID takeover);

  /** Likewise, and leaves that for the next owner, in the same transaction. */
  void releaseSettled(LogPartition partition, UUID takeover, Settled settled);

  // --- members: /fairlead/v1/members/<service>/<replica>

  /**
   * A replica that is there.
   *
   * @param featureLevel the highest of the log that it supports
   */
  record Member(String replica, String address, String version, boolean ready, int featureLevel) {
    /** One that supports the first level only. */
    public Member(String replica, String address, String version, boolean ready) {
      this(replica, address, version, ready, FeatureLevel.FIRST);
    }
  }

  void putMember(String service, Member member, Lease lease);

  /** Live members by replica; those that cannot be read are passed over. */
  SortedMap<String, Member> members(String service);

  /**
   * Calls {@code onChange} (on one thread of the gateway, serially) after owners, members or nodes
   * changed, and after every reconnect: look again. Never missing a last change; may call too
   * often.
   */
  AutoCloseable watch(Runnable onChange);

  // --- claims on addresses: /fairlead/v1/ips/<fixed-width hex>

  /**
   * For whom an address is claimed.
   *
   * @param uid of the Service; or of the reservation, where that has the address itself
   * @param service the Service; or the one that the reservation is for
   * @param reservation that has the address itself, or that the Service took it over from
   * @param revision last modification of the key
   */
  record ClaimHolder(UUID uid, ObjectName service, Optional<UUID> reservation, long revision) {
    private static final UUID NO_UID = new UUID(0, 0);

    /** Of a claim that cannot be read: a uid that no Service has. */
    static ClaimHolder nobody(long revision) {
      return new ClaimHolder(
          NO_UID, new ObjectName("unreadable", "unreadable"), Optional.empty(), revision);
    }

    /** Whether a reservation has the address, not a Service. */
    public boolean reserved() {
      return reservation.filter(uid::equals).isPresent();
    }
  }

  /**
   * An address and the Service it is for.
   *
   * @param reservation that it is taken over from; it goes back to it when the Service gives it up
   *     while that lives
   */
  record ClaimRequest(Address address, UUID uid, ObjectName service, Optional<UUID> reservation) {
    /** Of an address that nobody reserved. */
    public ClaimRequest(Address address, UUID uid, ObjectName service) {
      this(address, uid, service, Optional.empty());
    }
  }

  sealed interface ClaimOutcome {
    /** Claimed now, or was claimed for this uid before (a lost answer). */
    record Claimed() implements ClaimOutcome {}

    record HeldByOther(ClaimHolder holder) implements ClaimOutcome {}
  }

  /**
   * Claims all of them that are free, in transactions below etcd's operation limit, each guarded by
   * the ownership key.
   *
   * @return an outcome for each request's address
   * @throws NotOwnerException the ownership key does not hold that take-over id any more: nothing
   *     was claimed by the failing transaction
   */
  Map<Address, ClaimOutcome> claim(
      Collection<ClaimRequest> requests, LogPartition partition, UUID takeover);

  /**
   * Puts the claim whoever holds the address, if holder and revision are still those of {@code
   * found}; false = it changed. It is under no lease, also where a reservation had it. Guarded
   * likewise.
   */
  boolean replaceClaim(
      ClaimRequest request, ClaimHolder found, LogPartition partition, UUID takeover);

  /**
   * Deletes those claims that still belong to the given uid; what was taken over from a reservation
   * that lives goes back to it, under its lease. Guarded likewise.
   */
  void free(Collection<ClaimRequest> claims, LogPartition partition, UUID takeover);

  /** The claim on one address. */
  Optional<ClaimHolder> claimOn(Address address);

  /** All claims, by address; those that cannot be read are passed over. */
  SortedMap<Address, ClaimHolder> claims();

  // --- reservations: /fairlead/v1/reservations/<id>, each under a lease of its own

  /**
   * A reservation as etcd has it: it lives.
   *
   * @param tokenHash SHA-256 of its token, in hexadecimal
   * @param lease of its key and of the claims of those of its addresses that no Service has
   * @param revision of the key
   */
  record HeldReservation(Reservation reservation, String tokenHash, long lease, long revision) {}

  sealed interface ReserveOutcome {
    record Reserved() implements ReserveOutcome {}

    /**
     * Nothing was claimed.
     *
     * @param holders of those addresses that are not free, or were not held as expected
     */
    record Lost(SortedMap<Address, ClaimHolder> holders) implements ReserveOutcome {}
  }

  /**
   * Claims all addresses of a reservation in one transaction, or none, under a lease that begins
   * now and runs for its ttl. Guarded like claims.
   *
   * @param replaced claims that may be replaced if they still are as they were found
   */
  ReserveOutcome reserve(
      Reservation reservation,
      String tokenHash,
      Map<Address, ClaimHolder> replaced,
      LogPartition partition,
      UUID takeover);

  /** Empty = it ran out, or was ended. */
  Optional<HeldReservation> reservation(UUID id);

  /** All that live, by id; those that cannot be read are passed over. */
  SortedMap<UUID, HeldReservation> reservations();

  /**
   * For how long they live unless they are renewed, in whole seconds; those that ran out meanwhile
   * are missing.
   */
  Map<UUID, Duration> timeLeft(Collection<HeldReservation> reservations);

  /** Makes it live for its ttl from now on; the ttl. Empty = it ran out before. */
  Optional<Duration> renew(HeldReservation reservation);

  /**
   * Ends them: frees what they hold themselves, not what Services took over. Those that are gone
   * are passed over. Guarded like claims.
   */
  void endReservations(Collection<UUID> ids, LogPartition partition, UUID takeover);

  /**
   * Claims addresses of a reservation for it again, those that are free, if it is as it was found.
   * Guarded like claims.
   */
  void restoreClaims(
      HeldReservation found, Collection<Address> addresses, LogPartition partition, UUID takeover);

  // --- nodes: /fairlead/v1/nodes/<node>

  /**
   * A node whose stream is open.
   *
   * @param session offset of the Node record that opened the session
   * @param replica that holds the node's stream
   */
  record NodeLease(String node, long session, String replica) {}

  /**
   * Puts the keys under the lease, as many in a transaction as it takes, each unless a newer
   * session holds it. What a key was under before has no part in it any more.
   *
   * @param nodes one session of each node
   * @return nodes that have a newer session
   */
  Set<String> putNodes(Collection<NodeLease> nodes, Lease lease);

  /** Deletes the keys of those sessions, likewise; those of others stay. */
  void removeNodes(Collection<NodeLease> nodes);

  SortedMap<String, NodeLease> nodes();

  // --- streams that their agents left: /fairlead/v1/left/<node>

  /**
   * Says that the agents of nodes left the streams of those sessions, for a ttl from now on,
   * whoever says it lives or not. The sessions' own keys go afterwards; those of other sessions
   * stay. What an older session said is overwritten, what a newer one said stays.
   *
   * @param nodes one session of each node
   * @return nodes of which a newer session said it
   */
  Set<String> putLeft(Collection<NodeLease> nodes, Duration ttl);

  /** What was said and did not run out, by node; what cannot be read is passed over. */
  SortedMap<String, NodeLease> left();

  /**
   * Id of the etcd cluster and its current revision: both are compared to notice an etcd that was
   * wiped or restored.
   */
  record ClusterState(String clusterId, long revision) {
    /** Whether it can be a later state of the same store; not where that was wiped or restored. */
    public boolean follows(ClusterState before) {
      return clusterId.equals(before.clusterId) && revision >= before.revision;
    }
  }

  ClusterState clusterState();

  /**
   * How many keys the last listings of owners, members, claims and reservations passed over, told
   * once each.
   */
  int unreadableKeys();

  /** The configured endpoints, for messages. */
  List<String> endpoints();

  @Override
  void close();
}
