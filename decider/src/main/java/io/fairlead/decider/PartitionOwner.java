package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.GatewayException;
import io.fairlead.decider.GroupCommit.Next;
import io.fairlead.etcd.Coordination.ClusterState;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.Coordination.Settled;
import io.fairlead.etcd.NotOwnerException;
import io.fairlead.eventlog.log.ForeignLogException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition as this replica sees it: idle, or taking it over and serving it on a virtual thread
 * of its own, which alone touches appender and batches. Others set wishes (volatile) and wake it.
 * Soft: the next owner finds everything in the log.
 */
final class PartitionOwner<C, R> {
  private static final Logger log = LoggerFactory.getLogger(PartitionOwner.class);

  /** After a reconciliation that failed: claims that nobody knows of may stay for 10 s at most. */
  private static final Duration RECONCILE_AGAIN = Duration.ofSeconds(1);

  /** A call that etcd did not answer in time it may still carry out: up to 7 s later by default. */
  private static final Duration LATE_CLAIMS = Duration.ofSeconds(8);

  /** What was answered is read already; only its transaction's marker may be on its way. */
  private static final Duration SETTLE_LIMIT = Duration.ofSeconds(2);

  private static final Duration FIRST_BACK_OFF = Duration.ofMillis(500);
  private static final Duration LONGEST_BACK_OFF = Duration.ofSeconds(10);

  enum Phase {
    IDLE,
    TAKING_OVER,
    SERVING,
    /** Decides nothing any more; the key may still be there. */
    LETTING_GO
  }

  private final Parts<C, R> parts;
  private final LogPartition partition;
  private final Supplier<Optional<Lease>> session;
  private final Supplier<Optional<Owner>> seenOwner;
  private final BooleanSupplier etcdAway;
  private final Supplier<Optional<ClusterState>> seenEtcd;
  private final Runnable onChange;
  private final Mailbox<Pending<C, R>> mailbox;
  private final CommitHealth health = new CommitHealth();
  private final Thread thread;
  private volatile Phase phase = Phase.IDLE;
  private volatile boolean wanted;

  /** Whatever is wished later. */
  private volatile boolean wantedNoMore;

  private volatile boolean closed;

  /** How often somebody asked for a reconciliation; it is due until one began after that worked. */
  private final AtomicLong reconcileAsked = new AtomicLong();

  private volatile Optional<Owner> held = Optional.empty();
  private volatile Optional<UUID> lostKey = Optional.empty();
  private volatile boolean takeOverAgain;
  private volatile long heldLease;
  private volatile Optional<Long> unfitUntilNanos = Optional.empty();
  private volatile long retryNanos;
  private int failures;
  private long reconciledAsk;
  private long reconcileAfterNanos;

  /** When claims that were in doubt can be found for certain. */
  private Optional<Long> claimsCertainNanos = Optional.empty();

