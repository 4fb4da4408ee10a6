package io.fairlead.decider.grpc;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.api.Reason;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.etcd.Coordination.Owner;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * Gets a unary call answered by the owner of its partition: here, or by sending the same message to
 * the replica that owns, one hop only, and trying again within the deadline when the owner changes.
 * Blocks: for virtual threads. Every command it carries has a request id, which makes trying again
 * safe whatever became of the try before.
 */
public final class OwnerForwarding<C, R> {
  /** Between two tries where etcd shows no other owner: the same one may be back meanwhile. */
  private static final Duration PAUSE = Duration.ofMillis(100);

  private final Decider<C, R> decider;
  private final Peers peers;
  private final Time time;

  /** Sends nothing yet. */
  public OwnerForwarding(Decider<C, R> decider, Peers peers, Time time) {
    this.decider = decider;
    this.peers = peers;
    this.time = time;
  }

  /**
   * One call, as it is decided here and as it is sent on.
   *
   * @param reply from what the decider here answered; may throw a status
   */
  public record Call<C, R, Q, P>(
      LogPartition partition,
      Request<C> request,
      MethodDescriptor<Q, P> method,
      Q message,
      Function<Answer.Decided<R>, P> reply) {}

  /**
   * The owner's reply.
   *
   * @param timeout limit where the call has no deadline of its own, or a later one
   * @throws StatusRuntimeException what the owner says; UNAVAILABLE with reason NO_OWNER when there
   *     was none until the deadline, OUTCOME_UNKNOWN when it may have happened; FAILED_PRECONDITION
   *     with NOT_OWNER when another replica sent the call here by mistake
   */
  public <Q, P> P call(Call<C, R, Q, P> call, Caller caller, Duration timeout) {
    long deadlineNanos = time.nanoTime() + limit(timeout).toNanos();
    var effect = Effect.NONE;
    while (true) {
      switch (decideHere(call, deadlineNanos, effect)) {
        case Answer.Decided<R> decided -> {
          return call.reply().apply(decided);
        }
        case Answer.PayloadDiffers<R>(var id) -> throw Errors.requestIdReused(id);
        case Answer.Invalid<R>(var refusal) -> throw Errors.refused(refusal);
        case Answer.Unavailable<R>(var reason, var message) ->
            throw effect.of(unavailable(reason, message));
        case Answer.NotOwner<R>(var owner, long revision) -> {
          if (caller.forwarded().isPresent()) {
            throw Errors.notOwner(call.partition(), revision);
          }
          if (owner.isPresent()) {
            switch (forward(call, owner.get(), caller, deadlineNanos, effect)) {
              case Attempt.Answered<P>(var reply) -> {
                return reply;
              }
              case Attempt.Declined<P>() -> {}
              case Attempt.Broken<P>() -> effect = Effect.POSSIBLE;
            }
          }
          awaitOther(call.partition(), revision, deadlineNanos, effect);
        }
      }
    }
  }

  private static Duration limit(Duration timeout) {
    var deadline = Context.current().getDeadline();
    if (deadline == null) {
      return timeout;
    }
    var left = Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    return left.compareTo(timeout) < 0 ? left : timeout;
  }

  /**
   * Whoever gave up must find that nothing happens any more: it may have been answered elsewhere,
   * and answers that write nothing (not found, for one) are not remembered under the request id.
   */
  private Answer<R> decideHere(Call<C, R, ?, ?> call, long deadlineNanos, Effect effect) {
    var context = Context.current();
    if (context.isCancelled()) {
      throw effect.of(Errors.noOwner(call.partition()));
    }
    var answer = decider.submit(call.partition(), call.request());
    Context.CancellationListener withdraw = _ -> answer.cancel(false);
    context.addListener(withdraw, Runnable::run);
    try {
      return await(answer, deadlineNanos, effect)
          .orElseThrow(
              () -> // it may be being decided
              Errors.outcomeUnknown(
                      "the owner of " + call.partition() + " did not answer in time"));
    } finally {
      context.removeListener(withdraw);
      answer.cancel(false); // without effect where there is one
    }
  }

  private <T> Optional<T> await(CompletableFuture<T> future, long deadlineNanos, Effect effect) {
    try {
      return Optional.of(
          future.get(Math.max(0, deadlineNanos - time.nanoTime()), TimeUnit.NANOSECONDS));
    } catch (TimeoutException | CancellationException _) {
      return Optional.empty();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.outcomeUnknown("interrupted while waiting for the owner");
    } catch (ExecutionException e) {
      throw effect.of(Errors.of(e.getCause() == null ? e : e.getCause()));
    }
  }

  /** What is known of the attempts before. */
  private enum Effect {
    NONE,
    /** One broke off: the request may be in the log, or may be decided yet. */
    POSSIBLE;

