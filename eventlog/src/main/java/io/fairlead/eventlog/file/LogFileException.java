package io.fairlead.eventlog.file;

import java.io.IOException;

/** What was read is not, or not wholly, a file that {@link LogFileWriter} wrote. */
public final class LogFileException extends IOException {
  private static final long serialVersionUID = 1;

  LogFileException(String message) {
    super(message);
  }
}
