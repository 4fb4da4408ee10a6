package io.fairlead.decider;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.util.LoggingLevel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** All interleavings that Lincheck tries of the loader that adds and those who ask. */
@Timeout(300)
class RequestMemoryConcurrencyTest {
  private static final int KEPT = 3;

  @Test
  void whoAsksFindsTheLatestRequestsAndNoOthers() {
    new ModelCheckingOptions()
        .iterations(5)
        .invocationsPerIteration(50)
        .threads(2)
        .actorsPerThread(3)
        .actorsBefore(1)
        .actorsAfter(1)
        // values and their codec: nothing in them is shared
        .addGuarantee(
            ManagedStrategyGuaranteeKt.forClasses(RequestMemoryConcurrencyTest::isValue)
                .allMethods()
                .ignore())
        .logLevel(LoggingLevel.OFF)
        .sequentialSpecification(Latest.class)
        .check(Asked.class);
  }

  private static boolean isValue(String name) {
    return Stream.of(
            "io.fairlead.core.", "io.fairlead.eventlog.", "io.fairlead.log.", "com.google.")
        .anyMatch(name::startsWith);
  }

  /** What is asked of the memory; made anew for each interleaving. */
  @Param(name = "id", gen = IntGen.class, conf = "0:4")
  public static final class Asked {
    private static final List<LogEntry> ENTRIES =
        IntStream.range(0, 5).mapToObj(Asked::entry).toList();

    private final RequestMemory memory =
        new RequestMemory(new RequestMemory.Limits(KEPT, 1_000_000));

    static String hash(int id) {
      return Integer.toString(id).repeat(64);
    }

    private static LogEntry entry(int id) {
      var envelope =
          new Envelope(
              TestObjects.uid("event-" + id),
              TestObjects.NOON,
              "user:alice",
              Optional.of(new RequestStamp("r" + id, hash(id))),
              Optional.empty(),
              Optional.empty());
      return new LogEntry(
          LogPartition.SERVICES,
          id,
          TestObjects.NOON,
          new LogEvent.Stored(TestObjects.service("s" + id, "10.96.0.1"), envelope));
    }

    @Operation
    public void add(@Param(name = "id") int id) {
      memory.add(ENTRIES.get(id));
    }

    @Operation
    public String find(@Param(name = "id") int id) {
      return memory
          .find(LogPartition.SERVICES, "user:alice", "r" + id)
          .map(RequestMemory.Remembered::payloadHash)
          .orElse("");
    }

    @Operation
    public int size() {
      return memory.size();
    }

    @Operation
    public long forgotten() {
      return memory.forgottenEarly();
    }
  }

  /** The same, one call after the other. */
  public static final class Latest {
    private final ArrayDeque<Integer> ids = new ArrayDeque<>();
    private long forgotten;

    public void add(int id) {
      if (!ids.contains(id)) {
        ids.add(id);
        if (ids.size() > KEPT) {
          ids.poll();
          forgotten++;
        }
      }
    }

    public String find(int id) {
      return ids.contains(id) ? Asked.hash(id) : "";
    }

    public int size() {
      return ids.size();
    }

    public long forgotten() {
      return forgotten;
    }
  }
}
