package io.fairlead.bench;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs a benchmark by name and prints its figures: a table, or with {@code --json} one object a
 * line.
 */
public final class Bench {
  /** A benchmark. */
  @FunctionalInterface
  interface Scenario {
    List<Figure> run(Progress progress) throws Exception;
  }

  /** Told what is being done, for people who wait. */
  @FunctionalInterface
  interface Progress {
    void say(String what);
  }

  private static final Map<String, Scenario> SCENARIOS =
      new TreeMap<>(
          Map.of("road", new RoadBench(), "creates", new CreatesBench(), "up", new UpBench()));

  private Bench() {}

  /** {@code bench NAME [--json]}. Ends with 2 where the words are off. */
  public static void main(String[] args) throws Exception {
    var words = List.of(args);
    boolean json = words.contains("--json");
    var names = words.stream().filter(w -> !w.equals("--json")).toList();
    if (names.size() != 1 || !SCENARIOS.containsKey(names.getFirst())) {
      System.err.println(
          "usage: bench NAME [--json]; NAME is one of " + String.join(", ", SCENARIOS.keySet()));
      System.exit(2);
    }
    var run = names.getFirst() + "-" + Instant.now().truncatedTo(ChronoUnit.SECONDS);
    var figures =
        java.util.Objects.requireNonNull(SCENARIOS.get(names.getFirst()))
            .run(what -> System.err.println("... " + what));
    if (json) {
      figures.forEach(f -> System.out.println(f.json(run, Machine.describe())));
    } else {
      System.out.println(run + " on " + Machine.describe());
      System.out.printf(Locale.ROOT, "%-32s %12s  %-6s %9s%n", "NAME", "VALUE", "UNIT", "SAMPLES");
      figures.forEach(f ->
          System.out.printf(
              Locale.ROOT, "%-32s %12s  %-6s %9d%n", f.name(), f.rounded(), f.unit(), f.samples()));
    }
    System.exit(0); // clients' threads need not be waited for
  }
}
