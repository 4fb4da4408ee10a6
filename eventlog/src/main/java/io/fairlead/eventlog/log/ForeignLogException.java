package io.fairlead.eventlog.log;

/**
 * The log is not the one it was, or is not laid out as configured. Nothing can be done but to stop
 * and tell.
 */
public final class ForeignLogException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public ForeignLogException(String message) {
    super(message);
  }
}
