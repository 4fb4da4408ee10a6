package io.fairlead.bench;

import io.fairlead.devkit.process.Options;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What to measure of allocation, and how much.
 *
 * @param clients how many at a time, one after another
 * @param sizes numbers of Services, rising
 * @param rounds how often each number of clients has its turn
 * @param takeovers how often an owner is killed, and how often it is stopped
 * @param jvm further options of the allocators' JVM
 */
record AllocationOptions(
    Set<Part> parts,
    List<Integer> clients,
    List<Integer> sizes,
    int rounds,
    int takeovers,
    List<String> jvm) {
  static final String HELP =
      """
      --parts LIST      of creates, sizes, memory, takeover, pick; all
      --clients LIST    how many clients at a time, 1 to 1024; 1,16,64,256
      --sizes LIST      numbers of Services, rising, up to 500000; 1000,10000,60000
      --rounds N        turns of each number of clients, 1 to 20; 2
      --takeovers N     owners to kill, and to stop, 1 to 20; 3
      --jvm OPTION      one more option of the allocators' JVM; may be repeated\
      """;

  enum Part {
    CREATES,
    SIZES,
    MEMORY,
    TAKEOVER,
    PICK
  }

  /** Whether a part needs processes. */
  boolean needsPlane() {
    return parts.stream().anyMatch(part -> part != Part.PICK);
  }

  /** Whether a part needs that many Services to be there. */
  boolean fills() {
    return parts.contains(Part.SIZES)
        || parts.contains(Part.MEMORY)
        || parts.contains(Part.TAKEOVER);
  }

  static AllocationOptions parse(List<String> words) {
    try {
      var options =
          Options.parse(words, Set.of("parts", "clients", "sizes", "rounds", "takeovers", "jvm"));
      return new AllocationOptions(
          options
              .one("parts")
              .map(text -> Words.constants("parts", text, Part.class))
              .orElse(EnumSet.allOf(Part.class)),
          Words.numbers("clients", options.one("clients").orElse("1,16,64,256"), 1024),
          Words.rising("sizes", options.one("sizes").orElse("1000,10000,60000"), 500_000),
          Words.numbers("rounds", options.one("rounds").orElse("2"), 20).getFirst(),
          Words.numbers("takeovers", options.one("takeovers").orElse("3"), 20).getFirst(),
          options.all("jvm"));
    } catch (IllegalArgumentException e) {
      throw new Bench.OptionException(String.valueOf(e.getMessage()));
    }
  }
}
