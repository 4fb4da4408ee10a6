package io.fairlead.bench;

import io.fairlead.devkit.process.Options;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What to measure of a node's rules, and how much.
 *
 * @param sizes numbers of Services, rising, beside which one change is measured
 * @param services of the first load, the batch, the restart and the agent's memory
 * @param endpoints of each Service
 * @param roundRobin how many of them are balanced round-robin where the figure says so; the others
 *     are random, as with the allocator's limit
 * @param cold Services of two endpoints of the cold start
 * @param large endpoints of one Service
 * @param connectSizes numbers of Services, rising, beside which connections are made
 * @param samples of each kind of change
 * @param seconds of each round of connections
 * @param changes of rules under constant new connections
 * @param heap largest heap of the agent's process in MiB
 */
record DataplaneOptions(
    Set<Part> parts,
    List<Integer> sizes,
    int services,
    int endpoints,
    int roundRobin,
    int cold,
    int large,
    List<Integer> connectSizes,
    int samples,
    int seconds,
    int changes,
    int heap) {
  static final String HELP =
      """
      --parts LIST          of load, change, batch, large, cold, connect, agent, faults; all
      --sizes LIST          numbers of Services beside which one change is measured, rising; 100,10000,30000
      --services N          of load, batch and agent, 10 to 60000; 10000
      --endpoints N         of each of them, 2 to 50; 3
      --round-robin N       Services balanced round-robin where a figure is of round-robin, 1 to 60000; the others
                            are random, as beyond the allocator's --round-robin-limit; 256
      --cold N              Services of two endpoints of the cold start, 10 to 60000; 44000
      --large N             endpoints of one Service, 2 to 60000; 5000
      --connect-sizes LIST  numbers of Services beside which connections are made, rising; 10,1000,10000
      --samples N           of each kind of change, 3 to 100000; 300
      --seconds N           of each round of connections, 1 to 60; 2
      --changes N           of rules under constant new connections, 10 to 1000000; 10000
      --heap N              largest heap of the agent's process in MiB, 32 to 4096; 128\
      """;

  enum Part {
    LOAD,
    CHANGE,
    BATCH,
    LARGE,
    COLD,
    CONNECT,
    AGENT,
    FAULTS
  }

  private static final int MOST_SERVICES = 60_000;

  DataplaneOptions {
    sizes = List.copyOf(sizes);
    connectSizes = List.copyOf(connectSizes);
  }

  static DataplaneOptions parse(List<String> words) {
    try {
      var options =
          Options.parse(
              words,
              Set.of(
                  "parts",
                  "sizes",
                  "services",
                  "endpoints",
                  "round-robin",
                  "cold",
                  "large",
                  "connect-sizes",
                  "samples",
                  "seconds",
                  "changes",
                  "heap"));
      return new DataplaneOptions(
          options
              .one("parts")
              .map(text -> Words.constants("parts", text, Part.class))
              .orElse(EnumSet.allOf(Part.class)),
          sizes(options, "sizes", "100,10000,30000"),
          number(options, "services", "10000", 10, MOST_SERVICES),
          number(options, "endpoints", "3", 2, 50),
          number(options, "round-robin", "256", 1, MOST_SERVICES),
          number(options, "cold", "44000", 10, MOST_SERVICES),
          number(options, "large", "5000", 2, 60_000),
          sizes(options, "connect-sizes", "10,1000,10000"),
          number(options, "samples", "300", 3, 100_000),
          number(options, "seconds", "2", 1, 60),
          number(options, "changes", "10000", 10, 1_000_000),
          number(options, "heap", "128", 32, 4096));
    } catch (IllegalArgumentException e) {
      throw new Bench.OptionException(String.valueOf(e.getMessage()));
    }
  }

  private static List<Integer> sizes(Options options, String name, String otherwise) {
    return Words.rising(name, options.one(name).orElse(otherwise), MOST_SERVICES);
  }

  private static int number(Options options, String name, String otherwise, int least, int most) {
    var text = options.one(name).orElse(otherwise);
    int number = Words.numbers(name, text, most).getFirst();
    if (number < least || text.indexOf(',') >= 0) {
      throw new IllegalArgumentException(
          "option --%s: '%s' is not one number from %d to %d".formatted(name, text, least, most));
    }
    return number;
  }
}
