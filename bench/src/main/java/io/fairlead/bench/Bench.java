package io.fairlead.bench;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
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
  interface Scenario {
    /**
     * Measures.
     *
     * @param options words after the name, of this benchmark alone
     * @throws OptionException the options are off; nothing was started
     * @throws UnableException something is missing on this machine; nothing was started
     */
    List<Figure> run(List<String> options, Progress progress) throws Exception;

    /** A line for each option; empty where there is none. */
    default String options() {
      return "";
    }
  }

  /** Told what is being done, for people who wait. */
  @FunctionalInterface
  interface Progress {
    void say(String what);
  }

  private static final Map<String, Scenario> SCENARIOS =
      new TreeMap<>(
          Map.of(
              "road",
              new RoadBench(),
              "allocation",
              new AllocationBench(),
              "dataplane",
              new DataplaneBench(),
              "streams",
              new StreamsBench(),
              "up",
              new UpBench()));

  private Bench() {}

  /** {@code bench NAME [--json] [OPTION...]}. Ends with 2 where the words are off. */
  public static void main(String[] args) throws Exception {
    System.setProperty("logback.configurationFile", "logback-bench.xml"); // before the first logger
    var words = new ArrayList<>(List.of(args));
    boolean json = words.removeIf(w -> w.equals("--json"));
    if (words.contains("--help") || words.contains("-h")) {
      System.out.println(usage());
      return;
    }
    var scenario = words.isEmpty() ? null : SCENARIOS.get(words.getFirst());
    if (scenario == null) {
      System.err.println(usage());
      System.exit(2);
      return;
    }
    var run = words.getFirst() + "-" + Instant.now().truncatedTo(ChronoUnit.SECONDS);
    List<Figure> figures;
    try {
      figures =
          scenario.run(words.subList(1, words.size()), what -> System.err.println("... " + what));
    } catch (OptionException e) {
      System.err.println(e.getMessage());
      System.err.println(usage());
      System.exit(2);
      return;
    } catch (UnableException e) {
      System.err.println(e.getMessage());
      System.exit(1);
      return;
    }
    if (json) {
      figures.forEach(f -> System.out.println(f.json(run, Machine.describe())));
    } else {
      System.out.println(run + " on " + Machine.describe());
      System.out.printf(
          Locale.ROOT, "%-40s %12s  %-6s %9s  %s%n", "NAME", "VALUE", "UNIT", "SAMPLES", "GOAL");
      figures.forEach(f -> System.out.println(f.row()));
    }
    System.exit(0); // clients' threads need not be waited for
  }

  private static String usage() {
    var text =
        new StringBuilder("usage: bench NAME [--json] [OPTION...]; NAME is one of ")
            .append(String.join(", ", SCENARIOS.keySet()));
    SCENARIOS.forEach((name, scenario) -> {
      if (!scenario.options().isEmpty()) {
        text.append("\noptions of ").append(name).append(":\n").append(scenario.options());
      }
    });
    return text.toString();
  }

  /** What a benchmark needs is not there; the message says what to do about it. */
  static final class UnableException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    UnableException(String message) {
      super(message);
    }
  }

  /** Words that a benchmark does not take. */
  static final class OptionException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    OptionException(String message) {
      super(message);
    }

    static void requireNone(List<String> options) {
      if (!options.isEmpty()) {
        throw new OptionException("this benchmark has no options, but was given " + options);
      }
    }
  }
}
