package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.ClusterState;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.Coordination.Owner;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This replica's session in etcd and what it sees there. Used by one thread. Soft: a session that
 * is lost is opened anew.
 */
final class Membership implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Membership.class);

  /**
   * What one look at etcd saw.
   *
   * @param etcdChanged the store was wiped or restored since the look before
   * @param reconnected the look before had failed
   */
  record View(
      SortedMap<String, Member> members,
      Map<LogPartition, Owner> owners,
      boolean etcdChanged,
      boolean reconnected) {}

  private final Coordination coordination;
  private final DeciderSettings settings;
  private final Runnable onLost;
  private volatile Optional<Lease> session = Optional.empty();
  private Optional<Member> announced = Optional.empty();
  private volatile Optional<ClusterState> seen = Optional.empty();
  private volatile boolean failed;

  Membership(Coordination coordination, DeciderSettings settings, Runnable onLost) {
    this.coordination = coordination;
    this.settings = settings;
    this.onLost = onLost;
  }

  /** The lease under which this replica holds keys, while it is live. */
  Optional<Lease> session() {
    return session.filter(Lease::live);
  }

  /** Sees to the session and the own member key, then looks; empty while etcd is away. */
  Optional<View> look(boolean ready) {
    try {
      if (session().isEmpty()) {
        var lease = coordination.openLease(settings.leaseTtl(), onLost);
        session.ifPresent(Lease::close);
        session = Optional.of(lease);
        announced = Optional.empty();
        log.atInfo()
            .addKeyValue("event", "session.opened")
            .addKeyValue("replica", settings.replica())
            .addKeyValue("lease", Long.toHexString(lease.id()))
            .log("session opened");
      }
      var me =
          new Member(
              settings.replica(),
              settings.address(),
              settings.version(),
              ready,
              settings.levels().supported());
      var members = new TreeMap<>(coordination.members(settings.service()));
      if (!announced.equals(Optional.of(me)) || !me.equals(members.get(settings.replica()))) {
        coordination.putMember(settings.service(), me, session.orElseThrow());
        announced = Optional.of(me);
        members.put(settings.replica(), me);
      }
      var owners = coordination.owners();
      var state = coordination.clusterState();
      boolean changed = seen.filter(before -> !state.follows(before)).isPresent();
      if (changed) {
        log.atWarn()
            .addKeyValue("event", "etcd.changed")
            .addKeyValue("cluster", state.clusterId())
            .addKeyValue("revision", state.revision())
            .log("etcd was wiped or restored");
      }
      seen = Optional.of(state);
      var view = new View(members, owners, changed, failed);
      failed = false;
      return Optional.of(view);
    } catch (GatewayException e) {
      if (!failed && !Thread.currentThread().isInterrupted()) { // else it is being closed
        log.atWarn()
            .addKeyValue("event", "etcd.away")
            .addKeyValue("endpoints", coordination.endpoints())
            .setCause(e)
            .log("etcd cannot be reached");
      }
      failed = true;
      return Optional.empty();
    }
  }

  /** The etcd of the last look that worked. */
  Optional<ClusterState> seen() {
    return seen;
  }

  /** Whether the last look failed. */
  boolean etcdAway() {
    return failed;
  }

  /** How long to wait for the next look when nothing calls for one. */
  Duration pause() {
    return failed ? Duration.ofMillis(500) : Duration.ofSeconds(2);
  }

  @Override
  public void close() {
    session.ifPresent(Lease::close);
    session = Optional.empty();
  }
}
