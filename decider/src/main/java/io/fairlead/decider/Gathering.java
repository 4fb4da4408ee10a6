package io.fairlead.decider;

import io.fairlead.core.run.Time;
import java.time.Duration;

/**
 * When the next batch begins. Who was just answered mostly asks again at once; without a little
 * patience he would always come too late for the batch of those who waited meanwhile, and the other
 * way round: two half batches in turn, each waiting for the other's commit. So the next batch waits
 * for as many as waited and were answered, but only while they keep coming, and for a part of what
 * a batch takes. Who comes alone, or later, is not held up. Of the partition's thread.
 */
final class Gathering {
  /** A part of what the batch before took. */
  private static final int PART = 2;

  private static final Duration LONGEST = Duration.ofMillis(10);

  /** They come from over the network. */
  private static final Duration PAUSE = Duration.ofMillis(2);

  private final Mailbox<?> mailbox;
  private final Time time;
  private final int most;
  private int expected;
  private long untilNanos;

  Gathering(Mailbox<?> mailbox, Time time, int most) {
    this.mailbox = mailbox;
    this.time = time;
    this.most = most;
  }

  /**
   * A batch was answered.
   *
   * @param fromNanos when it began
   */
  void answered(int requests, long fromNanos) {
    long now = time.nanoTime();
    expected = Math.min(most, requests + mailbox.size());
    untilNanos = now + Math.min(LONGEST.toNanos(), (now - fromNanos) / PART);
  }

  /** Until those are there who are expected, or are not to be waited for. */
  void await() throws InterruptedException {
    long leftNanos = untilNanos - time.nanoTime();
    if (expected > 1 && leftNanos > 0) {
      mailbox.gather(expected, PAUSE, Duration.ofNanos(leftNanos));
    }
    expected = 0; // once for each batch
  }
}
