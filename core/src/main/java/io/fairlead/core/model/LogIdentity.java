package io.fairlead.core.model;

import java.util.Optional;

/**
 * Which log this is: the ids Kafka gave the two topics when they were created. Text form {@code
 * <services id>.<pods id>}. Two logs with other identities have nothing to do with each other,
 * whatever their offsets say.
 */
public record LogIdentity(String servicesTopicId, String podsTopicId) {
  /** The inverse of {@link #toString}, or empty. */
  public static Optional<LogIdentity> parse(String text) {
    int dot = text.indexOf('.');
    return dot > 0 && dot < text.length() - 1 && text.indexOf('.', dot + 1) < 0
        ? Optional.of(new LogIdentity(text.substring(0, dot), text.substring(dot + 1)))
        : Optional.empty();
  }

  @Override
  public String toString() {
    return servicesTopicId + "." + podsTopicId;
  }
}
