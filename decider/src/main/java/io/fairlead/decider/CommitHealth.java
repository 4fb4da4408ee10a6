package io.fairlead.decider;

import java.time.Duration;
import java.util.Optional;

/**
 * Whether an owner can commit, by what it tried from one commit to the next: time in which nothing
 * was tried says nothing, but so many appends in a row that failed do. A log that answers does not
 * show that it takes anything. Of the partition's thread; it outlives take-overs that follow at
 * once.
 */
final class CommitHealth {
  /** For so long an owner goes on trying. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  /** While the log does not answer, how often it is asked. */
  static final Duration PROBE_EVERY = Duration.ofSeconds(1);

  /** However long ago each of them is. */
  static final int MOST_IN_A_ROW = 3;

  /**
   * Appends that failed since the last commit.
   *
   * @param firstNanos when the first of them began
   * @param sinceNanos when the first of those began that came soon after one another
   * @param lastNanos when the last of them ended
   */
  private record Failing(int inARow, long firstNanos, long sinceNanos, long lastNanos) {
    static Failing first(long startedNanos, long endedNanos) {
      return new Failing(1, startedNanos, startedNanos, endedNanos);
    }

    Failing then(long startedNanos, long endedNanos) {
      boolean soon = startedNanos - lastNanos <= PATIENCE.toNanos();
      return new Failing(inARow + 1, firstNanos, soon ? sinceNanos : startedNanos, endedNanos);
    }

    boolean isHopeless() {
      return lastNanos - sinceNanos >= PATIENCE.toNanos()
          || (inARow >= MOST_IN_A_ROW && lastNanos - firstNanos >= PATIENCE.toNanos());
    }
  }

  private Optional<Failing> failing = Optional.empty();

  /** When the first attempt began of those, soon after one another, that the log did not answer. */
  private Optional<Long> silentSinceNanos = Optional.empty();

  private long askedNanos;
  private boolean hopeless;

  /** A commit; or nothing is tried any more, and the next attempt begins anew. */
  void worked() {
    failing = Optional.empty();
    silentSinceNanos = Optional.empty();
    hopeless = false;
  }

  /** An append of which nothing is in the log, or nobody knows. */
  void failed(long startedNanos, long endedNanos) {
    var now =
        failing
            .map(before -> before.then(startedNanos, endedNanos))
            .orElseGet(() -> Failing.first(startedNanos, endedNanos));
    failing = Optional.of(now);
    hopeless |= now.isHopeless();
    silent(startedNanos, endedNanos);
  }

  /** The log did not even say where its end is. */
  void silent(long startedNanos, long endedNanos) {
    long since =
        silentSinceNanos
            .filter(_ -> startedNanos - askedNanos <= PATIENCE.toNanos())
            .orElse(startedNanos);
    silentSinceNanos = Optional.of(since);
    hopeless |= endedNanos - since >= PATIENCE.toNanos();
    askedNanos = endedNanos;
  }

  /** The log said where its end is. */
  void answered() {
    silentSinceNanos = Optional.empty();
  }

  /** Whether somebody else had better try. */
  boolean hopeless() {
    return hopeless;
  }

  /** Whether the last commit failed, or the log did not answer since. */
  boolean inDoubt() {
    return failing.isPresent() || silentSinceNanos.isPresent();
  }

  boolean probeDue(long nanos) {
    return silentSinceNanos.isPresent() && nanos - askedNanos >= PROBE_EVERY.toNanos();
  }
}
