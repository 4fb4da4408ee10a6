package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.testbed.cluster.AllocationCluster;
import io.fairlead.testbed.fault.Fault;
import io.fairlead.testbed.history.HistoryRun;
import io.fairlead.testbed.history.HistorySpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * One history after the other, each of its own seed, under eight faults that it draws, until the
 * time is over. HISTORY_SEED says with which seed to begin, HISTORY_MINUTES how long to go on.
 */
@Tag("long")
final class AllocationHistoriesTest {
  private static final Path DIRECTORY = Path.of("target", "histories");
  private static final int FAULTS = 8;

  @Test
  @Timeout(value = 100, unit = TimeUnit.MINUTES)
  void allAreLinearizable() throws InterruptedException {
    long seed = setting("HISTORY_SEED", 1);
    long end = System.nanoTime() + Duration.ofMinutes(setting("HISTORY_MINUTES", 10)).toNanos();
    try (var cluster =
        AllocationCluster.start(
            DIRECTORY.resolve("%016x".formatted(System.nanoTime())),
            List.of("--service-cidrs=" + HistoryRun.RANGE))) {
      do {
        var spec = HistorySpec.of(seed, "history-" + seed, HistoryRun.ADDRESSES);
        var report = HistoryRun.run(cluster, spec, faults(seed), DIRECTORY);
        System.out.println("seed " + seed + ": " + report.calls());
        assertThat(report.faults()).as("seed %d", seed).isEmpty();
        HistoryRun.clear(cluster, spec.namespace());
        seed++;
      } while (System.nanoTime() - end < 0);
    }
  }

  private static List<Fault> faults(long seed) {
    var random = new Random(~seed);
    var all = Fault.values();
    var drawn = new ArrayList<Fault>();
    for (int i = 0; i < FAULTS; i++) {
      drawn.add(all[random.nextInt(all.length)]);
    }
    return drawn;
  }

  private static long setting(String name, long otherwise) {
    return Optional.ofNullable(System.getenv(name)).map(Long::parseLong).orElse(otherwise);
  }
}
