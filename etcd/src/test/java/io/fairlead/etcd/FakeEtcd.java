package io.fairlead.etcd;

import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * An etcd in memory that several {@link FakeCoordination}s share. Leases run out by the given time:
 * those of clients that can reach it are renewed whenever time moves. It can be taken down, brought
 * back and wiped; single clients can be cut off.
 */
public final class FakeEtcd implements AutoCloseable {
  private static final Duration TICK = Duration.ofMillis(100);

  record Entry(String value, long revision, long lease) {}

  private static final class ServerLease {
    final Duration ttl;
    long renewedNanos;

    ServerLease(Duration ttl, long renewedNanos) {
      this.ttl = ttl;
      this.renewedNanos = renewedNanos;
    }
  }

  private final Time time;

  /** Guards everything below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final TreeMap<String, Entry> entries = new TreeMap<>();
  private final Map<Long, ServerLease> leases = new TreeMap<>();
  private final List<FakeCoordination> clients = new CopyOnWriteArrayList<>();
  private final Thread ticker;
  private int cluster = 1;
  private long revision = 1;
  private long nextLease = 1;
  private boolean up = true;

  public FakeEtcd(Time time) {
    this.time = time;
    this.ticker =
        Thread.ofVirtual()
            .name("fake-etcd")
            .start(() -> {
              try {
                while (true) {
                  tick();
                  time.sleep(TICK);
                }
              } catch (InterruptedException _) { // closed
                Thread.currentThread().interrupt();
              }
            });
  }

  /** Another process' connection. */
  public FakeCoordination client() {
    var client = new FakeCoordination(this, time);
    clients.add(client);
    return client;
  }

  /** As by kill -9: what is stored stays; nobody is answered until {@link #up}. */
  public void down() {
    tick(); // who could renew its lease until now has done so, however its threads were scheduled
    locked(() -> up = false);
  }

  /** Leases begin their ttl anew, as those of a new leader do. Watches report a reconnect. */
  public void up() {
    locked(() -> {
      up = true;
      leases.values().forEach(lease -> lease.renewedNanos = time.nanoTime());
      return up;
    });
    clients.forEach(FakeCoordination::signal);
  }

  /** Loses everything: keys, leases, revisions; a new cluster id. */
  public void wipe() {
    locked(() -> {
      entries.clear();
      leases.clear();
      revision = 1;
      return cluster++;
    });
    clients.forEach(FakeCoordination::signal);
    tick();
  }

  /** What is stored now, as a backup has it. */
  public Backup backup() {
    return locked(() -> {
      var ttls = new TreeMap<Long, Duration>();
      leases.forEach((id, lease) -> ttls.put(id, lease.ttl));
      return new Backup(revision, Map.copyOf(entries), ttls);
    });
  }

  /**
   * Goes back to a backup: the same cluster, and revisions that are given out again. Its leases are
   * there again beside those of now, and begin their ttl anew.
   */
  public void restore(Backup backup) {
    locked(() -> {
      entries.clear();
      entries.putAll(backup.entries);
      revision = backup.revision;
      backup.ttls.forEach(
          (id, ttl) -> leases.putIfAbsent(id, new ServerLease(ttl, time.nanoTime())));
      return revision;
    });
    clients.forEach(FakeCoordination::signal);
  }

  /** See {@link #backup}. */
  public static final class Backup {
    private final long revision;
    private final Map<String, Entry> entries;
    private final Map<Long, Duration> ttls;

    private Backup(long revision, Map<String, Entry> entries, Map<Long, Duration> ttls) {
      this.revision = revision;
      this.entries = entries;
      this.ttls = ttls;
    }
  }

  /** Ends a lease although its client could renew it. */
  public void expire(long lease) {
    locked(() -> {
      drop(lease);
      return lease;
    });
    clients.forEach(FakeCoordination::signal);
    tick();
  }

  /** What is stored, for messages of failed tests. */
  public SortedMap<String, String> dump() {
    return locked(() -> {
      var dump = new TreeMap<String, String>();
      entries.forEach((key, entry) -> dump.put(key, entry.value()));
      return dump;
    });
  }

  /** Brings leases up to the time of now. */
  void tick() {
    // before the renewals: else a test that moves time between them and the look below ends leases
    // of clients that were there all the time
    long nowNanos = time.nanoTime();
    clients.forEach(FakeCoordination::renewLeases);
    boolean expired =
        locked(() -> {
          if (!up) {
            return false;
          }
          var gone = new ArrayList<Long>();
          leases.forEach((id, lease) -> {
            if (nowNanos - lease.renewedNanos >= lease.ttl.toNanos()) {
              gone.add(id);
            }
          });
          gone.forEach(this::drop);
          return !gone.isEmpty();
        });
    if (expired) {
      clients.forEach(FakeCoordination::signal);
    }
  }

  private void drop(long lease) {
    if (leases.remove(lease) != null) {
      revision++;
      entries.values().removeIf(entry -> entry.lease() == lease);
    }
  }

  // --- what a client does; all called within transaction()

  <T> T locked(Supplier<T> body) {
    lock.lock();
    try {
      return body.get();
    } finally {
      lock.unlock();
    }
  }

  void requireUp() {
    if (!up) {
      throw new GatewayException(Outcome.KNOWN_FAILED, "fake etcd is down");
    }
  }

  boolean isUp() {
    return locked(() -> up);
  }

  Optional<Entry> get(String key) {
    return Optional.ofNullable(entries.get(key));
  }

  SortedMap<String, Entry> range(String prefix) {
    return new TreeMap<>(entries.subMap(prefix, EtcdKeys.endOf(prefix)));
  }

  long put(String key, String value, long lease) {
    if (lease != 0 && !leases.containsKey(lease)) {
      throw new GatewayException(Outcome.KNOWN_FAILED, "requested lease not found");
    }
    revision++;
    entries.put(key, new Entry(value, revision, lease));
    return revision;
  }

  void delete(String key) {
    if (entries.remove(key) != null) {
      revision++;
    }
  }

  long grant(Duration ttl) {
    leases.put(nextLease, new ServerLease(ttl, time.nanoTime()));
    return nextLease++;
  }

  void revoke(long lease) {
    drop(lease);
  }

  /** False: no such lease. */
  boolean renew(long lease) {
    var known = leases.get(lease);
    if (known == null) {
      return false;
    }
    known.renewedNanos = time.nanoTime();
    return true;
  }

  /** Until it runs out; empty = no such lease. */
  Optional<Duration> timeLeft(long lease) {
    return Optional.ofNullable(leases.get(lease))
        .map(known -> known.ttl.minusNanos(time.nanoTime() - known.renewedNanos))
        .filter(Duration::isPositive);
  }

  Coordination.ClusterState state() {
    return new Coordination.ClusterState("fake-" + cluster, revision);
  }

  void changed() {
    clients.forEach(FakeCoordination::signal);
  }

  void remove(FakeCoordination client) {
    clients.remove(client);
  }

  @Override
  public void close() {
    List.copyOf(clients).forEach(FakeCoordination::close);
    ticker.interrupt();
  }
}
