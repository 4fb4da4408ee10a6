package io.fairlead.endpoints.stream;

import io.fairlead.api.Errors;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.NodeLease;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a key in etcd for each node whose stream is here: that is what tells all others that the
 * node lives. All keys are under one lease of this replica, so that it costs the same whether it
 * has one node or thousands; a lease for each node would end at no other moment, as it would be
 * kept by this process all the same. What differs is a stream that ends while this replica lives
 * on: its key is deleted, and the deletion is tried again until it is done or the lease is gone;
 * and done once more where etcd may still put the key, by a call that it did not answer in time.
 *
 * <p>A stream whose key cannot be kept for the grace time is closed, so that the agent tries
 * another replica; its rules stay meanwhile. One virtual thread, which does at once what came
 * together. Soft: a lease that was lost is replaced, and the keys are put again.
 */
public final class NodeLeases implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeLeases.class);

  /** A call that etcd did not answer in time it may still carry out: up to 7 s later by default. */
  static final Duration LATE_PUTS = Duration.ofSeconds(8);

  /** A stream as far as its key goes. */
  interface Holder {
    String node();

    /** Offset of the record that opened it. */
    long session();

    boolean isOver();

    /** Whether the agent went, or its connection did, without a word. */
    boolean wasLeft();

    void close(StatusRuntimeException why);
  }

  /** What is known of a stream's key. */
  private static final class Key {
    /** Since when none is known to be in etcd. */
    long lackingNanos;

    Optional<Lease> under = Optional.empty();

    /** The last that it may have been put under, should the answer have been lost. */
    Optional<Lease> perhaps = Optional.empty();

    /** Until when it may still be put, by a call whose answer was lost. */
    Optional<Long> doubtNanos = Optional.empty();

    Key(long lackingNanos) {
      this.lackingNanos = lackingNanos;
    }
  }

  /**
   * A key that has to go.
   *
   * @param key what is known of it
   * @param fromNanos not before then
   */
  private record Withdrawn(NodeLease node, boolean left, Key key, long fromNanos) {
    /** With which it goes at the latest; empty = it never was put. */
    Optional<Lease> under() {
      return key.perhaps;
    }

    /** Once more, when nothing can put it any more; empty where nothing can. */
    Optional<Withdrawn> again(long goneNanos) {
      return key.doubtNanos
          .filter(until -> goneNanos - until < 0)
          .map(until -> new Withdrawn(node, false, key, until));
    }
  }

  private final String replica;
  private final Coordination coordination;
  private final StreamSettings settings;
  private final StreamStats stats;
  private final FaultPoints points;
  private final Time time;
  private final Thread thread;
  private final Semaphore wake = new Semaphore(0);

  /** Guards the streams and what is withdrawn. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<Holder, Key> streams = new LinkedHashMap<>();
  private final List<Withdrawn> withdrawn = new ArrayList<>();

  /** Of leases that were lost, the last one's number. */
  private volatile long lost;

  // Of the thread alone.
  private Optional<Lease> lease = Optional.empty();
  private long opened;
  private String trouble = "";

  private NodeLeases(
      String replica,
      Coordination coordination,
      StreamSettings settings,
      StreamStats stats,
      FaultPoints points,
      Time time) {
    this.replica = replica;
    this.coordination = coordination;
    this.settings = settings;
    this.stats = stats;
    this.points = points;
    this.time = time;
    this.thread = Thread.ofVirtual().name("node-leases").unstarted(this::run);
  }

  /** Opens a lease with the first stream. */
  public static NodeLeases start(
      String replica,
      Coordination coordination,
      StreamSettings settings,
      StreamStats stats,
      FaultPoints points,
      Time time) {
    var leases = new NodeLeases(replica, coordination, settings, stats, points, time);
    leases.thread.start();
    return leases;
  }

  /** Keeps the key of a stream from now on. */
  void hold(Holder stream) {
    lock.lock();
    try {
      streams.put(stream, new Key(time.nanoTime()));
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  /**
   * No key without a stream: whoever takes the node over has put its own by now, or the node is
   * gone and its time runs from here. Others cannot tell a key that was taken away from one that
   * ran out with its replica, after which the agent comes to them: so where it left, that is said.
   */
  void letGo(Holder stream) {
    lock.lock();
    try {
      var key = streams.remove(stream);
      if (key == null) {
        return;
      }
      var node = new NodeLease(stream.node(), stream.session(), replica);
      if (stream.wasLeft() || key.perhaps.isPresent()) {
        withdrawn.add(new Withdrawn(node, stream.wasLeft(), key, time.nanoTime()));
      }
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  private void run() {
    try {
      while (true) {
        awaitWork();
        while (!isDone()) {
          stats.retries.increment();
          time.sleep(settings.retryPause());
        }
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  private void awaitWork() throws InterruptedException {
    var next = nextNanos();
    if (next.isEmpty()) {
      wake.acquire();
    } else {
      var _ = wake.tryAcquire(next.get() - time.nanoTime(), TimeUnit.NANOSECONDS);
    }
    wake.drainPermits();
  }

  /** When the next key has to go. */
  private Optional<Long> nextNanos() {
    lock.lock();
    try {
      return withdrawn.stream()
          .map(Withdrawn::fromNanos)
          .min((one, other) -> Long.signum(one - other));
    } finally {
      lock.unlock();
    }
  }

  /** Does what there is to do; false = something of it has to be tried again. */
  private boolean isDone() {
    boolean put = attempt(this::put);
    boolean gone = attempt(this::withdraw);
    closeThoseWithout();
    return put && gone;
  }

  private boolean attempt(Runnable work) {
    try {
      seeLoss();
      work.run();
      return true;
    } catch (GatewayException e) {
      trouble = String.valueOf(e.getMessage());
    } catch (RuntimeException e) { // a defect; without this thread no node would be kept
      trouble = e.toString();
      log.atError().setCause(e).log("Keys of nodes could not be kept, trying again");
    }
    return false;
  }

  private void seeLoss() {
    if (lease.isEmpty() || lost < opened) {
      return;
    }
    var gone = lease;
    lease = Optional.empty();
    int nodes = 0;
    lock.lock();
    try {
      for (var key : streams.values()) {
        if (key.under.equals(gone)) {
          key.under = Optional.empty();
          key.lackingNanos = time.nanoTime();
          nodes++;
        }
      }
      withdrawn.removeIf(key -> key.under().equals(gone) && !key.left());
    } finally {
      lock.unlock();
    }
    stats.leasesLost.add(nodes);
    log.atWarn().addKeyValue("nodes", nodes).log("Lease of the nodes' keys lost, opening another");
  }

  private void put() {
    if (due().isEmpty()) {
      return;
    }
    if (lease.isEmpty()) {
      long number = opened + 1;
      lease =
          Optional.of(
              coordination.openLease(
                  settings.leaseTtl(),
                  () -> {
                    lost = number;
                    wake.release();
                  }));
      opened = number;
    }
    var due = due();
    var newer = putKeys(due, lease.get());
    due.forEach((stream, key) -> {
      if (newer.contains(stream.node())) {
        stream.close(
            Refusals.sessionEnded(
                stream.node(), stream.session(), "the node opened a later session elsewhere"));
      } else {
        key.under = lease;
        points.reached(FaultPoint.SESSION_LEASED);
      }
    });
  }

  private Set<String> putKeys(Map<Holder, Key> due, Lease under) {
    try {
      return coordination.putNodes(keys(due.keySet()), under);
    } catch (GatewayException e) {
      if (e.outcome() == Outcome.UNKNOWN) {
        // a stream may end before etcd does it: its key goes once more then
        var until = Optional.of(time.nanoTime() + LATE_PUTS.toNanos());
        lock.lock();
        try {
          due.values().forEach(key -> key.doubtNanos = until);
        } finally {
          lock.unlock();
        }
      }
      throw e;
    }
  }

  /** Streams whose key is not known to be there; of each node the last session. */
  private Map<Holder, Key> due() {
    var due = new TreeMap<String, Map.Entry<Holder, Key>>();
    lock.lock();
    try {
      streams.forEach((stream, key) -> {
        if (key.under.isEmpty() && !stream.isOver()) {
          key.perhaps = lease;
          due.merge(
              stream.node(),
              Map.entry(stream, key),
              (one, other) -> one.getKey().session() > other.getKey().session() ? one : other);
        }
      });
    } finally {
      lock.unlock();
    }
    var streamsOf = new LinkedHashMap<Holder, Key>();
    due.values().forEach(entry -> streamsOf.put(entry.getKey(), entry.getValue()));
    return streamsOf;
  }

  private List<NodeLease> keys(Collection<Holder> of) {
    return of.stream()
        .map(stream -> new NodeLease(stream.node(), stream.session(), replica))
        .toList();
  }

  private void withdraw() {
    for (var some = oneOfEachNode(); !some.isEmpty(); some = oneOfEachNode()) {
      long fromNanos = time.nanoTime();
      var left = some.stream().filter(Withdrawn::left).map(Withdrawn::node).toList();
      var others = some.stream().filter(key -> !key.left()).map(Withdrawn::node).toList();
      try {
        if (!left.isEmpty()) {
          var _ = coordination.putLeft(left, settings.leftKept());
        }
        if (!others.isEmpty()) {
          coordination.removeNodes(others);
        }
      } catch (GatewayException e) {
        // it runs out, or did
        replace(
            some.stream().filter(key -> lease.isEmpty() || !key.under().equals(lease)).toList(),
            List.of());
        throw e;
      }
      replace(some, some.stream().flatMap(key -> key.again(fromNanos).stream()).toList());
    }
  }

  /** Of those whose time has come. */
  private List<Withdrawn> oneOfEachNode() {
    var first = new TreeMap<String, Withdrawn>();
    lock.lock();
    try {
      long now = time.nanoTime();
      withdrawn.stream()
          .filter(key -> now - key.fromNanos() >= 0)
          .sorted(Comparator.comparingLong(key -> key.node().session()))
          .forEach(key -> first.putIfAbsent(key.node().node(), key));
    } finally {
      lock.unlock();
    }
    return List.copyOf(first.values());
  }

  private void replace(List<Withdrawn> done, List<Withdrawn> again) {
    lock.lock();
    try {
      withdrawn.removeAll(new HashSet<>(done));
      withdrawn.addAll(again);
    } finally {
      lock.unlock();
    }
  }

  private void closeThoseWithout() {
    var without = new ArrayList<Holder>();
    lock.lock();
    try {
      streams.forEach((stream, key) -> {
        if (key.under.isEmpty()
            && time.nanoTime() - key.lackingNanos > settings.leaseGrace().toNanos()) {
          without.add(stream);
        }
      });
    } finally {
      lock.unlock();
    }
    without.forEach(stream ->
        stream.close(
            Errors.dependencyUnavailable(
                "the lease of node " + stream.node() + " cannot be kept: " + trouble)));
  }

  /** All keys go with the lease. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return;
    }
    var _ = attempt(this::withdraw);
    lease.ifPresent(Lease::close);
  }
}