  /**
   * Idle.
   *
   * @param session the lease to hold the key under; empty while there is none
   * @param seenOwner who owns the partition by the last look at etcd
   * @param etcdAway whether the last look at etcd failed
   * @param seenEtcd the etcd of the last look that worked
   * @param onChange called when phase or fitness changed; must not block
   */
  PartitionOwner(
      Parts<C, R> parts,
      LogPartition partition,
      Supplier<Optional<Lease>> session,
      Supplier<Optional<Owner>> seenOwner,
      BooleanSupplier etcdAway,
      Supplier<Optional<ClusterState>> seenEtcd,
      Runnable onChange) {
    this.parts = parts;
    this.partition = partition;
    this.session = session;
    this.seenOwner = seenOwner;
    this.etcdAway = etcdAway;
    this.seenEtcd = seenEtcd;
    this.onChange = onChange;
    this.mailbox = new Mailbox<>(parts.settings().queue());
    this.retryNanos = parts.time().nanoTime();
    this.thread =
        Thread.ofVirtual()
            .name("decider-" + parts.settings().service() + "-" + partition)
            .unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  // --- from other threads

  void submit(Pending<C, R> pending) {
    if (closed) {
      pending.refuse(Refused.because(Answer.Reason.CLOSING, "this replica is being shut down"));
    } else if (phase == Phase.IDLE) {
      pending.refuse(notOwner());
    } else if (!mailbox.offer(pending, Pending::isWithdrawn)) {
      parts.stats().overloaded.increment();
      pending.refuse(
          Refused.because(
              Answer.Reason.OVERLOADED,
              "%d requests wait for partition %s".formatted(parts.settings().queue(), partition)));
    } else if (phase == Phase.IDLE) {
      refuseQueue(notOwner()); // it stepped down in between and may not look again
    }
  }

  private Refused notOwner() {
    // an own key of before is not an owner to forward to
    var seen = seenOwner.get();
    var other = seen.filter(owner -> !owner.replica().equals(parts.settings().replica()));
    return new Refused.NotOwner(other, seen.map(Owner::revision).orElse(0L));
  }

  Phase phase() {
    return phase;
  }

  int queued() {
    return mailbox.size();
  }

  /** The key of the take-over that is under way or done. */
  Optional<Owner> held() {
    return held;
  }

  boolean isWanted() {
    return wanted && !wantedNoMore;
  }

  /** Whether this replica is to own it; it lets go after the running batch. */
  void want(boolean wish) {
    if (wanted != wish) {
      wanted = wish;
      mailbox.wake();
    }
  }

  /**
   * As {@code want(false)}, and a wish that is under way meanwhile counts no more: else it would
   * own again just when nobody looks after it. Once it is idle then, it stays so.
   */
  void letGoForGood() {
    wantedNoMore = true;
    want(false);
  }

  /** The key is known not to hold that take-over any more. */
  void keyLost(UUID takeover) {
    lostKey = Optional.of(takeover);
    mailbox.wake();
  }

  /** etcd is not the one it was: put everything right from the log. */
  void takeOverAgain() {
    takeOverAgain = true;
    mailbox.wake();
  }

  void reconcileSoon() {
    reconcileAsked.incrementAndGet();
    mailbox.wake();
  }

  void wake() {
    mailbox.wake();
  }

  /** Whether it could not commit, and until when it waits: somebody else had better own. */
  Optional<Long> unfitUntilNanos() {
    return unfitUntilNanos;
  }

  /** The log was seen to be there again. */
  void fit() {
    unfitUntilNanos = Optional.empty();
  }

  /** Lets go, refuses what waits; returns when the thread has ended, or after a limit. */
  void close() {
    closed = true;
    wanted = false;
    mailbox.wake();
    try {
      if (!thread.join(Duration.ofSeconds(15))) {
        thread.interrupt();
        thread.join(Duration.ofSeconds(5));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  // --- its own thread

  private void run() {
    try {
      while (!closed) {
        var lease = session.get();
        if (!isWanted() || lease.isEmpty() || parts.time().nanoTime() - retryNanos < 0) {
          if (!isWanted() && held.isPresent()) {
            release(); // it was to let go just when it was to take over again
          }
          rest();
          mailbox.awaitWake();
          continue;
        }
        own(lease.get());
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      parts.faults().fault("deciding for partition " + partition, e);
    } finally {
      closed = true;
      phase = Phase.IDLE;
      refuseQueue(Refused.because(Answer.Reason.CLOSING, "this replica is being shut down"));
    }
  }

  private void rest() {
    health.worked();
    if (phase != Phase.IDLE) {
      phase = Phase.IDLE;
      onChange.run();
    }
    refuseQueue(notOwner());
  }

  /** One take-over and what follows from it. */
  private void own(Lease lease) throws InterruptedException {
    phase =
        Phase.TAKING_OVER; // first: who was told to let go and looks idle does not begin any more
    if (!isWanted()) {
      rest();
      return;
    }
    takeOverAgain = false;
    heldLease = lease.id();
    long asked = reconcileAsked.get();
    long fromNanos = parts.time().nanoTime();
    var result =
        new Takeover<>(parts, partition, lease, health, key -> held = Optional.of(key)).run();
    switch (result) {
      case Takeover.Result.Owning<C, R>(var me, var appender, var commits) -> {
        reconciled(asked, fromNanos);
        health.answered(); // it said where its end is
        phase = Phase.SERVING;
        onChange.run();
        var survey = new ClaimSurvey(parts, mailbox::wake);
        Next next;
        try {
          next = serve(me, commits, survey);
          if (next == Next.GO_ON) {
            // before the appender is closed: the next owner waits for it
            release(settled(commits, survey));
          }
        } finally {
          appender.close();
        }
        parts.stats().lostOwnerships.increment();
        after(next, me);
      }
      case Takeover.Result.HeldByOther<C, R>() -> {
        release();
        wanted = false; // until the next look at etcd says otherwise
        rest();
      }
      case Takeover.Result.Failed<C, R>(var reason, var message) -> {
        log.atWarn()
            .addKeyValue("event", "partition.takeover.failed")
            .addKeyValue("partition", partition)
            .addKeyValue("why", message)
            .log("take-over failed; trying again");
        refuseQueue(Refused.because(reason, message));
        backOff(reason == Answer.Reason.LOG_UNAVAILABLE);
      }
      case Takeover.Result.Refused<C, R>(var why) -> {
        refuseQueue(Refused.because(Answer.Reason.LOG_UNAVAILABLE, why));
        backOff(true);
      }
    }
  }

  private void after(Next next, Owner me) throws InterruptedException {
    switch (next) {
      case TAKE_OVER_AGAIN -> {
        if (health.hopeless()) { // a take-over that works shows no more than an answer does
          backOff(true);
          return;
        }
        // what waits is decided by the next take-over
        log.atInfo()
            .addKeyValue("event", "partition.again")
            .addKeyValue("partition", partition)
            .log("taking over again");
      }
      case KEY_LOST -> {
        held = Optional.empty();
        wanted = false;
        rest();
      }
      case UNFIT -> backOff(true);
      case GO_ON -> { // let go
        log.atInfo()
            .addKeyValue("event", "partition.released")
            .addKeyValue("partition", partition)
            .addKeyValue("replica", me.replica())
            .log("partition let go");
        rest();
      }
    }
  }

  /**
   * What the next owner may count on: that the claims are those of the image at the end of the log.
   * Empty where that is not certain.
   */
  private Optional<Settled> settled(GroupCommit<C, R> commits, ClaimSurvey survey)
      throws InterruptedException {
    if (!partition.equals(LogPartition.SERVICES)) {
      return Optional.empty(); // nothing is claimed for others
    }
    var doubt = claimsDoubt(commits, survey);
    if (doubt.isPresent()) {
      return unsettled(doubt.get());
    }
    try {
      var end = parts.log().endOffsets(List.of(partition));
      var state = parts.feed().awaitApplied(end, SETTLE_LIMIT);
      // an etcd that was restored may lack claims although it has the key; what was seen is taken
      // first: the look that told to let go goes on meanwhile and sees later revisions
      var seen = seenEtcd.get();
      var etcd = parts.coordination().clusterState();
      return seen.filter(etcd::follows).isPresent()
          ? Optional.of(
              new Settled(
                  state.position().log(),
                  Objects.requireNonNull(end.get(partition), "the end that was asked for"),
                  state.image().digest(partition)))
          : unsettled("etcd is not the one that was seen");
    } catch (GatewayException | ForeignLogException | TimeoutException e) {
      return unsettled(String.valueOf(e.getMessage()));
    }
  }

  /** Why the claims may not be what the image wants. */
  private Optional<String> claimsDoubt(GroupCommit<C, R> commits, ClaimSurvey survey) {
    if (commits.takeClaimsInDoubt() || claimsCertainNanos.isPresent()) {
      return Optional.of("a call to etcd may still be carried out");
    }
    if (reconcileAsked.get() != reconciledAsk) {
      return Optional.of("a reconciliation is due");
    }
    if (survey.differs()) {
      return Optional.of("a look found a difference");
    }
    if (takeOverAgain) {
      return Optional.of("etcd is another");
    }
    if (etcdAway.getAsBoolean()) {
      return Optional.of("etcd is away");
    }
    return health.inDoubt() ? Optional.of("the log is away") : Optional.empty();
  }

  private Optional<Settled> unsettled(String why) {
    log.atInfo()
        .addKeyValue("event", "partition.unsettled")
        .addKeyValue("partition", partition)
        .addKeyValue("why", why)
        .log("the next owner compares the claims");
    return Optional.empty();
  }

  /** Until it must stop; GO_ON when it is to let go. */
  private Next serve(Owner me, GroupCommit<C, R> commits, ClaimSurvey survey)
      throws InterruptedException {
    failures = 0;
    var gathering = new Gathering(mailbox, parts.time(), parts.settings().batch());
    while (true) {
      if (!isWanted() || closed) {
        return Next.GO_ON;
      }
      if (lostKey.filter(me.takeover()::equals).isPresent()) {
        log.atWarn()
            .addKeyValue("event", "partition.key.lost")
            .addKeyValue("partition", partition)
            .log("ownership key lost");
        return Next.KEY_LOST;
      }
      if (takeOverAgain || session.get().filter(lease -> lease.id() != heldLease).isPresent()) {
        return Next.TAKE_OVER_AGAIN;
      }
      commits.probe();
      if (health.hopeless()) {
        return Next.UNFIT;
      }
      if (commits.takeClaimsInDoubt()) {
        reconcileAsked.incrementAndGet();
        claimsCertainNanos = Optional.of(parts.time().nanoTime() + LATE_CLAIMS.toNanos());
      }
      if (partition.equals(LogPartition.SERVICES) && compare(me, survey) == Next.KEY_LOST) {
        return Next.KEY_LOST;
      }
      parts.points().reached(FaultPoint.SERVING);
      gathering.await();
      var batch = mailbox.take(parts.settings().batch());
      if (!batch.isEmpty()) {
        long fromNanos = parts.time().nanoTime();
        var next = process(batch, commits);
        gathering.answered(batch.size(), fromNanos);
        if (next != Next.GO_ON) {
          return next;
        }
      }
    }
  }

  /** Whatever happens, nobody waits for ever. */
  private Next process(List<Pending<C, R>> batch, GroupCommit<C, R> commits)
      throws InterruptedException {
    try {
      return commits.process(batch);
    } finally {
      var unknown = Refused.because(Answer.Reason.OUTCOME_UNKNOWN, "the owner was stopped");
      batch.forEach(pending -> pending.refuse(unknown)); // without effect where it was answered
    }
  }

  /** The claims with the image: beside the decisions now and then, between them where it is due. */
  private Next compare(Owner me, ClaimSurvey survey) {
    if (survey.takeDoubt()) {
      reconcileAsked.incrementAndGet();
    }
    if (reconcileDue()) {
      survey.reconciled();
      return reconcile(me);
    }
    if (!etcdAway.getAsBoolean()) {
      survey.lookIfDue();
    }
    return Next.GO_ON;
  }

  /** Not while etcd is known to be away: each try would keep the requests waiting. */
  private boolean reconcileDue() {
    long now = parts.time().nanoTime();
    return (reconcileAsked.get() != reconciledAsk
            || claimsCertainNanos.filter(certain -> now - certain >= 0).isPresent())
        && now - reconcileAfterNanos >= 0
        && !etcdAway.getAsBoolean();
  }

  /** What is claimed late may have come after the look at the claims, which began at that time. */
  private void reconciled(long asked, long fromNanos) {
    reconciledAsk = asked;
    reconcileAfterNanos = parts.time().nanoTime();
    claimsCertainNanos = claimsCertainNanos.filter(certain -> fromNanos - certain < 0);
  }

  private Next reconcile(Owner me) {
    long asked = reconcileAsked.get();
    long fromNanos = parts.time().nanoTime();
    try {
      new ClaimReconciler(parts.coordination(), parts.stats(), parts.points())
          .run(parts.feed().current().image(), partition, me.takeover());
      reconciled(asked, fromNanos);
    } catch (GatewayException e) { // it stays due, and what it claimed itself may come late
      long now = parts.time().nanoTime();
      reconcileAfterNanos = now + RECONCILE_AGAIN.toNanos();
      claimsCertainNanos = Optional.of(now + LATE_CLAIMS.toNanos());
      log.atDebug().setCause(e).log("claims not reconciled");
    } catch (NotOwnerException _) {
      return Next.KEY_LOST;
    }
    return Next.GO_ON;
  }

  /** Deletes the key, so that somebody fitter may own, and waits longer each time. */
  private void backOff(boolean unfit) {
    var wait = FIRST_BACK_OFF.multipliedBy(1L << Math.min(failures, 5));
    failures++;
    long until =
        parts.time().nanoTime()
            + (wait.compareTo(LONGEST_BACK_OFF) < 0 ? wait : LONGEST_BACK_OFF).toNanos();
    retryNanos = until;
    if (unfit) {
      unfitUntilNanos = Optional.of(until);
      log.atWarn()
          .addKeyValue("event", "partition.backoff")
          .addKeyValue("partition", partition)
          .addKeyValue("failures", failures)
          .log("backing off");
    }
    release(); // last: whoever sees that the key is gone sees also that this replica is not fit
    rest();
  }

  private void release() {
    release(Optional.empty());
  }

  private void release(Optional<Settled> settled) {
    phase = Phase.LETTING_GO; // first: two must never seem to serve
    var key = held;
    held = Optional.empty();
    if (key.isPresent()) {
      parts.points().reached(FaultPoint.RELEASING);
      try {
        var takeover = key.get().takeover();
        settled.ifPresentOrElse(
            left -> parts.coordination().releaseSettled(partition, takeover, left),
            () -> parts.coordination().releaseOwnership(partition, takeover));
      } catch (GatewayException e) {
        log.atDebug().setCause(e).log("ownership key not deleted; found at the next look");
      }
    }
    onChange.run();
  }

  private void refuseQueue(Refused why) {
    mailbox.drain().forEach(pending -> pending.refuse(why));
  }
}
