package io.fairlead.endpoints.stream;

import java.util.concurrent.atomic.LongAdder;

/** What all streams count together, for metrics. Thread-safe; grows only. */
public final class StreamStats {
  public final LongAdder resets = new LongAdder();
  public final LongAdder resetsInterrupted = new LongAdder();
  public final LongAdder movesAsked = new LongAdder();
  public final LongAdder deltas = new LongAdder();
  public final LongAdder bookmarks = new LongAdder();
  public final LongAdder chunks = new LongAdder();
  public final LongAdder sentBytes = new LongAdder();
  public final LongAdder overruns = new LongAdder();
  public final LongAdder opened = new LongAdder();
  public final LongAdder closed = new LongAdder();
  public final LongAdder leasesLost = new LongAdder();
  public final LongAdder errors = new LongAdder();
  public final LongAdder retries = new LongAdder();
}
