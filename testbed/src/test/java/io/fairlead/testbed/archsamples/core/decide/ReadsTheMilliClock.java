package io.fairlead.testbed.archsamples.core.decide;

/** Breaks the rule: a decision is told the time. */
final class ReadsTheMilliClock {
  private ReadsTheMilliClock() {}

  static long decidedAtMillis() {
    return System.currentTimeMillis();
  }
}
