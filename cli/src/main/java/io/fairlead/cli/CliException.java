package io.fairlead.cli;

/** The command cannot be done; the message is what the user sees, whole. Exit code 1. */
public class CliException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public CliException(String message) {
    super(message);
  }

  final String words() {
    return String.valueOf(getMessage());
  }
}
