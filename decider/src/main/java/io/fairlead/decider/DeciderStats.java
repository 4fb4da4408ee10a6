package io.fairlead.decider;

import java.util.concurrent.atomic.LongAdder;

/** What all partitions of a service count together, for metrics. Thread-safe; grows only. */
public final class DeciderStats {
  /** Told how long a phase took. Called on the partitions' threads: quick, must not block. */
  @FunctionalInterface
  public interface PhaseListener {
    void took(Phase phase, long nanos);
  }

  public final LongAdder takeovers = new LongAdder();

  /** Take-overs that found the claims as the predecessor had left them. */
  public final LongAdder settledTakeovers = new LongAdder();

  public final LongAdder lostOwnerships = new LongAdder();
  public final LongAdder batches = new LongAdder();
  public final LongAdder decisions = new LongAdder();
  public final LongAdder records = new LongAdder();
  public final LongAdder remembered = new LongAdder();
  public final LongAdder claimConflicts = new LongAdder();
  public final LongAdder orphansFreed = new LongAdder();
  public final LongAdder claimsRestored = new LongAdder();
  public final LongAdder reservedTakenOver = new LongAdder();
  public final LongAdder outcomesUnknown = new LongAdder();
  public final LongAdder overloaded = new LongAdder();

  /** Requests that nobody waited for any more when their turn came: not decided. */
  public final LongAdder withdrawn = new LongAdder();

  public final LongAdder confirmations = new LongAdder();
  private volatile PhaseListener phases = (_, _) -> {};

  /** Tells the listener from now on, instead of the one before. */
  public void onPhase(PhaseListener listener) {
    phases = listener;
  }

  void took(Phase phase, long nanos) {
    phases.took(phase, nanos);
  }
}
