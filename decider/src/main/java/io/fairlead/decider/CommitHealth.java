package io.fairlead.decider;

import java.time.Duration;
import java.util.Optional;

/**
 * Whether an owner can commit, by what it tried: time in which nothing was tried says nothing. Of
 * the partition's thread.
 */
final class CommitHealth {
  /** For so long an owner goes on trying. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  /** Without other attempts, how often the log is asked whether it is there. */
  static final Duration PROBE_EVERY = Duration.ofSeconds(1);

  /**
   * Attempts that failed, one after another.
   *
   * @param sinceNanos when the first one began
   * @param lastNanos when the last one ended
   */
  private record Failing(long sinceNanos, long lastNanos) {}

  private Optional<Failing> failing = Optional.empty();
  private long askedNanos;

  /** A commit. */
  void worked() {
    failing = Optional.empty();
  }

  /** An attempt that failed: one more of the same trouble, unless the one before is long ago. */
  void failed(long startedNanos, long endedNanos) {
    long since =
        failing
            .filter(f -> startedNanos - f.lastNanos <= PATIENCE.toNanos())
            .map(Failing::sinceNanos)
            .orElse(startedNanos);
    failing = Optional.of(new Failing(since, endedNanos));
    askedNanos = endedNanos;
  }

  /** The log is there, which does not say that it takes anything: forgotten after a while only. */
  void answered(long nanos) {
    askedNanos = nanos;
    failing = failing.filter(f -> nanos - f.lastNanos <= PATIENCE.toNanos());
  }

  boolean hopeless() {
    return failing.filter(f -> f.lastNanos - f.sinceNanos >= PATIENCE.toNanos()).isPresent();
  }

  boolean probeDue(long nanos) {
    return failing.isPresent() && nanos - askedNanos >= PROBE_EVERY.toNanos();
  }
}
