package io.fairlead.decider;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import java.util.Optional;

/**
 * What one service decides. Pure: called on the owner's thread of the partition, must not block.
 *
 * @param <C> command
 * @param <R> reply
 */
public interface PartitionLogic<C, R> {
  /**
   * Decides one request.
   *
   * @param working the image with what was decided before in the same batch; such objects are
   *     pending
   */
  Decision<R> decide(ClusterImage working, C command, DecisionContext context);

  /**
   * The reply that a remembered request had, complete with resource version.
   *
   * @param first the record of the decision's first change
   */
  R recall(LogEntry first, Position position);

  /**
   * Fills in what is known only now that the decision is in the log. Not called for decisions
   * without changes.
   *
   * @param first the record of the decision's first change
   */
  R complete(R reply, LogEntry first, Position position);

  /**
   * What the owner writes by itself when it has taken over and before it serves; asked again on the
   * image after it, until it wants nothing. Its reply is dropped.
   */
  default Optional<Decision<R>> bootstrap(
      ClusterImage image, LogPartition partition, DecisionContext context) {
    return Optional.empty();
  }
}
