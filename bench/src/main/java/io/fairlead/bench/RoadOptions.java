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
 * @param balancing of the Service that is measured
 */
record RoadOptions(int services, int pods, Balancing balancing) {
  static final String HELP =
      """
      --services N      other Services that are there, 1 to 20000; none
      --pods N          Pods of each of them, 1 to 50; 5
      --balancing WORD  of the Service that is measured, random or robin; random\
      """;

  enum Balancing {
    RANDOM("random"),
    ROBIN("round-robin");

    private final String annotation;

    Balancing(String annotation) {
      this.annotation = annotation;
    }

    /** Value of {@code fairlead.io/load-balancing}. */
    String annotation() {
      return annotation;
    }
  }

  static RoadOptions parse(List<String> words) {
    try {
      var options = Options.parse(words, Set.of("services", "pods", "balancing"));
      return new RoadOptions(
          options
              .one("services")
              .map(text -> Words.numbers("services", text, 20_000).getFirst())
              .orElse(0),
          Words.numbers("pods", options.one("pods").orElse("5"), 50).getFirst(),
          Words.constant("balancing", options.one("balancing").orElse("random"), Balancing.class));
    } catch (IllegalArgumentException e) {
      throw new Bench.OptionException(String.valueOf(e.getMessage()));
    }
  }

  Heaps heaps() {
    return services == 0 ? Heaps.SMALL : new Heaps(1024, 768, 512);
  }

  /** Of the names of figures. */
  String suffix() {
    var others = services == 0 ? "" : "." + services;
    return switch (balancing) {
      case RANDOM -> others;
      case ROBIN -> ".robin" + others;
    };
  }
}
