package io.fairlead.decider.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.Freshness;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Images for answers that only read. Thread-safe. */
public final class Reads {
  private final Loader loader;
  private final Duration timeout;

  public Reads(Loader loader, Duration timeout) {
    this.loader = loader;
    this.timeout = timeout;
  }

  /** What this replica has. */
  public Snapshot current() {
    return loader.current();
  }

  /**
   * LATEST: everything that was confirmed before the call; LOCAL: what this replica has, once it
   * has all.
   */
  public Snapshot at(Freshness freshness) {
    return switch (freshness) {
      case LATEST -> loader.barrier(left());
      case LOCAL -> {
        if (!loader.synced()) {
          throw Errors.notSynced("this replica is still reading the log");
        }
        yield loader.current();
      }
      case UNRECOGNIZED ->
          throw Errors.invalid("freshness", Reason.NOT_SUPPORTED, "must be LATEST or LOCAL");
    };
  }

  /**
   * A position that a caller has from an answer, once this replica has applied it; without the
   * partitions that it does not follow.
   *
   * @param field that it is given in
   * @throws StatusRuntimeException INVALID, FOREIGN_LOG; NOT_SYNCED where it is not applied within
   *     the time that the call has
   */
  public Position covered(String field, io.fairlead.v1.Position text) {
    var position =
        PositionCodec.model(text)
            .orElseThrow(() ->
                Errors.invalid(
                    field,
                    Reason.INVALID,
                    "must be a position that this API gave out, e.g. s:871,p7:12"));
    var log = current().position().log();
    if (!position.log().equals(log)) {
      throw Errors.foreignLog(log.toString(), position.log().toString());
    }
    var own = new TreeMap<>(position.next());
    own.keySet().retainAll(loader.partitions());
    var applied = loader.applied(own);
    try {
      var _ = applied.get(left().toNanos(), TimeUnit.NANOSECONDS);
      return new Position(log, own);
    } catch (TimeoutException _) {
      applied.cancel(false);
      throw Errors.notSynced(
          "at " + current().position().offsets() + ", not yet at " + position.offsets());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof GatewayException trouble
          ? trouble
          : new GatewayException(Outcome.KNOWN_FAILED, "the log is not applied any more", e);
    }
  }

  /**
   * Where a watch begins that is opened now; empty = with what is there, as fresh as that says.
   *
   * @param from may be unset
   * @throws StatusRuntimeException as {@link #at} and {@link #covered}
   */
  public Optional<Position> begin(Freshness freshness, io.fairlead.v1.Position from) {
    var position =
        Optional.of(from)
            .filter(given -> !given.equals(io.fairlead.v1.Position.getDefaultInstance()))
            .map(given -> covered("from", given));
    var _ = at(freshness);
    return position;
  }

  /** The time a call has: its deadline, but never longer than the service's limit. */
  public Duration left() {
    var deadline = Context.current().getDeadline();
    if (deadline == null) {
      return timeout;
    }
    var left = Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    return left.compareTo(timeout) < 0 ? left : timeout;
  }
}
