package io.fairlead.testbed.archsamples.dns;

import java.lang.foreign.Arena;

/** Breaks the rule: foreign memory belongs to agent and devkit. */
final class AllocatesItself {
  private AllocatesItself() {}

  static long address() {
    try (var arena = Arena.ofConfined()) {
      return arena.allocate(8).address();
    }
  }
}
