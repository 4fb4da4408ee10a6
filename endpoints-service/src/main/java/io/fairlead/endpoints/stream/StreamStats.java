package io.fairlead.endpoints.stream;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
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
  public final LongAdder leftEarly = new LongAdder();
  public final LongAdder leasesLost = new LongAdder();
  public final LongAdder errors = new LongAdder();
  public final LongAdder retries = new LongAdder();

  private final Map<FirstFrame, LongAdder> firsts = new EnumMap<>(FirstFrame.class);

  /** Nothing was counted yet. */
  public StreamStats() {
    for (var kind : FirstFrame.values()) {
      firsts.put(kind, new LongAdder());
    }
  }

  void first(FirstFrame kind) {
    counter(kind).increment();
  }

  /** How many agents were sent that first. */
  public long firsts(FirstFrame kind) {
    return counter(kind).sum();
  }

  private LongAdder counter(FirstFrame kind) {
    return Objects.requireNonNull(firsts.get(kind));
  }
}
