package io.fairlead.api;

import com.google.protobuf.Timestamp;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Times as messages. */
public final class Timestamps {
  private Timestamps() {}

  public static Timestamp proto(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  /** Of many. */
  public static SortedMap<String, Instant> model(Map<String, Timestamp> timestamps) {
    var times = new TreeMap<String, Instant>();
    timestamps.forEach((name, timestamp) -> times.put(name, model(timestamp)));
    return times;
  }

  /**
   * @throws IllegalArgumentException further away than times are
   */
  public static Instant model(Timestamp timestamp) {
    try {
      return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("not a time: " + timestamp.getSeconds() + " s", e);
    }
  }
}
