package io.fairlead.eventlog.snapshot;

import java.io.IOException;

/** A snapshot that cannot be used; the message says why. */
final class SnapshotException extends IOException {
  private static final long serialVersionUID = 1;

  SnapshotException(String message) {
    super(message);
  }

  SnapshotException(String message, Throwable cause) {
    super(message, cause);
  }
}
