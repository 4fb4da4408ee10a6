package io.fairlead.agent;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Waiting for a condition, long enough for a machine with two processors and other work. */
public final class Waiting {
  private static final Duration LONGEST = Duration.ofSeconds(40);

  private Waiting() {}

  /** As Awaitility's, with its own deadline; every test class's own time-out is longer. */
  public static ConditionFactory await(String what) {
    return Awaitility.await(what).atMost(LONGEST);
  }
}
