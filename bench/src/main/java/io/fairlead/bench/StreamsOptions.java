package io.fairlead.bench;

import io.fairlead.devkit.process.Options;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What to measure of the way from the log to the streams, and how much.
 *
 * @param services in one namespace
 * @param pods of each Service
 * @param sizes numbers of Services, rising, beside which one event is measured
 * @param agents streams of the fan-out
 * @param changes one after another
 * @param seconds of many changes a second
 * @param rate how many a second, about
 * @param records of the log from which a replica starts
 */
record StreamsOptions(
    Set<Part> parts,
    int services,
    int pods,
    List<Integer> sizes,
    int agents,
    int changes,
    int seconds,
    int rate,
    int records) {
  static final String HELP =
      """
      --parts LIST      of projection, event, memory, fanout, restart; all
      --services N      Services of the projection and its memory, 1 to 100000; 10000
      --pods N          Pods of each of them, 1 to 100; 15
      --sizes LIST      numbers of Services beside which one event is measured, rising; 100,1000,10000
      --agents N        streams of the fan-out, each over a connection of its own, 200 to 10000; 5000
      --changes N       changes of the fan-out, one after another, 1 to 10000; 100
      --seconds N       of many changes a second, 1 to 600; 60
      --rate N          how many a second, 10 to 10000; 1000
      --records N       of the log from which a replica starts, 110001 to 10000000; 1000000\
      """;

  enum Part {
    PROJECTION,
    EVENT,
    MEMORY,
    FANOUT,
    RESTART
  }

  static StreamsOptions parse(List<String> words) {
    try {
      var options =
          Options.parse(
              words,
              Set.of(
                  "parts",
                  "services",
                  "pods",
                  "sizes",
                  "agents",
                  "changes",
                  "seconds",
                  "rate",
                  "records"));
      return new StreamsOptions(
          options
              .one("parts")
              .map(text -> Words.constants("parts", text, Part.class))
              .orElse(EnumSet.allOf(Part.class)),
          number(options, "services", "10000", 100_000),
          number(options, "pods", "15", 100),
          Words.rising("sizes", options.one("sizes").orElse("100,1000,10000"), 100_000),
          atLeast(200, "agents", number(options, "agents", "5000", 10_000)),
          number(options, "changes", "100", 10_000),
          number(options, "seconds", "60", 600),
          atLeast(10, "rate", number(options, "rate", "1000", 10_000)),
          atLeast(110_001, "records", number(options, "records", "1000000", 10_000_000)));
    } catch (IllegalArgumentException e) {
      throw new Bench.OptionException(String.valueOf(e.getMessage()));
    }
  }

  private static int number(Options options, String name, String otherwise, int most) {
    return Words.numbers(name, options.one(name).orElse(otherwise), most).getFirst();
  }

  private static int atLeast(int least, String name, int number) {
    if (number < least) {
      throw new IllegalArgumentException(
          "option --%s: %d is less than %d".formatted(name, number, least));
    }
    return number;
  }
}
