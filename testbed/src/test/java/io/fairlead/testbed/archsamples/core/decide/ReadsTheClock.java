package io.fairlead.testbed.archsamples.core.decide;

import java.time.Instant;

/** Breaks the rule: a decision is told the time. */
final class ReadsTheClock {
  private ReadsTheClock() {}

  static Instant decidedAt() {
    return Instant.now();
  }
}
