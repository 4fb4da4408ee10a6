package io.fairlead.decider;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ReservedAddress;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** One decision on its way through a batch: asked for, or made by the owner itself. */
final class Slot<C, R> {
  /**
   * What a decision wants.
   *
   * @param hold a reservation to be made
   * @param reply empty for what the owner decides by itself
   */
  record Plan<R>(
      List<Change> changes,
      List<Decision.Claim> claims,
      List<Decision.Claim> frees,
      Optional<Decision.Hold> hold,
      Optional<R> reply) {
    /** Without a reservation. */
    Plan(
        List<Change> changes,
        List<Decision.Claim> claims,
        List<Decision.Claim> frees,
        Optional<R> reply) {
      this(changes, claims, frees, Optional.empty(), reply);
    }

    static <R> Plan<R> of(Decision<R> decision) {
      return new Plan<>(
          decision.changes(),
          decision.claims(),
          decision.frees(),
          decision.hold(),
          Optional.of(decision.reply()));
    }

    static <R> Plan<R> nothing() {
      return new Plan<>(List.of(), List.of(), List.of(), Optional.empty());
    }

    boolean writes() {
      return !changes.isEmpty();
    }

    /** Whether it needs something of etcd. */
    boolean claimsAny() {
      return wants() > 0;
    }

    /** How many addresses it wants. */
    int wants() {
      return claims.size() + hold.map(one -> one.reservation().addresses().size()).orElse(0);
    }
  }

  /** Makes a plan; asked again where a claim was lost. */
  @FunctionalInterface
  interface Decide<R> {
    Plan<R> decide(ClusterImage working, DecisionContext context);
  }

  private final String actor;
  private final Optional<Request<C>> request;
  private final Optional<String> cause;
  private final Decide<R> decide;
  private final List<CompletableFuture<Answer<R>>> answers = new ArrayList<>();
  private final Map<Address, ObjectName> taken = new HashMap<>();
  private final Map<Address, ReservedAddress> reserved = new HashMap<>();
  private final List<UUID> eventIds = new ArrayList<>();
  private Plan<R> plan = Plan.nothing();
  private Instant decided = Instant.EPOCH;
  private int contested;
  private boolean closed;
  private boolean succeeded;

  private Slot(
      String actor, Optional<Request<C>> request, Optional<String> cause, Decide<R> decide) {
    this.actor = actor;
    this.request = request;
    this.cause = cause;
    this.decide = decide;
  }

  static <C, R> Slot<C, R> of(Pending.Ask<C, R> ask, PartitionLogic<C, R> logic) {
    var request = ask.request();
    var slot =
        new Slot<C, R>(
            request.actor(),
            Optional.of(request),
            request.cause(),
            (working, context) -> Plan.of(logic.decide(working, request.command(), context)));
    slot.answers.add(ask.answer());
    return slot;
  }

  /** A decision of the owner itself. */
  static <C, R> Slot<C, R> own(String actor, String cause, Decide<R> decide) {
    return new Slot<>(actor, Optional.empty(), Optional.of(cause), decide);
  }

  /** The same request came twice: both get the one answer. */
  void alsoAnswer(CompletableFuture<Answer<R>> answer) {
    answers.add(answer);
  }

  Optional<Request<C>> request() {
    return request;
  }

  Plan<R> plan() {
    return plan;
  }

  /** Decides on the image; what was decided before is forgotten. */
  void decide(ClusterImage working, Instant now, RandomSource random) {
    decided = now;
    plan = decide.decide(working, new DecisionContext(now, random, actor, taken, reserved));
  }

  void lost(Address address, ObjectName holder) {
    taken.put(address, holder);
  }

  void lost(Address address, ReservedAddress holder) {
    reserved.put(address, holder);
  }

  /** A claim changed while it was looked at: it is asked for again. */
  void contested() {
    contested++;
  }

  int lostClaims() {
    return taken.size() + reserved.size() + contested;
  }

  /** Whether it is still to be answered. */
  boolean open() {
    return !closed;
  }

  /** Whether what it decided is in the log, or needed not to be. */
  boolean succeeded() {
    return succeeded;
  }

  /** The records of the plan's changes; their ids in the same order, without tombstones. */
  List<LogEvent> events(Instant now, RandomSource random) {
    eventIds.clear();
    var events = new ArrayList<LogEvent>();
    for (var change : plan.changes()) {
      var envelope =
          new Envelope(
              random.uuid7(now),
              decided, // the same as in the objects that the decision made
              actor,
              request.flatMap(Request::stamp),
              cause,
              request.flatMap(Request::traceparent));
      eventIds.add(envelope.eventId());
      switch (change) {
        case Change.Put(var object) -> events.add(new LogEvent.Stored(object, envelope));
        case Change.Remove(var key, var uid) -> {
          events.add(new LogEvent.Deleted(key, uid, envelope));
          events.add(new LogEvent.Tombstone(key));
        }
      }
    }
    return events;
  }

  List<UUID> eventIds() {
    return eventIds;
  }

  void refuse(Refused why) {
    answer(why.answer());
  }

  /** Answers that what it decided cannot be stored. */
  void refuse(Refusal why) {
    answer(new Answer.Invalid<>(why));
  }

  void fail(RuntimeException e) {
    closed = true;
    answers.forEach(answer -> answer.completeExceptionally(e));
  }

  /** Answers a decision that wrote nothing. */
  void finish(Position position) {
    succeeded = true;
    plan.reply()
        .ifPresentOrElse(
            reply -> answer(new Answer.Decided<>(reply, position)), () -> closed = true);
  }

  /** Answers a decision that is in the log. */
  void finish(PartitionLogic<C, R> logic, LogEntry first, Position position) {
    succeeded = true;
    plan.reply()
        .ifPresentOrElse(
            reply -> answer(new Answer.Decided<>(logic.complete(reply, first, position), position)),
            () -> closed = true);
  }

  private void answer(Answer<R> given) {
    closed = true;
    answers.forEach(answer -> answer.complete(given));
  }
}
