package io.fairlead.decider;

import java.util.concurrent.atomic.LongAdder;

/** What all partitions of a service count together, for metrics. Thread-safe; grows only. */
public final class DeciderStats {
  public final LongAdder takeovers = new LongAdder();
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
  public final LongAdder confirmations = new LongAdder();
}
