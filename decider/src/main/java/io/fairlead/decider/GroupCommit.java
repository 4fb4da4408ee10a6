package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.NotOwnerException;
import io.fairlead.eventlog.log.FencedException;
import io.fairlead.eventlog.log.ForeignLogException;
import io.fairlead.eventlog.log.PartitionAppender;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns batches of requests into transactions, from one take-over to the next. Used by the
 * partition's thread only. Holds nothing durable: what it answered is in the log.
 */
final class GroupCommit<C, R> {
  private static final Logger log = LoggerFactory.getLogger(GroupCommit.class);

  /** How long the follower may take to deliver what was committed. */
  private static final Duration DELIVERY_LIMIT = Duration.ofSeconds(10);

  /** What the partition does after a batch. */
  enum Next {
    GO_ON,
    /** Nothing is known to be wrong with the key: take over again from the log. */
    TAKE_OVER_AGAIN,
    /** Somebody else owns it, or nobody. */
    KEY_LOST,
    /** The log is not the one it was. */
    UNFIT
  }

  private final Parts<C, R> parts;
  private final LogPartition partition;
  private final Owner me;
  private final PartitionAppender appender;
  private final CommitHealth health;
  private boolean claimsInDoubt;

  /** With what is known of earlier commits. */
  GroupCommit(
      Parts<C, R> parts,
      LogPartition partition,
      Owner me,
      PartitionAppender appender,
      CommitHealth health) {
    this.parts = parts;
    this.partition = partition;
    this.me = me;
    this.appender = appender;
    this.health = health;
  }

  /**
   * Asks the log for its end where the last commit failed, until it answers: so that an owner which
   * is cut off gives up also where nobody wants anything of it.
   */
  void probe() {
    long startedNanos = parts.time().nanoTime();
    if (!health.probeDue(startedNanos)) {
      return;
    }
    try {
      var _ = parts.log().endOffsets(List.of(partition));
      health.answered();
    } catch (GatewayException e) {
      health.silent(startedNanos, parts.time().nanoTime());
      log.atDebug().setCause(e).log("the log is still away");
    } catch (ForeignLogException e) { // the next append says so, or the next take-over
      health.silent(startedNanos, parts.time().nanoTime());
      log.atDebug().setCause(e).log("the log is another");
    }
  }

  /** Whether etcd may hold claims that nobody knows of; asking resets it. */
  boolean takeClaimsInDoubt() {
    boolean doubt = claimsInDoubt;
    claimsInDoubt = false;
    return doubt;
  }

  /** All of them are answered when this returns, whatever it returns. */
  Next process(List<Pending<C, R>> batch) throws InterruptedException {
    var slots = new ArrayList<Slot<C, R>>();
    var readings = new ArrayList<Reading>();
    var byRequest = new HashMap<List<String>, Slot<C, R>>();
    long nowNanos = parts.time().nanoTime();
    for (var pending : batch) {
      switch (pending) {
        case Pending.Confirm<C, R>(var answer) -> readings.add(Reading.confirmation(answer));
        case Pending.Ask<C, R> ask when ask.isWithdrawn() -> parts.stats().withdrawn.increment();
        case Pending.Ask<C, R> ask -> {
          parts.stats().took(Phase.QUEUE, nowNanos - ask.sinceNanos());
          place(ask, slots, readings, byRequest);
        }
      }
    }
    return run(slots, readings);
  }

  /** A decision of the owner itself; whether it is in the log can be asked of the slot. */
  Next process(Slot<C, R> own) throws InterruptedException {
    return run(List.of(own), List.of());
  }

  private void place(
      Pending.Ask<C, R> ask,
      List<Slot<C, R>> slots,
      List<Reading> readings,
      Map<List<String>, Slot<C, R>> byRequest) {
    var stamp = ask.request().stamp();
    if (stamp.isEmpty()) {
      slots.add(Slot.of(ask, parts.logic()));
      return;
    }
    var id = stamp.get().id();
    var actor = ask.request().actor();
    var remembered = parts.feed().memory().find(partition, actor, id);
    var twin = byRequest.get(List.of(actor, id));
    var hash =
        remembered
            .map(RequestMemory.Remembered::payloadHash)
            .or(() -> Optional.ofNullable(twin).flatMap(GroupCommit::payloadHash));
    if (hash.isPresent() && !hash.get().equals(stamp.get().payloadHash())) {
      readings.add(Reading.of(ask, _ -> new Answer.PayloadDiffers<>(id)));
    } else if (remembered.isPresent()) {
      parts.stats().remembered.increment();
      var answered = remembered.get();
      readings.add(
          Reading.of(
              ask,
              state ->
                  new Answer.Decided<>(
                      parts.logic().recall(answered.first(), state.position()), state.position())));
    } else if (twin != null) {
      twin.alsoAnswer(ask.answer());
    } else {
      var slot = Slot.of(ask, parts.logic());
      slots.add(slot);
      byRequest.put(List.of(actor, id), slot);
    }
  }

