package io.fairlead.endpoints.acks;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Node;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All nodes with all that is known of them. A node counts from the moment that anybody knows of it,
 * log or etcd, until the log says that it is lost: a node whose stream broke a moment ago still
 * sends connections. Thread-safe; soft.
 */
public final class Fleet {
  /** How old what etcd said may be before it is asked again, */
  private static final Duration AGE = Duration.ofMillis(250);

  /** how old before its answer is waited for, */
  private static final Duration OLD = Duration.ofSeconds(2);

  /** and how long it is waited for. */
  private static final Duration WAIT = Duration.ofMillis(300);

  private static final Logger log = LoggerFactory.getLogger(Fleet.class);

  /** What etcd said; empty = it did not answer. */
  private record Leases(Optional<SortedMap<String, NodeLease>> nodes, long nanos) {}

  private final String replica;
  private final Acks acks;
  private final Coordination coordination;
  private final Time time;

  /** Guards the question that is under way. */
  private final ReentrantLock lock = new ReentrantLock();

  private Optional<CompletableFuture<Leases>> asked = Optional.empty();

  private volatile Optional<Leases> last = Optional.empty();

  public Fleet(String replica, Acks acks, Coordination coordination, Time time) {
    this.replica = replica;
    this.acks = acks;
    this.coordination = coordination;
    this.time = time;
  }

  /** All nodes by name, lost ones too. Waits for etcd a moment at most. */
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

  /** Which replica holds a node's stream; empty where none does, or etcd does not answer. */
  public Optional<String> holder(String node) {
    return leases().flatMap(nodes -> Optional.ofNullable(nodes.get(node))).map(NodeLease::replica);
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

  /**
   * Never waits long: whoever asks has a deadline, or nodes to tell of that etcd knows nothing of.
   */
  private Optional<SortedMap<String, NodeLease>> leases() {
    var known = last;
    if (known.filter(leases -> isYounger(leases, AGE)).isPresent()) {
      return known.get().nodes();
    }
    var answer = ask();
    if (known.filter(leases -> isYounger(leases, OLD)).isPresent()) {
      return known.get().nodes();
    }
    try {
      return answer.get(WAIT.toNanos(), TimeUnit.NANOSECONDS).nodes();
    } catch (TimeoutException | ExecutionException _) {
      last = Optional.of(new Leases(Optional.empty(), time.nanoTime())); // nobody else waits
      return Optional.empty();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private boolean isYounger(Leases leases, Duration age) {
    return time.nanoTime() - leases.nanos() < age.toNanos();
  }

  /** One question at a time, on a thread of its own. */
  private CompletableFuture<Leases> ask() {
    lock.lock();
    try {
      if (asked.isEmpty() || asked.get().isDone()) {
        var answer = new CompletableFuture<Leases>();
        asked = Optional.of(answer);
        Thread.ofVirtual().name("acks-nodes").start(() -> answer.complete(answered()));
      }
      return asked.get();
    } finally {
      lock.unlock();
    }
  }

  private Leases answered() {
    Optional<SortedMap<String, NodeLease>> nodes;
    try {
      nodes = Optional.of(coordination.nodes());
    } catch (RuntimeException e) { // whatever it is, who waits must be answered
      nodes = Optional.empty();
      log.atDebug().setCause(e).log("etcd does not say which nodes are there");
    }
    var leases = new Leases(nodes, time.nanoTime());
    last = Optional.of(leases);
    return leases;
  }
}
