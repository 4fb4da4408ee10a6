package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.GatewayException;
import io.fairlead.etcd.Coordination.Owner;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;

/**
 * Whether answers that write nothing are true: what they were decided on was at the end of the
 * partition, and the ownership key was still held after that. An owner that was paused must not say
 * "not found" about what its successor has written.
 */
final class Confirmation<C, R> {
  private static final Duration CATCH_UP_LIMIT = Duration.ofSeconds(5);

  sealed interface Result {
    record Confirmed() implements Result {}

    /** Others write the partition. */
    record Overtaken() implements Result {}

    record Unconfirmed(Refused why) implements Result {}
  }

  private final Parts<C, R> parts;
  private final LogPartition partition;
  private final Owner me;

  Confirmation(Parts<C, R> parts, LogPartition partition, Owner me) {
    this.parts = parts;
    this.partition = partition;
    this.me = me;
  }

  Result of(Feed.State decidedOn) throws InterruptedException {
    try {
      var end = parts.log().endOffsets(List.of(partition));
      if (!decidedOn.position().coversOffsets(end)) {
        // markers of our own transactions take offsets, too: only a difference in content counts
        var now = parts.feed().awaitApplied(end, CATCH_UP_LIMIT);
        if (!now.image().digest(partition).equals(decidedOn.image().digest(partition))) {
          return new Result.Overtaken();
        }
      }
    } catch (GatewayException | TimeoutException e) {
      return unconfirmed(Answer.Reason.LOG_UNAVAILABLE, "the end of the log is not known", e);
    }
    parts.points().reached(FaultPoint.CONFIRM_READ);
    try {
      return parts
              .coordination()
              .owner(partition)
              .filter(owner -> owner.takeover().equals(me.takeover()))
              .isPresent()
          ? new Result.Confirmed()
          : new Result.Overtaken();
    } catch (GatewayException e) {
      return unconfirmed(Answer.Reason.ETCD_UNAVAILABLE, "the owner is not known", e);
    }
  }

  private static Result unconfirmed(Answer.Reason reason, String what, Exception e) {
    return new Result.Unconfirmed(Refused.because(reason, what + ": " + e.getMessage()));
  }
}
