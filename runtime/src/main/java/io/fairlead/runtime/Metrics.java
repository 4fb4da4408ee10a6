package io.fairlead.runtime;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * What one process counts and measures. Names are {@code
 * fairlead_<subsystem>_<what>[_<unit>][_total]}, units are seconds and bytes, labels have few
 * values: never names of objects. Thread-safe. A registry of its own, so that several processes fit
 * into one JVM.
 */
public final class Metrics {
  /** 100 us to 10 s, in steps people can read. */
  private static final double[] LATENCIES = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
  };

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ExpositionFormats formats = ExpositionFormats.init();

  /** With the JVM's metrics and {@code fairlead_build_info}. */
  public static Metrics ofProcess(String process) {
    var metrics = new Metrics();
    JvmMetrics.builder().register(metrics.registry);
    Info.builder()
        .name("fairlead_build_info")
        .help("Which process and build this is.")
        .labelNames("process", "version", "java")
        .register(metrics.registry)
        .addLabelValues(process, BuildInfo.version(), Runtime.version().toString());
    return metrics;
  }

  /** Grows only. {@code what} without {@code _total}, which is appended. */
  public Counter counter(String subsystem, String what, String help, String... labels) {
    return Counter.builder()
        .name(name(subsystem, what))
        .help(help)
        .labelNames(labels)
        .register(registry);
  }

  /** As {@link #counter}, of a number that is counted elsewhere. */
  public void counter(String subsystem, String what, String help, DoubleSupplier value) {
    CounterWithCallback.builder()
        .name(name(subsystem, what))
        .help(help)
        .callback(callback -> callback.call(value.getAsDouble()))
        .register(registry);
  }

  /**
   * Likewise several, told apart by labels.
   *
   * @param values by the values of the labels
   */
  public void counters(
      String subsystem,
      String what,
      String help,
      List<String> labels,
      Map<List<String>, DoubleSupplier> values) {
    CounterWithCallback.builder()
        .name(name(subsystem, what))
        .help(help)
        .labelNames(labels.toArray(String[]::new))
        .callback(callback ->
            values.forEach(
                (of, value) -> callback.call(value.getAsDouble(), of.toArray(String[]::new))))
        .register(registry);
  }

  /** Goes up and down. */
  public Gauge gauge(String subsystem, String what, String help, String... labels) {
    return Gauge.builder()
        .name(name(subsystem, what))
        .help(help)
        .labelNames(labels)
        .register(registry);
  }

  /** A gauge that is looked up at each scrape: quick, must not block. */
  public void gauge(String subsystem, String what, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name(subsystem, what))
        .help(help)
        .callback(callback -> callback.call(value.getAsDouble()))
        .register(registry);
  }

  /**
   * Durations in seconds, from 100 us to 10 s; {@code what} without {@code _seconds}, which is
   * appended.
   */
  public Histogram seconds(String subsystem, String what, String help, String... labels) {
    return histogram(subsystem, what + "_seconds", help, LATENCIES, labels);
  }

  /** With upper bounds of its own, rising. */
  public Histogram histogram(
      String subsystem, String what, String help, double[] upperBounds, String... labels) {
    return Histogram.builder()
        .name(name(subsystem, what))
        .help(help)
        .classicOnly()
        .classicUpperBounds(upperBounds)
        .labelNames(labels)
        .register(registry);
  }

  private static String name(String subsystem, String what) {
    var name = "fairlead_" + subsystem + "_" + what;
    if (!name.matches("[a-z][a-z0-9]*(_[a-z0-9]+)*") || name.endsWith("_total")) {
      throw new IllegalArgumentException("not the name of a metric: " + name);
    }
    return name;
  }

  /** The collectors themselves, for what the methods here do not cover. */
  public PrometheusRegistry registry() {
    return registry;
  }

  /** All metrics now, as a page of text, to be sent in UTF-8. */
  public record Page(String contentType, String text) {}

  /**
   * What a scrape gets.
   *
   * @param accept the request's header; the formats are OpenMetrics and Prometheus' text
   */
  public Page page(String accept) {
    // The protobuf format needs a module of its own, and wide Accept headers of Prometheus name it
    // first.
    var writer =
        accept.contains("application/openmetrics-text")
            ? formats.getOpenMetricsTextFormatWriter()
            : formats.getPrometheusTextFormatWriter();
    MetricSnapshots snapshots = registry.scrape();
    var out = new ByteArrayOutputStream();
    try {
      writer.write(out, snapshots);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array does not fail
    }
    return new Page(writer.getContentType(), out.toString(StandardCharsets.UTF_8));
  }
}
