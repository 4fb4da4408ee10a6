package io.fairlead.agent.probe;

import io.fairlead.runtime.Metrics;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import java.time.Duration;

/** What probes count; thread-safe. */
public final class ProbeMetrics {
  private final Counter made;
  private final Histogram took;

  public ProbeMetrics(Metrics metrics) {
    made =
        metrics.counter(
            "agent", "probes", "Readiness and startup probes made, by result.", "result");
    took =
        metrics.seconds("agent", "probe_duration", "How long readiness and startup probes took.");
  }

  void made(ProbeResult result, Duration duration) {
    made.labelValues(
            switch (result) {
              case ProbeResult.Passed _ -> "successful";
              case ProbeResult.Failed _ -> "failed";
              case ProbeResult.NotMade _ -> "unknown";
              case ProbeResult.Refused _ -> "refused";
            })
        .inc();
    took.observe(duration.toNanos() / 1e9);
  }
}
