package io.fairlead.testbed.archsamples.core.decide;

import java.time.Duration;

/** Breaks the rule: a decision never waits. */
final class Sleeps {
  private Sleeps() {}

  static void pause() throws InterruptedException {
    Thread.sleep(Duration.ofMillis(1));
  }
}
