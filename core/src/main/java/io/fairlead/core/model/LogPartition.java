package io.fairlead.core.model;

import java.util.Comparator;
import java.util.Optional;

/**
 * One partition of the log; text form {@code s} for the only partition of services, {@code p7} for
 * pods.
 */
public record LogPartition(Topic topic, int index) implements Comparable<LogPartition> {
  public static final LogPartition SERVICES = new LogPartition(Topic.SERVICES, 0);

  /** The partition that holds the Nodes. */
  public static final LogPartition NODES = new LogPartition(Topic.PODS, 0);

  /** Of an index in text form. */
  private static final int MAX_DIGITS = 5;

  private static final Comparator<LogPartition> ORDER =
      Comparator.comparing(LogPartition::topic).thenComparingInt(LogPartition::index);

  public LogPartition {
    if (index < 0 || (topic == Topic.SERVICES && index != 0)) {
      throw new IllegalArgumentException("no partition " + index + " in " + topic.kafkaName());
    }
  }

  /** The inverse of {@link #toString}, or empty. */
  public static Optional<LogPartition> parse(String text) {
    if (text.equals(Topic.SERVICES.letter())) {
      return Optional.of(SERVICES);
    }
    if (!text.startsWith(Topic.PODS.letter())) {
      return Optional.empty();
    }
    long index = Decimal.parse(text, 1, text.length(), MAX_DIGITS);
    return index < 0 ? Optional.empty() : Optional.of(new LogPartition(Topic.PODS, (int) index));
  }

  @Override
  public int compareTo(LogPartition other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return topic == Topic.SERVICES ? topic.letter() : topic.letter() + index;
  }
}
