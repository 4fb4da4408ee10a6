package io.fairlead.agent.stream;

import io.fairlead.runtime.Metrics;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;

/** What the loop counts. */
final class LoopMetrics {
  /** Names in the manner of kube-proxy's, so that its dashboards can be read across. */
  final Histogram syncSeconds;

  final Histogram programmingSeconds;
  final Histogram queuedSeconds;
  final Gauge lastSync;
  final Gauge lastQueued;
  final Counter syncErrors;
  final Gauge frontends;
  final Gauge refused;
  final Counter restored;
  final CounterDataPoint resets;
  final CounterDataPoint deltas;
  final Counter bookmarks;
  final Gauge connected;
  final Counter attempts;
  final Counter broken;
  final Counter moves;
  final Counter reports;
  final Gauge refusedPods;
  final Counter reassertions;

  LoopMetrics(Metrics metrics) {
    syncSeconds =
        metrics.seconds(
            "agent",
            "sync_rules_duration",
            "How long it took to bring a change to disk and kernel.");
    programmingSeconds =
        metrics.seconds(
            "agent",
            "network_programming_duration",
            "From when a change was accepted, by the log's clock, until the kernel has it; without changes that are older than this process.");
    queuedSeconds =
        metrics.seconds(
            "agent",
            "sync_rules_queued_duration",
            "From the arrival of a change at this node until the kernel has it.");
    lastSync =
        metrics.gauge(
            "agent",
            "sync_rules_last_timestamp_seconds",
            "When the kernel was last brought to the view, in seconds since 1970.");
    lastQueued =
        metrics.gauge(
            "agent",
            "sync_rules_last_queued_timestamp_seconds",
            "When a change for the kernel last arrived, in seconds since 1970.");
    syncErrors =
        metrics.counter(
            "agent", "sync_rules_errors", "Attempts that disk or kernel failed.", "where");
    frontends = metrics.gauge("agent", "frontends", "Service addresses and ports on this node.");
    refused = metrics.gauge("agent", "frontends_refused", "Those of them that the kernel refuses.");
    restored =
        metrics.counter(
            "agent",
            "tables_restored",
            "Times that somebody else's change of our tables was undone.");
    var frames =
        metrics.counter("agent", "stream_frames", "Frames that were applied, by kind.", "kind");
    resets = frames.labelValues("reset");
    deltas = frames.labelValues("delta");
    bookmarks = metrics.counter("agent", "stream_bookmarks", "Positions without changes.");
    connected = metrics.gauge("agent", "stream_connected", "1 while a replica serves this node.");
    attempts = metrics.counter("agent", "stream_attempts", "Streams that were tried.");
    broken =
        metrics.counter("agent", "stream_refused", "Streams that said what must not be applied.");
    moves =
        metrics.counter(
            "agent",
            "stream_moves",
            "Times that a replica asked this agent to go to another one, by what came of it.",
            "outcome");
    moves.initLabelValues("moved");
    moves.initLabelValues("stayed");
    reports = metrics.counter("agent", "readiness_reports", "Readiness reports sent.");
    refusedPods =
        metrics.gauge("agent", "source_pods_refused", "Pods of our sources that were refused.");
    reassertions =
        metrics.counter(
            "agent",
            "source_reassertions",
            "Times that Pods of manifests were said again because their record differed.");
    syncErrors.initLabelValues("disk");
    syncErrors.initLabelValues("kernel");
  }
}
