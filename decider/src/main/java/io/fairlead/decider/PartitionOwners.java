package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.decider.PartitionOwner.Phase;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.eventlog.log.EventLog;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares the partitions of a service among its replicas and runs those of this one. Threads, all
 * virtual: one that looks at etcd and says what is wanted, one for each partition (it sleeps where
 * the partition is not owned), one that wakes them when time has passed. Nothing here is durable.
 */
public final class PartitionOwners<C, R> implements Decider<C, R>, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PartitionOwners.class);
  private static final Duration TICK = Duration.ofMillis(200);
  private static final Duration HAND_OVER_EVERY = Duration.ofSeconds(1);
  private static final Duration DRAIN_LIMIT = Duration.ofSeconds(10);

  private record Waiter(
      LogPartition partition, long revision, CompletableFuture<Optional<Owner>> found) {}

  private final Parts<C, R> parts;
  private final BooleanSupplier loaded;
  private final Membership membership;
  private final SortedMap<LogPartition, PartitionOwner<C, R>> partitions = new TreeMap<>();
  private final Mailbox<Void> looks = new Mailbox<>(1);
  private final CountDownLatch drained = new CountDownLatch(1);
  private final Thread thread;
  private final Thread ticker;
  private final AutoCloseable watch;

  /** Guards {@link #waiters}. */
  private final ReentrantLock lock = new ReentrantLock();

  private final List<Waiter> waiters = new ArrayList<>();
  private volatile Map<LogPartition, Owner> owners = Map.of();
  private volatile boolean looked;
  private volatile boolean draining;
  private volatile boolean closed;
  private volatile boolean lookNow = true;
  private long handedOverNanos;

  /** Of the thread that looks. */
  private boolean warm;

  private PartitionOwners(Parts<C, R> parts, BooleanSupplier loaded) {
    this.parts = parts;
    this.loaded = loaded;
    this.handedOverNanos = parts.time().nanoTime() - HAND_OVER_EVERY.toNanos();
    this.membership = new Membership(parts.coordination(), parts.settings(), this::lookSoon);
    for (var partition : parts.settings().partitions()) {
      partitions.put(
          partition,
          new PartitionOwner<>(
              parts,
              partition,
              membership::session,
              () -> Optional.ofNullable(owners.get(partition)),
              membership::etcdAway,
              membership::seen,
              this::lookSoon));
    }
    var service = parts.settings().service();
    this.thread = Thread.ofVirtual().name("owners-" + service).unstarted(this::run);
    this.ticker = Thread.ofVirtual().name("owners-tick-" + service).unstarted(this::tick);
    this.watch = parts.coordination().watch(this::lookSoon);
  }

  /**
   * Begins to take part.
   *
   * @param feed what the loader publishes to; the loader runs already or soon
   * @param loaded whether this replica has read the log far enough to own anything
   * @param faults told when the log is not laid out as configured, or the logic threw
   * @param points told of the steps of take-overs and commits
   */
  public static <C, R> PartitionOwners<C, R> start(
      DeciderSettings settings,
      EventLog eventLog,
      Coordination coordination,
      Feed feed,
      BooleanSupplier loaded,
      PartitionLogic<C, R> logic,
      FaultHandler faults,
      FaultPoints points,
      Time time,
      RandomSource random) {
    var parts =
        new Parts<>(
            settings,
            eventLog,
            coordination,
            feed,
            logic,
            faults,
            points,
            time,
            random,
            new DeciderStats());
    var owners = new PartitionOwners<>(parts, loaded);
    owners.partitions.values().forEach(PartitionOwner::start);
    owners.thread.start();
    owners.ticker.start();
    return owners;
  }

  // --- Decider

  @Override
  public CompletableFuture<Answer<R>> submit(LogPartition partition, Request<C> request) {
    var answer = new CompletableFuture<Answer<R>>();
    partition(partition).submit(new Pending.Ask<>(request, answer, parts.time().nanoTime()));
    return answer;
  }

  @Override
  public CompletableFuture<Answer<Confirmed>> confirm(LogPartition partition) {
    var answer = new CompletableFuture<Answer<Confirmed>>();
    partition(partition).submit(new Pending.Confirm<>(answer));
    return answer;
  }

  private PartitionOwner<C, R> partition(LogPartition partition) {
    var owner = partitions.get(partition);
    if (owner == null) {
      throw new IllegalArgumentException(
          "partition " + partition + " is not of service " + parts.settings().service());
    }
    return owner;
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return Optional.ofNullable(owners.get(partition));
  }

  @Override
  public CompletableFuture<Optional<Owner>> ownerOtherThan(LogPartition partition, long revision) {
    var found = new CompletableFuture<Optional<Owner>>();
    lock.lock();
    try {
      waiters.add(new Waiter(partition, revision, found));
    } finally {
      lock.unlock();
    }
    answerWaiters();
    lookSoon();
    return found;
  }

  private void answerWaiters() {
    var done = new ArrayList<Waiter>();
    lock.lock();
    try {
      waiters.removeIf(waiter -> {
        boolean ready =
            closed
                || owner(waiter.partition)
                    .filter(owner -> owner.revision() != waiter.revision)
                    .isPresent();
        if (ready) {
          done.add(waiter);
        }
        return ready || waiter.found.isDone();
      });
    } finally {
      lock.unlock();
    }
    done.forEach(waiter -> waiter.found.complete(owner(waiter.partition)));
  }

  // --- for health and metrics

  /** Whether every partition has an owner, by a look at etcd that worked, or is served here. */
  public boolean ready() {
    return looked
        && partitions.entrySet().stream()
            .allMatch(p -> owners.containsKey(p.getKey()) || p.getValue().phase() == Phase.SERVING);
  }

  public DeciderStats stats() {
    return parts.stats();
  }

  /** Partitions that this replica decides for now. */
  public List<LogPartition> serving() {
    return partitions.entrySet().stream()
        .filter(p -> p.getValue().phase() == Phase.SERVING)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** How many requests wait. */
  public int queued() {
    return partitions.values().stream().mapToInt(PartitionOwner::queued).sum();
  }

  /** Whether the last look at etcd failed. */
  public boolean etcdAway() {
    return membership.etcdAway();
  }

  // --- the thread that looks

  private void lookSoon() {
    lookNow = true;
    looks.wake();
  }

  private void tick() {
    try {
      while (!closed) {
        parts.time().sleep(TICK);
        looks.wake();
        partitions.values().forEach(PartitionOwner::wake);
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    long lookedNanos = parts.time().nanoTime();
    try {
      while (!closed) {
        long since = parts.time().nanoTime() - lookedNanos;
        // told of a change: at once, but not while etcd is away, which every failure tells again
        boolean due = lookNow && !membership.etcdAway() || since >= membership.pause().toNanos();
        if (due) {
          lookNow = false;
          lookedNanos = parts.time().nanoTime();
          look();
        }
        if (draining && partitions.values().stream().allMatch(p -> p.phase() == Phase.IDLE)) {
          drained.countDown();
        }
        if (!lookNow || membership.etcdAway()) {
          looks.awaitWake();
        }
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      parts.faults().fault("sharing the partitions of " + parts.settings().service(), e);
    } finally {
      drained.countDown();
    }
  }

  private void look() {
    boolean ending = draining;
    if (ending) { // before anybody is told: who sees it may count on it
      partitions.values().forEach(PartitionOwner::letGoForGood);
    }
    var before = new TreeMap<LogPartition, Owner>();
    partitions.forEach((name, p) -> p.held().ifPresent(owner -> before.put(name, owner)));
    // what is let go is deleted, perhaps with a word for the next owner, by whoever lets go of it
    var idle =
        partitions.entrySet().stream()
            .filter(p -> p.getValue().phase() == Phase.IDLE)
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    boolean ready = loaded.getAsBoolean() && !ending && fit();
    var view = membership.look(ready);
    if (view.isEmpty()) {
      return;
    }
    owners = Map.copyOf(view.get().owners());
    looked = true;
    answerWaiters();
    partitions.forEach((name, p) ->
        share(name, p, view.get(), Optional.ofNullable(before.get(name)), idle.contains(name)));
  }

  /** After a back-off the log is tried first: else partitions would come and go again. */
  private boolean fit() {
    var unfit = partitions.values().stream().filter(p -> p.unfitUntilNanos().isPresent()).toList();
    if (unfit.isEmpty()) {
      return true;
    }
    long now = parts.time().nanoTime();
    if (unfit.stream().anyMatch(p -> now - p.unfitUntilNanos().orElse(now) < 0)) {
      return false;
    }
    try {
      var _ = parts.log().endOffsets(parts.settings().partitions());
      unfit.forEach(PartitionOwner::fit);
      return true;
    } catch (GatewayException e) {
      log.atDebug().setCause(e).log("the log is still away");
      return false;
    }
  }

  private void share(
      LogPartition name,
      PartitionOwner<C, R> partition,
      Membership.View view,
      Optional<Owner> heldBefore,
      boolean idleBefore) {
    var key = Optional.ofNullable(view.owners().get(name));
    var me = parts.settings().replica();
    if (view.etcdChanged()) {
      partition.takeOverAgain();
    } else if (view.reconnected()) {
      partition.reconcileSoon();
    }
    // only a key that was put before this look began can be missed by it
    heldBefore
        .filter(held -> key.filter(k -> k.takeover().equals(held.takeover())).isEmpty())
        .ifPresent(held -> partition.keyLost(held.takeover()));
    var desired =
        Rendezvous.owner(
            parts.settings().service(),
            name,
            view.members().values().stream().filter(Member::ready).map(Member::replica).toList());
    boolean mine = desired.filter(me::equals).isPresent();
    boolean keyFree = key.filter(k -> !k.replica().equals(me)).isEmpty();
    if (!keyFree && loaded.getAsBoolean()) {
      warmUp();
    }
    if (draining) {
      partition.letGoForGood();
    } else if (mine) {
      if (keyFree) {
        partition.want(true);
      }
    } else if (desired.isPresent() && partition.isWanted() && mayHandOver(partition)) {
      log.atInfo()
          .addKeyValue("event", "partition.handover")
          .addKeyValue("partition", name)
          .addKeyValue("to", desired.get())
          .log("handing over");
      partition.want(false);
    }
    partition.wake(); // the session may be another
    if (idleBefore && partition.held().isEmpty() && !mine) {
      // left by an earlier life of this replica, or by a release that did not get through
      key.filter(k -> k.replica().equals(me)).ifPresent(k -> releaseLeftover(name, k));
    }
  }

  /** Once, where another replica has what this one may have to take over without a gap. */
  private void warmUp() {
    if (warm) {
      return;
    }
    warm = true;
    Thread.ofVirtual()
        .name("owners-warm-up-" + parts.settings().service())
        .start(() -> {
          try {
            parts.log().warmUp();
          } catch (GatewayException e) {
            log.atDebug().setCause(e).log("the first take-over will be a cold one");
          }
        });
  }

  private boolean mayHandOver(PartitionOwner<C, R> partition) {
    if (partition.phase() != Phase.SERVING) {
      return true; // nothing to lose
    }
    long now = parts.time().nanoTime();
    if (now - handedOverNanos < HAND_OVER_EVERY.toNanos()) {
      return false;
    }
    handedOverNanos = now;
    return true;
  }

  private void releaseLeftover(LogPartition name, Owner key) {
    try {
      parts.coordination().releaseOwnership(name, key.takeover());
    } catch (GatewayException e) {
      log.atDebug().setCause(e).log("leftover key not deleted");
    }
  }

  // --- the end

  /**
   * Lets go of all partitions after their running batches; returns when done, at the latest in 10
   * s.
   */
  public void drain() {
    draining = true;
    lookSoon();
    partitions.values().forEach(PartitionOwner::letGoForGood);
    try {
      if (!drained.await(DRAIN_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        log.warn("not all partitions were let go in time");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    drain();
    closed = true;
    partitions.values().forEach(PartitionOwner::close);
    thread.interrupt();
    ticker.interrupt();
    try {
      watch.close();
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      log.atWarn().setCause(e).log("watch not closed");
    }
    membership.close();
    answerWaiters();
  }
}
