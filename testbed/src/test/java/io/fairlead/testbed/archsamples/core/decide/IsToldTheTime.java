package io.fairlead.testbed.archsamples.core.decide;

import java.time.Clock;
import java.time.Instant;

/** Keeps all rules: the clock comes from outside. */
final class IsToldTheTime {
  private IsToldTheTime() {}

  static Instant decidedAt(Clock clock) {
    return Instant.now(clock);
  }
}
