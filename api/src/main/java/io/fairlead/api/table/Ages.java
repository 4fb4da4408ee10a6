package io.fairlead.api.table;

import com.google.protobuf.Timestamp;
import io.fairlead.v1.ObjectMeta;
import java.time.Duration;
import java.time.Instant;

/**
 * How long ago something was, the way kubectl shortens it: {@code 45s}, {@code 5m12s}, {@code 3h},
 * {@code 2d4h}.
 */
final class Ages {
  private Ages() {}

  /** Since it was created; {@code <unknown>} for what has no record of its own. */
  static String of(ObjectMeta meta, Instant now) {
    return meta.hasCreationTimestamp() ? since(meta.getCreationTimestamp(), now) : "<unknown>";
  }

  static String since(Timestamp time, Instant now) {
    return text(Duration.between(Instant.ofEpochSecond(time.getSeconds()), now));
  }

  /** {@code in 45s}; {@code over} for what has passed. */
  static String until(Timestamp time, Instant now) {
    var left = Duration.between(now, Instant.ofEpochSecond(time.getSeconds()));
    return left.isNegative() ? "over" : "in " + text(left);
  }

  static String text(Duration age) {
    long seconds = age.toSeconds();
    if (seconds < 0) {
      return "0s"; // clocks of two machines
    }
    if (seconds < 120) {
      return seconds + "s";
    }
    long minutes = seconds / 60;
    if (minutes < 10) {
      return two(minutes, "m", seconds % 60, "s");
    }
    if (minutes < 180) {
      return minutes + "m";
    }
    long hours = minutes / 60;
    if (hours < 8) {
      return two(hours, "h", minutes % 60, "m");
    }
    if (hours < 48) {
      return hours + "h";
    }
    long days = hours / 24;
    if (days < 8) {
      return two(days, "d", hours % 24, "h");
    }
    if (days < 2 * 365) {
      return days + "d";
    }
    long years = days / 365;
    return years < 8 ? two(years, "y", days % 365, "d") : years + "y";
  }

  private static String two(long most, String unit, long rest, String restUnit) {
    return rest == 0 ? most + unit : most + unit + rest + restUnit;
  }
}
