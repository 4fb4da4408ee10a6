package io.fairlead.endpoints.stream;

import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.eventlog.load.Loader;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Has the reconciliation of a source, and the collection of Pods that nobody reports any more,
 * decided on an image that knows every session that was opened before it came. The Nodes are in a
 * partition of their own, which a replica may read later than the Pods' one: without this, what an
 * older session still has to say would count there although a newer one has spoken already, and
 * would stay, because nobody says it again; and Pods of a node that has come back would be deleted.
 * Reports of readiness need none: their records carry the session. Thread-safe, without own state.
 */
public final class SessionFence implements Decider<PodCommand, PodOutcome> {
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private final Decider<PodCommand, PodOutcome> decider;
  private final EndOffsets ends;
  private final Loader loader;

  /**
   * Wraps a decider.
   *
   * @param ends at least of the Nodes' partition
   */
  public SessionFence(Decider<PodCommand, PodOutcome> decider, EndOffsets ends, Loader loader) {
    this.decider = decider;
    this.ends = ends;
    this.loader = loader;
  }

  /** Whoever owns the partition: who takes it over just now is not known as its owner yet. */
  @Override
  public CompletableFuture<Answer<PodOutcome>> submit(
      LogPartition partition, Request<PodCommand> request) {
    if (!(request.command() instanceof PodCommand.ReconcileSource
        || request.command() instanceof PodCommand.CollectPods)) {
      return decider.submit(partition, request);
    }
    var answer = new CompletableFuture<Answer<PodOutcome>>();
    Thread.ofVirtual()
        .name("session-fence")
        .start(() -> {
          try {
            await();
            if (answer.isDone()) {
              return; // withdrawn
            }
            var decided = decider.submit(partition, request);
            var _ =
                answer.whenComplete((_, _) -> {
                  if (answer.isCancelled()) {
                    decided.cancel(false);
                  }
                });
            var _ =
                decided.whenComplete((given, fault) -> {
                  if (fault == null) {
                    answer.complete(given);
                  } else {
                    answer.completeExceptionally(fault);
                  }
                });
          } catch (GatewayException e) {
            answer.complete(
                new Answer.Unavailable<>(
                    Answer.Reason.LOG_UNAVAILABLE, String.valueOf(e.getMessage())));
          } catch (RuntimeException e) {
            answer.completeExceptionally(e);
          }
        });
    return answer;
  }

  private void await() {
    long end = Objects.requireNonNull(ends.now().get(LogPartition.NODES));
    var applied = loader.applied(Map.of(LogPartition.NODES, end));
    try {
      var _ = applied.get(LONGEST.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      applied.cancel(false);
      throw new GatewayException(
          GatewayException.Outcome.KNOWN_FAILED,
          "this replica has not read all Nodes: it is at %s, they end at %d"
              .formatted(loader.current().position().offsets(), end),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(GatewayException.Outcome.KNOWN_FAILED, "interrupted", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof GatewayException trouble
          ? trouble
          : new GatewayException(
              GatewayException.Outcome.KNOWN_FAILED, "the log is not applied any more", e);
    }
  }

  @Override
  public CompletableFuture<Answer<Confirmed>> confirm(LogPartition partition) {
    return decider.confirm(partition);
  }

  @Override
  public Optional<Owner> owner(LogPartition partition) {
    return decider.owner(partition);
  }

  @Override
  public CompletableFuture<Optional<Owner>> ownerOtherThan(LogPartition partition, long revision) {
    return decider.ownerOtherThan(partition, revision);
  }
}
