package io.fairlead.bench;

import java.time.Duration;
import java.util.List;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Durations, summed up as percentiles. Thread-safe. */
final class Samples {
  private final Histogram micros =
      new ConcurrentHistogram(Duration.ofMinutes(10).toMillis() * 1000, 3);

  void add(Duration duration) {
    micros.recordValue(Math.max(0, duration.toNanos() / 1000));
  }

  long count() {
    return micros.getTotalCount();
  }

  /** The value in ms that so many percent do not exceed. */
  double millis(double percentile) {
    return micros.getValueAtPercentile(percentile) / 1000.0;
  }

  /** p50, p90, p99 and the largest, in ms. */
  List<Figure> figures(String name) {
    return List.of(
        figure(name + ".p50", micros.getValueAtPercentile(50)),
        figure(name + ".p90", micros.getValueAtPercentile(90)),
        figure(name + ".p99", micros.getValueAtPercentile(99)),
        figure(name + ".max", micros.getMaxValue()));
  }

  private Figure figure(String name, long value) {
    return new Figure(name, value / 1000.0, "ms", count());
  }
}
