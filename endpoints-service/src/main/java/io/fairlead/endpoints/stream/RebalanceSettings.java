package io.fairlead.endpoints.stream;

import java.time.Duration;

/**
 * When agents are asked to go to another replica.
 *
 * @param perSecond how many are asked in a second, about; 0: none at all
 * @param settle how long the same replicas must have been ready, and this one held too many
 * @param slack part of a fair share that a replica may hold above it, at least one agent
 * @param askAgain how long an agent that was asked is left alone
 * @param leaves how long an agent that was asked counts as one that goes
 * @param tick how often is looked
 */
public record RebalanceSettings(
    int perSecond,
    Duration settle,
    double slack,
    Duration askAgain,
    Duration leaves,
    Duration tick) {
  public static final RebalanceSettings DEFAULT =
      new RebalanceSettings(
          10,
          Duration.ofSeconds(15),
          0.1,
          Duration.ofMinutes(5),
          Duration.ofSeconds(15),
          Duration.ofSeconds(1));

  public RebalanceSettings {
    if (perSecond < 0 || slack < 0) {
      throw new IllegalArgumentException("a rate and a part must not be negative");
    }
  }

  public RebalanceSettings withPerSecond(int rate) {
    return new RebalanceSettings(rate, settle, slack, askAgain, leaves, tick);
  }

  public RebalanceSettings withTimes(Duration settled, Duration between) {
    return new RebalanceSettings(perSecond, settled, slack, askAgain, leaves, between);
  }
}
