package io.fairlead.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.load.Manifest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jetbrains.lincheck.util.LoggingLevel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All interleavings that Lincheck tries of the loader and those who wait for what it applies. */
@Timeout(300)
class FeedConcurrencyTest {
  private static final LogPartition S = LogPartition.SERVICES;

  @Test
  void nobodyWaitsForWhatIsApplied() {
    new ModelCheckingOptions()
        .iterations(5)
        .invocationsPerIteration(50)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(0)
        .actorsAfter(0)
        // values: nothing in them changes, so nobody has to be stopped within
        .addGuarantee(
            ManagedStrategyGuaranteeKt.forClasses(name -> name.startsWith("io.fairlead.core."))
                .allMethods()
                .ignore())
        .logLevel(LoggingLevel.OFF)
        .sequentialSpecification(Counter.class)
        .check(Awaited.class);
  }

  /** What is asked of the feed; made anew for each interleaving. */
  @Param(name = "offset", gen = IntGen.class, conf = "1:3")
  public static final class Awaited {
    private static final LogIdentity LOG = new LogIdentity("services", "pods");
    private static final ClusterDelta NOTHING = new ClusterDelta(ClusterImage.EMPTY);

    private record Waiting(long offset, CompletableFuture<Feed.State> reached) {}

    private final Feed feed = new Feed(LOG);
    private final ConcurrentLinkedQueue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private long applied;

    @Operation(nonParallelGroup = "loader")
    public void apply() {
      applied++;
      feed.onUpdate(
          NOTHING,
          ClusterImage.EMPTY,
          new Manifest(Position.start(LOG).with(S, applied), List.of()));
    }

    /** Whether it is there at once. */
    @Operation
    public boolean isApplied(@Param(name = "offset") int offset) {
      var reached = feed.applied(Map.of(S, (long) offset));
      boolean there = reached.isDone();
      waiting.add(new Waiting(offset, reached));
      return there;
    }

    @Operation
    public long position() {
      return feed.current().position().of(S);
    }

    @Validate
    public void allThatIsThereWasTold() {
      for (var one : waiting) {
        if (one.reached.isDone() != (one.offset <= applied)) {
          throw new IllegalStateException(
              "applied is " + applied + ", who waits for " + one.offset + " was told otherwise");
        }
      }
    }
  }

  /** The same, one call after the other. */
  public static final class Counter {
    private long applied;

    public void apply() {
      applied++;
    }

    public boolean isApplied(int offset) {
      return offset <= applied;
    }

    public long position() {
      return applied;
    }
  }
}
