package io.fairlead.cli;

/**
 * The arguments make no sense, whatever the server would say. Exit code 2; the message is followed
 * by one line of usage.
 */
public final class UsageException extends CliException {
  private static final long serialVersionUID = 1;

  public UsageException(String message) {
    super(message);
  }
}
