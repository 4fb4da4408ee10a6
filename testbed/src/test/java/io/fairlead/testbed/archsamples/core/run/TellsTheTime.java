package io.fairlead.testbed.archsamples.core.run;

import java.time.Instant;

/** Keeps all rules: here the clock is read. */
final class TellsTheTime {
  private TellsTheTime() {}

  static Instant now() {
    return Instant.now();
  }
}
