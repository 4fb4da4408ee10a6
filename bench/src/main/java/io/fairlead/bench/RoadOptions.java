package io.fairlead.bench;

import io.fairlead.devkit.process.Options;
import io.fairlead.testbed.cluster.ClusterSpec.Heaps;
import java.util.List;
import java.util.Set;

/**
 * Beside what the way from a report to the kernel is measured.
 *
 * @param services others; 0: none
 * @param pods of each of them
 */
record RoadOptions(int services, int pods) {
  static final String HELP =
      """
      --services N      other Services that are there, 1 to 20000; none
      --pods N          Pods of each of them, 1 to 50; 5\
      """;

  static RoadOptions parse(List<String> words) {
    try {
      var options = Options.parse(words, Set.of("services", "pods"));
      return new RoadOptions(
          options
              .one("services")
              .map(text -> Words.numbers("services", text, 20_000).getFirst())
              .orElse(0),
          Words.numbers("pods", options.one("pods").orElse("5"), 50).getFirst());
    } catch (IllegalArgumentException e) {
      throw new Bench.OptionException(String.valueOf(e.getMessage()));
    }
  }

  Heaps heaps() {
    return services == 0 ? Heaps.SMALL : new Heaps(1024, 768, 512);
  }

  /** Of the names of figures. */
  String suffix() {
    return services == 0 ? "" : "." + services;
  }
}