  private static Optional<String> payloadHash(Slot<?, ?> slot) {
    return slot.request().flatMap(Request::stamp).map(stamp -> stamp.payloadHash());
  }

  private Next run(List<Slot<C, R>> slots, List<Reading> readings) throws InterruptedException {
    parts.stats().batches.increment();
    parts.points().reached(FaultPoint.COMMIT_TAKEN);
    var batch = new Batch<>(parts, partition, me.takeover(), parts.feed().current(), slots);
    try {
      batch.decideAndClaim();
    } catch (NotOwnerException _) {
      refuse(batch, readings, new Refused.NotOwner(Optional.empty(), me.revision()));
      return Next.KEY_LOST;
    } finally {
      claimsInDoubt |= batch.claimsInDoubt();
    }
    if (!readings.isEmpty() || batch.open().stream().anyMatch(slot -> !slot.plan().writes())) {
      parts.stats().confirmations.increment();
      long fromNanos = parts.time().nanoTime();
      var confirmed = new Confirmation<>(parts, partition, me).of(batch.base());
      took(Phase.CONFIRM, fromNanos);
      switch (confirmed) {
        case Confirmation.Result.Confirmed() -> {}
        case Confirmation.Result.Overtaken() -> {
          refuse(batch, readings, new Refused.NotOwner(Optional.empty(), me.revision()));
          return Next.KEY_LOST;
        }
        case Confirmation.Result.Unconfirmed(var why) -> {
          readings.forEach(reading -> reading.refuse().accept(why));
          readings = List.of();
          batch.open().stream()
              .filter(slot -> !slot.plan().writes())
              .forEach(slot -> slot.refuse(why));
        }
      }
    }
    return commit(batch, readings);
  }

  private Next commit(Batch<C, R> batch, List<Reading> readings) throws InterruptedException {
    var now = parts.time().now();
    var events = new ArrayList<LogEvent>();
    for (var slot : batch.open()) {
      events.addAll(slot.events(now, parts.random()));
    }
    if (events.isEmpty()) {
      free(batch.toEnd(batch.base().image()), batch.toFree(batch.base().image()));
      finish(batch, readings, Map.of(), batch.base());
      return Next.GO_ON;
    }
    var awaited = new HashMap<UUID, CompletableFuture<Feed.Delivered>>();
    for (var slot : batch.open()) {
      slot.eventIds().forEach(id -> awaited.put(id, parts.feed().expect(id)));
    }
    long startedNanos = parts.time().nanoTime();
    try {
      parts.points().reached(FaultPoint.COMMIT_APPENDING);
      appender.append(events);
      took(Phase.APPEND, startedNanos);
      parts.points().reached(FaultPoint.COMMIT_COMMITTED);
      health.worked();
      parts.stats().records.add(events.size());
      return deliver(batch, readings, awaited);
    } catch (FencedException _) {
      log.atInfo()
          .addKeyValue("event", "partition.fenced")
          .addKeyValue("partition", partition)
          .log("fenced");
      refuse(batch, readings, new Refused.NotOwner(Optional.empty(), me.revision()));
      return Next.TAKE_OVER_AGAIN;
    } catch (GatewayException e) {
      return switch (e.outcome()) {
        case KNOWN_FAILED -> {
          health.failed(startedNanos, parts.time().nanoTime());
          yield notCommitted(batch, readings, e);
        }
        case UNKNOWN -> {
          // from its end on: the take-over that follows may show that all is well
          long endedNanos = parts.time().nanoTime();
          health.failed(endedNanos, endedNanos);
          yield outcomeUnknown(batch, readings, e);
        }
      };
    } catch (ForeignLogException e) {
      parts.faults().fault("appending to partition " + partition, e);
      refuse(batch, readings, Refused.because(Answer.Reason.LOG_UNAVAILABLE, e.getMessage() + ""));
      return Next.UNFIT;
    } catch (IllegalArgumentException e) {
      return refusedByTheLog(batch, readings, e);
    } finally {
      parts.feed().forget(awaited.keySet());
    }
  }

