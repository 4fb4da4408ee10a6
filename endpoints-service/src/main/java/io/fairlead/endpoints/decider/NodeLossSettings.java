package io.fairlead.endpoints.decider;

import java.time.Duration;

/**
 * When a node is lost.
 *
 * @param after how long its key must be missing in etcd
 * @param massCount and {@code massShare}: when at least so many nodes and more than this share of
 *     all go at once, it is probably not the nodes
 * @param massHold how long the loss of many is held back
 * @param tick how often is looked
 */
public record NodeLossSettings(
    Duration after, int massCount, double massShare, Duration massHold, Duration tick) {
  public static final NodeLossSettings DEFAULT =
      new NodeLossSettings(
          Duration.ofSeconds(40), 10, 1.0 / 3, Duration.ofMinutes(5), Duration.ofSeconds(1));

  public NodeLossSettings withAfter(Duration missing) {
    return new NodeLossSettings(missing, massCount, massShare, massHold, tick);
  }
}
