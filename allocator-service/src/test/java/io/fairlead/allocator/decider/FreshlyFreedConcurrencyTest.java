package io.fairlead.allocator.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FakeTime;
import io.fairlead.eventlog.load.Manifest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The loader that frees beside owners who ask. */
@Timeout(300)
class FreshlyFreedConcurrencyTest {
  @Test
  void whoAsksSeesWhatWasFreedInItsOrder() {
    new StressOptions()
        .iterations(5)
        .invocationsPerIteration(200)
        .threads(3)
        .actorsPerThread(3)
        .actorsBefore(2)
        .actorsAfter(2)
        .sequentialSpecification(Order.class)
        .check(Freed.class);
  }

  /** What is asked of it; made anew for each try. */
  @Param(name = "service", gen = IntGen.class, conf = "0:3")
  public static final class Freed {
    private static final Manifest MANIFEST =
        new Manifest(Position.start(new LogIdentity("services", "pods")), List.of());
    private static final List<Deletion> DELETIONS =
        IntStream.range(0, 4).mapToObj(Freed::deletion).toList();

    private record Deletion(ClusterDelta delta, ClusterImage after) {}

    private final FreshlyFreed freed = new FreshlyFreed(new FakeTime());

    private static Deletion deletion(int service) {
      var object = TestObjects.service("s" + service, "10.96.0." + (service + 1));
      var delta = TestObjects.deletion(TestObjects.image(object), object);
      return new Deletion(delta, delta.apply());
    }

    @Operation
    public void free(@Param(name = "service") int service) {
      var deletion = DELETIONS.get(service);
      freed.onUpdate(deletion.delta(), deletion.after(), MANIFEST);
    }

    @Operation
    public List<String> recent() {
      return freed.recent().stream().map(Address::toString).toList();
    }
  }

  /** The same, one call after the other; no time passes. */
  public static final class Order {
    private final List<String> freed = new ArrayList<>();

    public void free(int service) {
      var address = "10.96.0." + (service + 1);
      freed.remove(address);
      freed.add(address);
    }

    public List<String> recent() {
      return List.copyOf(freed);
    }
  }
}
