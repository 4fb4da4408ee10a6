package io.fairlead.bench;

import java.util.Locale;
import java.util.Optional;

/**
 * One measured number.
 *
 * @param name {@code <bench>.<what>.<statistic>[.<size>]}
 * @param unit one of ms, us, ns, s, B, MB, 1/s, ratio, count
 * @param samples how many measurements it sums up
 * @param goal where one is set
 */
public record Figure(String name, double value, String unit, long samples, Optional<Goal> goal) {
  /** What a number is to be. */
  public sealed interface Goal {
    record AtMost(double limit) implements Goal {}

    record AtLeast(double limit) implements Goal {}

    /** Whether a value is as it should be. */
    default boolean met(double value) {
      return switch (this) {
        case AtMost(double limit) -> value <= limit;
        case AtLeast(double limit) -> value >= limit;
      };
    }

    /** Such as {@code <= 50}. */
    default String text() {
      return switch (this) {
        case AtMost(double limit) -> "<= " + number(limit);
        case AtLeast(double limit) -> ">= " + number(limit);
      };
    }
  }

  /** Without a goal. */
  public Figure(String name, double value, String unit, long samples) {
    this(name, value, unit, samples, Optional.empty());
  }

  public Figure atMost(double limit) {
    return new Figure(name, value, unit, samples, Optional.of(new Goal.AtMost(limit)));
  }

  public Figure atLeast(double limit) {
    return new Figure(name, value, unit, samples, Optional.of(new Goal.AtLeast(limit)));
  }

  /** One JSON object on one line. */
  String json(String run, String machine) {
    return String.format(
        Locale.ROOT,
        "{\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\",\"samples\":%d%s,\"run\":\"%s\",\"machine\":\"%s\"}",
        name,
        rounded(),
        unit,
        samples,
        goal.map(
                wanted -> ",\"goal\":\"%s\",\"met\":%s".formatted(wanted.text(), wanted.met(value)))
            .orElse(""),
        run,
        machine);
  }

  /** One line of a table. */
  String row() {
    return String.format(
            Locale.ROOT,
            "%-40s %12s  %-6s %9d  %s",
            name,
            rounded(),
            unit,
            samples,
            goal.map(wanted -> wanted.text() + (wanted.met(value) ? "" : "  MISSED")).orElse(""))
        .stripTrailing();
  }

  /** Three significant digits are more than a shared machine can promise. */
  String rounded() {
    return number(value);
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, Math.abs(value) < 10 ? "%.2f" : "%.1f", value);
  }
}
