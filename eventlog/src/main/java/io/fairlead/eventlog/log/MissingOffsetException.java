package io.fairlead.eventlog.log;

/**
 * The log does not hold an offset that was to be read next: records were deleted, or lost by the
 * brokers. What was derived from the log can no longer be brought up to date from here.
 */
public final class MissingOffsetException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public MissingOffsetException(String message) {
    super(message);
  }
}
