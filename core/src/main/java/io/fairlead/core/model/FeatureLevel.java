package io.fairlead.core.model;

import java.util.UUID;

/**
 * Which kinds of records the log may hold: those of this level and of all below. Only ever raised,
 * by somebody who knows that every replica understands them. A log without it has level {@link
 * #FIRST}.
 */
public record FeatureLevel(int level, UUID uid) implements DomainObject {
  /** Of every log from its beginning. */
  public static final int FIRST = 1;

  /** There is one for all partitions, in that of the Services. */
  public static final ObjectKey KEY = ObjectKey.ofCluster(Kind.FEATURE_LEVEL, "log");

  public FeatureLevel {
    if (level < FIRST) {
      throw new IllegalArgumentException("feature level " + level);
    }
  }

  @Override
  public ObjectKey key() {
    return KEY;
  }
}
