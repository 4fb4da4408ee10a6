package io.fairlead.eventlog.codec;

/**
 * A record of the log that this version cannot read, or that nobody of ours wrote. The message says
 * what is wrong with it.
 */
public final class UnreadableRecordException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public UnreadableRecordException(String message) {
    super(message);
  }

  public UnreadableRecordException(String message, Throwable cause) {
    super(message, cause);
  }
}