    /** That nothing happened may be said only where no attempt broke off. */
    StatusRuntimeException of(StatusRuntimeException failure) {
      return switch (this) {
        case NONE -> failure;
        case POSSIBLE ->
            Errors.outcomeUnknown(
                "the owner went away in the middle; since then: "
                    + failure.getStatus().getDescription());
      };
    }
  }

  /** What came of asking another replica. */
  private sealed interface Attempt<P> {
    record Answered<P>(P reply) implements Attempt<P> {}

    /** It does not own any more, or ends: nothing happened. */
    record Declined<P>() implements Attempt<P> {}

    /** It is gone, perhaps after it had begun. */
    record Broken<P>() implements Attempt<P> {}
  }

  private <Q, P> Attempt<P> forward(
      Call<C, R, Q, P> call, Owner owner, Caller caller, long deadlineNanos, Effect effect) {
    long leftNanos = deadlineNanos - time.nanoTime();
    if (leftNanos <= 0) {
      return new Attempt.Declined<>();
    }
    var peer = peers.at(owner.address());
    var channel =
        ClientInterceptors.intercept(
            peer, MetadataUtils.newAttachHeadersInterceptor(caller.headers(owner.revision())));
    try {
      return new Attempt.Answered<>(
          ClientCalls.blockingUnaryCall(
              channel,
              call.method(),
              CallOptions.DEFAULT.withDeadlineAfter(leftNanos, TimeUnit.NANOSECONDS),
              call.message()));
    } catch (StatusRuntimeException e) {
      var reason = ErrorReport.of(e).reason();
      if (reason.isEmpty()) { // gRPC's own words
        if (e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED) {
          throw Errors.outcomeUnknown(
              "the owner at " + owner.address() + " did not answer in time");
        }
        if (e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
          peer.resetConnectBackoff(); // it may be back before gRPC would look again
          return new Attempt.Broken<>();
        }
        throw unnamed(e, effect);
      }
      if (reason.get() == Reason.NOT_OWNER || reason.get() == Reason.SHUTTING_DOWN) {
        return new Attempt.Declined<>();
      }
      throw decided(reason.get()) ? e : effect.of(e); // the owner's answer
    }
  }

  /** A failure without one of our reasons: gRPC's own, or a newer version's. */
  private static StatusRuntimeException unnamed(StatusRuntimeException e, Effect effect) {
    return switch (e.getStatus().getCode()) {
      // gRPC says these also of calls that had begun
      case CANCELLED, UNKNOWN, INTERNAL, DATA_LOSS, RESOURCE_EXHAUSTED -> Effect.POSSIBLE.of(e);
      // before a handler saw the call
      case OK, UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED, DEADLINE_EXCEEDED, UNAVAILABLE ->
          effect.of(e);
      // never gRPC's: the owner's answer
      case INVALID_ARGUMENT,
          NOT_FOUND,
          ALREADY_EXISTS,
          FAILED_PRECONDITION,
          ABORTED,
          OUT_OF_RANGE ->
          e;
    };
  }

  /**
   * Whether an owner says this only after it has looked the request id up: then it knows that no
   * earlier attempt is in the log. The others tell of this attempt only.
   */
  private static boolean decided(Reason reason) {
    return reason != Reason.LIMIT_REACHED
        && switch (reason.code()) {
          case UNAVAILABLE, INTERNAL -> false;
          default -> true; // refusals
        };
  }

  private void awaitOther(
      LogPartition partition, long revision, long deadlineNanos, Effect effect) {
    long leftNanos = deadlineNanos - time.nanoTime();
    if (leftNanos <= 0) {
      throw effect.of(Errors.noOwner(partition));
    }
    var other = decider.ownerOtherThan(partition, revision);
    try {
      var _ = other.get(Math.min(leftNanos, PAUSE.toNanos()), TimeUnit.NANOSECONDS);
      if (decider.owner(partition).isEmpty()) {
        time.sleep(PAUSE);
      }
    } catch (TimeoutException _) {
      other.cancel(false);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw effect.of(Errors.noOwner(partition));
    } catch (ExecutionException e) {
      throw Errors.of(e);
    }
  }

  /** What the decider says it cannot do now, as a status. */
  public static StatusRuntimeException unavailable(Answer.Reason reason, String message) {
    return switch (reason) {
      case OUTCOME_UNKNOWN -> Errors.outcomeUnknown(message);
      case ETCD_UNAVAILABLE, LOG_UNAVAILABLE -> Errors.dependencyUnavailable(message);
      case OVERLOADED -> Errors.limitReached(message);
      case CLOSING -> Errors.shuttingDown();
    };
  }
}
