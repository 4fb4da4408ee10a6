package io.fairlead.decider.grpc;

import io.fairlead.api.Errors;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.LogPartition;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.Freshness;
import io.grpc.Context;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Images for answers that only read. Thread-safe. */
public final class Reads {
  private static final Duration SESSION_WAIT = Duration.ofSeconds(1);

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
   * Waits, but not long, until the record that opened a node's session is known here: who decides
   * about the node's Pods may look at its addresses. Without it the session counts all the same.
   */
  public void awaitSession(long session) {
    if (session <= 0) {
      return;
    }
    var applied = loader.applied(Map.of(LogPartition.NODES, session + 1));
    try {
      applied.get(SESSION_WAIT.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException | ExecutionException _) {
      applied.cancel(false);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
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
