package io.fairlead.agent.stream;

import io.fairlead.runtime.Metrics;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;

/** What is counted of flows whose endpoint may be gone. */
final class FlowMetrics {
  final Histogram seconds;
  final Counter deleted;
  final Counter read;
  final Counter errors;
  final Gauge pending;

  FlowMetrics(Metrics metrics) {
    seconds =
        metrics.seconds(
            "agent",
            "conntrack_pass_duration",
            "How long it took to look for flows whose endpoint is gone.");
    deleted =
        metrics.counter(
            "agent",
            "conntrack_flows_deleted",
            "Flows whose endpoint was gone: over UDP, and over TCP of Services that have connections reset.");
    read = metrics.counter("agent", "conntrack_entries_read", "Entries of conntrack looked at.");
    errors = metrics.counter("agent", "conntrack_errors", "Passes that the kernel refused.");
    pending =
        metrics.gauge(
            "agent", "conntrack_frontends_pending", "Frontends whose flows are to be looked at.");
  }
}
