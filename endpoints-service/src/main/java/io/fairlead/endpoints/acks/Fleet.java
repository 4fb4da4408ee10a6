package io.fairlead.endpoints.acks;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Node;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.endpoints.acks.Standing.Held;
import io.fairlead.endpoints.acks.Standing.None;
import io.fairlead.endpoints.acks.Standing.Stream;
import io.fairlead.endpoints.acks.Standing.Unknown;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.NodeLease;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * All nodes with all that is known of them. A node counts from the moment that anybody knows of it,
 * log or etcd, until the log says that it is lost: a node whose stream broke a moment ago still
 * sends connections. Thread-safe; soft.
 */
public final class Fleet {
  /** How old what etcd said may be. */
  private static final Duration AGE = Duration.ofMillis(250);

  /** What etcd said; empty = it did not answer. */
  private record Leases(Optional<SortedMap<String, NodeLease>> nodes, long nanos) {}

  private final String replica;
  private final Acks acks;
  private final Coordination coordination;
  private final Time time;

  /** Held by whoever asks etcd; nobody waits for it unless nothing was ever asked. */
  private final ReentrantLock asking = new ReentrantLock();

  private volatile Optional<Leases> last = Optional.empty();

  public Fleet(String replica, Acks acks, Coordination coordination, Time time) {
    this.replica = replica;
    this.acks = acks;
    this.coordination = coordination;
    this.time = time;
  }

  /** All nodes by name, lost ones too. May ask etcd, which takes as long as its time-out. */
  public List<Standing> look(ClusterImage image) {
    var leases = leases();
    var standings = new ArrayList<Standing>();
    for (var node : image.nodes().all()) {
      standings.add(standing(node, leases));
    }
    leases.ifPresent(nodes ->
        nodes.forEach((name, lease) -> { // its record is about to be read here
          if (image.nodes().get(name).isEmpty()) {
            standings.add(new Standing(name, false, held(lease), Optional.empty()));
          }
        }));
    standings.sort((a, b) -> a.node().compareTo(b.node()));
    return standings;
  }

  /** Where one node stands. */
  public Standing of(Versioned<Node> node) {
    return standing(node, leases());
  }

  private Standing standing(Versioned<Node> node, Optional<SortedMap<String, NodeLease>> leases) {
    var name = node.object().name();
    long session = node.object().session(node.offset());
    var lease = leases.flatMap(nodes -> Optional.ofNullable(nodes.get(name)));
    Stream stream =
        leases.isEmpty() ? new Unknown() : lease.<Stream>map(this::held).orElseGet(None::new);
    boolean back = lease.filter(l -> l.session() > session).isPresent();
    return new Standing(
        name,
        node.object().state() == Node.State.LOST && !back,
        stream,
        acks.ofNode(name).filter(word -> isOf(word, session) && !back));
  }

  /** A word of a later session than is known here is as true. */
  private static boolean isOf(Acknowledgement word, long session) {
    return word.session() >= session;
  }

  private Held held(NodeLease lease) {
    return new Held(lease.replica(), lease.replica().equals(replica));
  }

  private Optional<SortedMap<String, NodeLease>> leases() {
    var known = last;
    if (known.filter(this::isFresh).isPresent() || (known.isPresent() && !asking.tryLock())) {
      return known.get().nodes();
    }
    if (known.isEmpty()) {
      asking.lock();
    }
    try {
      if (last.filter(this::isFresh).isEmpty()) {
        last = Optional.of(new Leases(ask(), time.nanoTime()));
      }
      return last.get().nodes();
    } finally {
      asking.unlock();
    }
  }

  private boolean isFresh(Leases leases) {
    return time.nanoTime() - leases.nanos() < AGE.toNanos();
  }

  private Optional<SortedMap<String, NodeLease>> ask() {
    try {
      return Optional.of(coordination.nodes());
    } catch (GatewayException _) {
      return Optional.empty();
    }
  }
}
