package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
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

/** All interleavings that Lincheck tries of the loader and those who wait for a snapshot. */
@Timeout(300)
class WaitersConcurrencyTest {
  private static final LogPartition S = LogPartition.SERVICES;

  @Test
  void nobodyWaitsForWhatIsPublishedOrWillNeverBe() {
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
        .sequentialSpecification(Published.class)
        .check(Awaited.class);
  }

  /** What is asked of the waiters; made anew for each interleaving. */
  @Param(name = "offset", gen = IntGen.class, conf = "1:3")
  public static final class Awaited {
    private static final LogIdentity LOG = new LogIdentity("services", "pods");

    private record Waiting(long offset, CompletableFuture<Snapshot> reached) {}

    private final Waiters waiters = new Waiters(snapshot(0));
    private final ConcurrentLinkedQueue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private long published;
    private boolean ended;

    private static Snapshot snapshot(long offset) {
      return new Snapshot(ClusterImage.EMPTY, Position.start(LOG).with(S, offset));
    }

    @Operation(nonParallelGroup = "loader")
    public void publish() {
      published++;
      waiters.publish(snapshot(published));
    }

    @Operation(nonParallelGroup = "loader")
    public void end() {
      ended = true;
      waiters.end("closed");
    }

    /** What is known of it at once. */
    @Operation
    public String await(@Param(name = "offset") int offset) {
      var reached = waiters.await(Map.of(S, (long) offset));
      var known = state(reached);
      waiting.add(new Waiting(offset, reached));
      return known;
    }

    private static String state(CompletableFuture<Snapshot> reached) {
      return switch (reached.state()) {
        case RUNNING -> "waits";
        case SUCCESS -> "there";
        case FAILED, CANCELLED -> "ended";
      };
    }

    @Operation
    public long current() {
      return waiters.current().position().of(S);
    }

    @Validate
    public void allThatIsKnownWasTold() {
      for (var one : waiting) {
        if (!one.reached.isDone() && (one.offset <= published || ended)) {
          throw new IllegalStateException(
              "published is " + published + ", ended is " + ended + ": nobody told " + one.offset);
        }
      }
    }
  }

  /** The same, one call after the other. */
  public static final class Published {
    private long published;
    private boolean ended;

    public void publish() {
      published++;
    }

    public void end() {
      ended = true;
    }

    public String await(int offset) {
      return offset <= published ? "there" : ended ? "ended" : "waits";
    }

    public long current() {
      return published;
    }
  }
}
