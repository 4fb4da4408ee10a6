package io.fairlead.bench;

import java.util.Locale;

/**
 * One measured number.
 *
 * @param name {@code <bench>.<what>.<statistic>[.<size>]}
 * @param unit one of ms, us, s, B, MB, 1/s, ratio, count
 * @param samples how many measurements it sums up
 */
public record Figure(String name, double value, String unit, long samples) {
  /** One JSON object on one line. */
  String json(String run, String machine) {
    return String.format(
        Locale.ROOT,
        "{\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\",\"samples\":%d,\"run\":\"%s\",\"machine\":\"%s\"}",
        name,
        rounded(),
        unit,
        samples,
        run,
        machine);
  }

  /** Three significant digits are more than a shared machine can promise. */
  String rounded() {
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, Math.abs(value) < 10 ? "%.2f" : "%.1f", value);
  }
}
