package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.GatewayException;
import io.fairlead.decider.GroupCommit.Next;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.Coordination.Settled;
import io.fairlead.etcd.Coordination.Taken;
import io.fairlead.etcd.NotOwnerException;
import io.fairlead.eventlog.log.FencedException;
import io.fairlead.eventlog.log.ForeignLogException;
import io.fairlead.eventlog.log.PartitionAppender;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a replica becomes the one that decides for a partition: put the key, fence the predecessor,
 * look at the key again, read to the end, look again, put etcd right (unless the predecessor left
 * word that it is, and nothing was written since), write what must be there. The first look catches
 * whoever lost the key while fencing (it fenced the right owner, who takes over again); the second
 * one whoever lost it while reading.
 */
final class Takeover<C, R> {
  private static final Logger log = LoggerFactory.getLogger(Takeover.class);
  private static final Duration READ_LIMIT = Duration.ofSeconds(30);
  private static final int MOST_BOOTSTRAP_DECISIONS = 16;

  /** How it ended. */
  sealed interface Result<C, R> {
    record Owning<C, R>(Owner me, PartitionAppender appender, GroupCommit<C, R> commits)
        implements Result<C, R> {}

    /** Another replica holds the key, or took it meanwhile. */
    record HeldByOther<C, R>() implements Result<C, R> {}

    /** Worth another try. */
    record Failed<C, R>(Answer.Reason reason, String message) implements Result<C, R> {}

    /** The partition is not one that this replica may write. */
    record Refused<C, R>(String why) implements Result<C, R> {}
  }

  private final Parts<C, R> parts;
  private final LogPartition partition;
  private final Lease lease;
  private final CommitHealth health;
  private final Consumer<Owner> onKey;
  private boolean reconciled = true;
  private long fencedNanos;
  private long readNanos;
  private long claimedNanos;

  /**
   * Does nothing yet.
   *
   * @param health of the commits that follow
   * @param onKey told of the key as soon as it is put
   */
  Takeover(
      Parts<C, R> parts,
      LogPartition partition,
      Lease lease,
      CommitHealth health,
      Consumer<Owner> onKey) {
    this.parts = parts;
    this.partition = partition;
    this.lease = lease;
    this.health = health;
    this.onKey = onKey;
  }

  Result<C, R> run() throws InterruptedException {
    long fromNanos = parts.time().nanoTime();
    Optional<Taken> taken;
    try {
      taken =
          parts
              .coordination()
              .takeOwnership(
                  partition,
                  parts.settings().replica(),
                  parts.settings().address(),
                  parts.random().uuid(),
                  lease);
    } catch (GatewayException e) {
      return new Result.Failed<>(
          Answer.Reason.ETCD_UNAVAILABLE, "ownership cannot be taken: " + e.getMessage());
    }
    if (taken.isEmpty()) {
      return new Result.HeldByOther<>();
    }
    var me = taken.get().owner();
    onKey.accept(me);
    parts.points().reached(FaultPoint.TAKEOVER_KEY_PUT);
    PartitionAppender appender;
    try {
      appender = parts.log().openAppender(partition);
    } catch (GatewayException e) {
      return new Result.Failed<>(
          Answer.Reason.LOG_UNAVAILABLE, "the partition cannot be fenced: " + e.getMessage());
    } catch (ForeignLogException e) {
      parts.faults().fault("taking over partition " + partition, e);
      return new Result.Refused<>(String.valueOf(e.getMessage()));
    }
    Result<C, R> result = new Result.HeldByOther<>();
    try {
      parts.points().reached(FaultPoint.TAKEOVER_FENCED);
      fencedNanos = parts.time().nanoTime();
      result = fenced(me, taken.get().settled(), appender);
    } finally {
      if (!(result instanceof Result.Owning<C, R>)) {
        appender.close();
      }
    }
    if (result instanceof Result.Owning<C, R>) {
      parts.stats().takeovers.increment();
      log.atInfo()
          .addKeyValue("event", "partition.taken")
          .addKeyValue("partition", partition)
          .addKeyValue("replica", me.replica())
          .addKeyValue("takeover", me.takeover())
          .addKeyValue("revision", me.revision())
          .addKeyValue("next", parts.feed().current().position().of(partition))
          .addKeyValue("claims", reconciled ? "reconciled" : "settled")
          .addKeyValue("took", Duration.ofNanos(parts.time().nanoTime() - fromNanos))
          .addKeyValue("untilFenced", Duration.ofNanos(fencedNanos - fromNanos))
          .addKeyValue("untilRead", Duration.ofNanos(readNanos - fromNanos))
          .addKeyValue("untilClaimed", Duration.ofNanos(claimedNanos - fromNanos))
          .log("partition taken over");
    }
    return result;
  }

