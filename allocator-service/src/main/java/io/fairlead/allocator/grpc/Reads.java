package io.fairlead.allocator.grpc;

import io.fairlead.api.Errors;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.Freshness;
import io.grpc.Context;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Images for answers that only read: any replica's, whoever owns the partition. */
final class Reads {
  private final Loader loader;
  private final Supplier<ClusterImage> decided;
  private final Duration limit;

  /**
   * @param decided what the deciders here answer from: never behind an answer that they gave
   * @param limit longest time a call may wait
   */
  Reads(Loader loader, Supplier<ClusterImage> decided, Duration limit) {
    this.loader = loader;
    this.decided = decided;
    this.limit = limit;
  }

  /**
   * LATEST: with everything that was confirmed before the call. LOCAL: what this replica has, also
   * while the log is away.
   *
   * @throws GatewayException KNOWN_FAILED: LATEST, and the end of the log is not known or not
   *     reached in time
   */
  Snapshot at(Freshness freshness) {
    return switch (freshness) {
      case LATEST -> loader.barrier(left());
      case LOCAL -> {
        if (!loader.synced()) {
          throw Errors.notSynced("this replica has not read the log to its end yet");
        }
        yield loader.current();
      }
      case UNRECOGNIZED ->
          throw Errors.invalid("freshness", Reason.NOT_SUPPORTED, "must be LATEST or LOCAL");
    };
  }

  /** Never behind an answer of the decider here. */
  ClusterImage decided() {
    return decided.get();
  }

  Snapshot current() {
    return loader.current();
  }

  /** The image when it covers a position, as far as this replica reads the log: the services. */
  Snapshot covering(Position position) {
    var applied = loader.applied(Map.of(LogPartition.SERVICES, position.of(LogPartition.SERVICES)));
    try {
      return applied.get(left().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      applied.cancel(false);
      throw Errors.notSynced(
          "at " + loader.current().position().offsets() + ", not yet at " + position.offsets());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof GatewayException trouble
          ? trouble
          : new GatewayException(Outcome.KNOWN_FAILED, "the log is not applied any more", e);
    }
  }

  /** The time a call has: its deadline, but never longer than the limit. */
  private Duration left() {
    var deadline = Context.current().getDeadline();
    if (deadline == null) {
      return limit;
    }
    var left = Duration.ofNanos(Math.max(0, deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    return left.compareTo(limit) < 0 ? left : limit;
  }
}
