package io.fairlead.testbed.archsamples.core.decide;

/** Breaks the rule: a decision is told the time. */
final class ReadsTheNanoClock {
  private ReadsTheNanoClock() {}

  static long startedNanos() {
    return System.nanoTime();
  }
}
