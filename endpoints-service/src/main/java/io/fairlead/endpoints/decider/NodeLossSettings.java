package io.fairlead.endpoints.decider;

import java.time.Duration;

/**
 * When a node is lost.
 *
 * @param after how long its key must be missing in etcd
 * @param afterClose the same where its agent's connection ended; counts where it is shorter
 * @param massCount and {@code massShare}: when at least so many nodes and more than this share of
 *     all go at once, it is probably not the nodes
 * @param massHold how long the loss of many is held back
 * @param tick how often is looked
 * @param podsKept how long Pods stay that nobody reports any more, because their node is lost or
 *     does not have their source any more
 */
public record NodeLossSettings(
    Duration after,
    Duration afterClose,
    int massCount,
    double massShare,
    Duration massHold,
    Duration tick,
    Duration podsKept) {
  /** Looking at all Pods costs something. */
  private static final Duration RARELY = Duration.ofSeconds(10);

  public static final NodeLossSettings DEFAULT =
      new NodeLossSettings(
          Duration.ofSeconds(40),
          Duration.ofSeconds(10),
          10,
          1.0 / 3,
          Duration.ofMinutes(5),
          Duration.ofSeconds(1),
          Duration.ofMinutes(5));

  public NodeLossSettings {
    afterClose = afterClose.compareTo(after) < 0 ? afterClose : after;
  }

  public NodeLossSettings withAfter(Duration missing, Duration closed) {
    return new NodeLossSettings(missing, closed, massCount, massShare, massHold, tick, podsKept);
  }

  public NodeLossSettings withPodsKept(Duration kept) {
    return new NodeLossSettings(after, afterClose, massCount, massShare, massHold, tick, kept);
  }

  /** Whether so many of the nodes are missing at once that it is probably not the nodes. */
  boolean isMassLoss(int missing, int ready) {
    return missing >= massCount && missing > ready * massShare;
  }

  /** How often is looked for Pods that nobody reports. */
  Duration podsTick() {
    var fine = podsKept.dividedBy(10);
    return fine.compareTo(RARELY) < 0 ? fine : RARELY;
  }
}
