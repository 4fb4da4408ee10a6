package io.fairlead.decider;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.etcd.Coordination.Owner;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Where a service's adapters hand in requests. Thread-safe; nothing here blocks. */
public interface Decider<C, R> {
  /**
   * Decides here if this replica owns the partition, or waits while it is taking it over.
   *
   * @return always completes normally, except where the logic threw (a fault); cancel it to
   *     withdraw the request, which is then decided only if its batch has begun
   */
  CompletableFuture<Answer<R>> submit(LogPartition partition, Request<C> request);

  /** An image that holds everything confirmed to anybody before it was asked for. */
  record Confirmed(ClusterImage image, Position position) {}

  /**
   * For reads through the owner: confirms that this replica still owns the partition and its image
   * is at the end of the log of the moment.
   */
  CompletableFuture<Answer<Confirmed>> confirm(LogPartition partition);

  /** Who owns a partition, by the last look at etcd; empty: nobody, or etcd was never reached. */
  Optional<Owner> owner(LogPartition partition);

  /**
   * Completes when etcd shows an owner whose key has another revision than that one; 0 = any owner.
   * Give it a time-out.
   */
  CompletableFuture<Optional<Owner>> ownerOtherThan(LogPartition partition, long revision);
}