  /** Committed: wait until the own follower has delivered it, free, answer. */
  private Next deliver(
      Batch<C, R> batch,
      List<Reading> readings,
      Map<UUID, CompletableFuture<Feed.Delivered>> awaited)
      throws InterruptedException {
    long startedNanos = parts.time().nanoTime();
    var delivered = new HashMap<UUID, Feed.Delivered>();
    var latest = batch.base();
    try {
      for (var one : awaited.entrySet()) {
        var here = one.getValue().get(DELIVERY_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        delivered.put(one.getKey(), here);
        if (here.state().position().of(partition) > latest.position().of(partition)) {
          latest = here.state();
        }
      }
    } catch (TimeoutException | ExecutionException e) {
      return outcomeUnknown(
          batch,
          readings,
          new GatewayException(
              GatewayException.Outcome.UNKNOWN,
              "committed, but not read back within " + DELIVERY_LIMIT,
              e));
    }
    took(Phase.DELIVER, startedNanos);
    parts.points().reached(FaultPoint.COMMIT_DELIVERED);
    free(batch.toEnd(latest.image()), batch.toFree(latest.image()));
    parts.points().reached(FaultPoint.COMMIT_ANSWERING);
    finish(batch, readings, delivered, latest);
    return Next.GO_ON;
  }

  private void finish(
      Batch<C, R> batch,
      List<Reading> readings,
      Map<UUID, Feed.Delivered> delivered,
      Feed.State state) {
    long fromNanos = parts.time().nanoTime();
    for (var slot : batch.open()) {
      parts.stats().decisions.increment();
      if (!slot.plan().writes()) {
        slot.finish(state.position());
        continue;
      }
      var first = delivered.get(slot.eventIds().getFirst());
      if (first != null) {
        complete(slot, first, state);
      }
    }
    readings.forEach(reading -> reading.answer().accept(state));
    took(Phase.ANSWER, fromNanos);
  }

  private void took(Phase phase, long fromNanos) {
    parts.stats().took(phase, parts.time().nanoTime() - fromNanos);
  }

  private void complete(Slot<C, R> slot, Feed.Delivered first, Feed.State state) {
    try {
      slot.finish(parts.logic(), first.entry(), state.position());
    } catch (RuntimeException e) {
      parts.faults().fault("completing a reply for " + first.entry().event().key(), e);
      slot.fail(e);
    }
  }

  private Next notCommitted(Batch<C, R> batch, List<Reading> readings, GatewayException e) {
    log.atWarn()
        .addKeyValue("event", "partition.append.failed")
        .addKeyValue("partition", partition)
        .setCause(e)
        .log("append failed; nothing was written");
    free(
        batch.allReserved(),
        batch.allClaimed()); // before the answer: who is told that nothing happened finds nothing
    refuse(
        batch,
        readings,
        Refused.because(Answer.Reason.LOG_UNAVAILABLE, String.valueOf(e.getMessage())));
    return Next.GO_ON;
  }

  private Next outcomeUnknown(Batch<C, R> batch, List<Reading> readings, GatewayException e) {
    parts.stats().outcomesUnknown.increment();
    log.atWarn()
        .addKeyValue("event", "partition.outcome.unknown")
        .addKeyValue("partition", partition)
        .setCause(e)
        .log("outcome of a commit unknown; taking over again");
    refuse(
        batch,
        readings,
        Refused.because(
            Answer.Reason.OUTCOME_UNKNOWN,
            "whether it is in the log is unknown; ask again with the same request id"));
    return Next.TAKE_OVER_AGAIN;
  }

  /** One of them cannot be written, a defect: each on its own, so that only that one fails. */
  private Next refusedByTheLog(
      Batch<C, R> batch, List<Reading> readings, IllegalArgumentException e)
      throws InterruptedException {
    var open = batch.open();
    free(batch.allReserved(), batch.allClaimed());
    if (open.size() == 1) {
      log.atError()
          .addKeyValue("event", "partition.records.refused")
          .addKeyValue("partition", partition)
          .setCause(e)
          .log("a decision cannot be written");
      open.getFirst().fail(e);
      refuse(batch, readings, Refused.because(Answer.Reason.LOG_UNAVAILABLE, "try again"));
      return Next.GO_ON;
    }
    for (int i = 0; i < open.size(); i++) {
      var next = run(List.of(open.get(i)), i == open.size() - 1 ? readings : List.of());
      if (next != Next.GO_ON) {
        var rest = Refused.because(Answer.Reason.LOG_UNAVAILABLE, "try again");
        open.subList(i + 1, open.size()).forEach(slot -> slot.refuse(rest));
        readings.forEach(reading -> reading.refuse().accept(rest));
        return next;
      }
    }
    return Next.GO_ON;
  }

  private void refuse(Batch<C, R> batch, List<Reading> readings, Refused why) {
    batch.open().forEach(slot -> slot.refuse(why));
    readings.forEach(reading -> reading.refuse().accept(why));
  }

  /** Frees what it can: the rest is an orphan that reconciliation frees. */
  private void free(List<UUID> reservations, List<ClaimRequest> claims) {
    if (reservations.isEmpty() && claims.isEmpty()) {
      return;
    }
    long fromNanos = parts.time().nanoTime();
    try {
      if (!reservations.isEmpty()) { // first: nothing goes back to one that is over
        parts.coordination().endReservations(reservations, partition, me.takeover());
      }
      if (!claims.isEmpty()) {
        parts.coordination().free(claims, partition, me.takeover());
      }
      took(Phase.FREE, fromNanos);
    } catch (GatewayException e) {
      claimsInDoubt = true;
      log.atWarn().setCause(e).log("addresses not freed yet; left to reconciliation");
    } catch (NotOwnerException _) {
      claimsInDoubt = true; // the next owner reconciles
    }
  }
}
