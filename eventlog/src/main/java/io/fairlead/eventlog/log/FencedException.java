package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;

/**
 * Somebody opened a later appender for the partition. Nothing of the call that throws this is in
 * the log.
 */
public final class FencedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public FencedException(LogPartition partition, Throwable cause) {
    super("fenced from partition " + partition, cause);
  }
}