  private Result<C, R> fenced(Owner me, Optional<Settled> settled, PartitionAppender appender)
      throws InterruptedException {
    var asked = Answer.Reason.ETCD_UNAVAILABLE; // who does not answer where it fails
    try {
      if (!stillMine(me)) {
        return new Result.HeldByOther<>();
      }
      parts.points().reached(FaultPoint.TAKEOVER_LOOKED);
      asked = Answer.Reason.LOG_UNAVAILABLE;
      var end = parts.log().endOffsets(List.of(partition));
      var state = parts.feed().awaitApplied(end, READ_LIMIT);
      parts.points().reached(FaultPoint.TAKEOVER_READ);
      asked = Answer.Reason.ETCD_UNAVAILABLE;
      if (!stillMine(me)) {
        return new Result.HeldByOther<>();
      }
      var refusal = refusal(state);
      if (refusal.isPresent()) {
        parts
            .faults()
            .fault("taking over partition " + partition, new IllegalStateException(refusal.get()));
        return new Result.Refused<>(refusal.get());
      }
      readNanos = parts.time().nanoTime();
      if (settled.filter(left -> describes(left, end, state)).isPresent()) {
        reconciled = false;
        parts.stats().settledTakeovers.increment();
      } else if (partition.equals(LogPartition.SERVICES)) {
        new ClaimReconciler(parts.coordination(), parts.stats(), parts.points())
            .run(state.image(), partition, me.takeover());
      }
      claimedNanos = parts.time().nanoTime();
      var commits = new GroupCommit<>(parts, partition, me, appender, health);
      return writeFirst(commits, state)
          ? new Result.Owning<>(me, appender, commits)
          : new Result.Failed<>(
              Answer.Reason.LOG_UNAVAILABLE, "what the owner writes first could not be written");
    } catch (NotOwnerException | FencedException _) {
      return new Result.HeldByOther<>();
    } catch (GatewayException e) {
      return new Result.Failed<>(asked, String.valueOf(e.getMessage()));
    } catch (TimeoutException _) {
      return new Result.Failed<>(
          Answer.Reason.LOG_UNAVAILABLE, "not at the end of the log within " + READ_LIMIT);
    }
  }

  /**
   * Whether nothing was written since the predecessor let go: then the claims are as it left them,
   * which is as the image wants them. Not so where etcd was restored from a backup of another
   * moment at which nobody owned the partition.
   */
  private boolean describes(Settled left, Map<LogPartition, Long> end, Feed.State state) {
    return left.log().equals(state.position().log())
        && Map.of(partition, left.end()).equals(end)
        && left.digest().equals(state.image().digest(partition));
  }

  private boolean stillMine(Owner me) {
    return parts
        .coordination()
        .owner(partition)
        .filter(owner -> owner.takeover().equals(me.takeover()))
        .isPresent();
  }

  /** Why this partition must not be written, where its layout is another. */
  private Optional<String> refusal(Feed.State state) {
    int partitions = parts.log().partitioning().partitions(partition.topic());
    var header = state.image().header(partition);
    if (header.isEmpty()) {
      return state.image().objects(partition) == 0
          ? Optional.empty()
          : Optional.of("partition " + partition + " holds objects but no header");
    }
    return header.get().partitions() == partitions
            && header.get().hash().equals(Partitioning.HASH)
            && header.get().partition().equals(partition)
        ? Optional.empty()
        : Optional.of(
            "partition %s says that its topic has %d partitions by %s; configured are %d by %s"
                .formatted(
                    partition,
                    header.get().partitions(),
                    header.get().hash(),
                    partitions,
                    Partitioning.HASH));
  }

  /** Header, then what the service wants to be there; false when it could not be written. */
  private boolean writeFirst(GroupCommit<C, R> commits, Feed.State state)
      throws InterruptedException {
    var actor = "service:" + parts.settings().service();
    if (state.image().header(partition).isEmpty()) {
      var header =
          new PartitionHeader(
              partition,
              parts.log().partitioning().partitions(partition.topic()),
              Partitioning.HASH,
              parts.random().uuid());
      var plan =
          new Slot.Plan<R>(List.of(new Change.Put(header)), List.of(), List.of(), Optional.empty());
      var slot = Slot.<C, R>own(actor, "first record of the partition", (_, _) -> plan);
      if (commits.process(slot) != Next.GO_ON || !slot.succeeded()) {
        return false;
      }
    }
    for (int i = 0; i < MOST_BOOTSTRAP_DECISIONS; i++) {
      var slot =
          Slot.<C, R>own(
              actor,
              "bootstrap",
              (image, context) ->
                  parts
                      .logic()
                      .bootstrap(image, partition, context)
                      .map(decision ->
                          new Slot.Plan<R>(
                              decision.changes(),
                              decision.claims(),
                              decision.frees(),
                              Optional.empty()))
                      .orElseGet(Slot.Plan::nothing));
      if (commits.process(slot) != Next.GO_ON || !slot.succeeded()) {
        return false;
      }
      if (!slot.plan().writes()) {
        parts.points().reached(FaultPoint.TAKEOVER_WRITTEN);
        return true;
      }
    }
    throw new IllegalStateException("the bootstrap of " + partition + " never ends");
  }
}
