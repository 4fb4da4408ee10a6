package io.fairlead.core.record;

/** The log may hold records that this version does not understand. */
public final class UnsupportedFeatureLevelException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public UnsupportedFeatureLevelException(int level, int supported) {
    super(
        "the log has feature level %d, and this version of fairlead supports up to %d: it was raised for newer versions, so run one of those"
            .formatted(level, supported));
  }
}
