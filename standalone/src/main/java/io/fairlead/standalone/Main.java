package io.fairlead.standalone;

import java.util.List;

/** The {@code fairlead} command with what only this machine's own plane needs. */
public final class Main {
  private Main() {}

  /** Ends the process with the command's exit code. */
  public static void main(String[] args) {
    io.fairlead.cli.Main.run(args, List.of(UpCommand.class, DownCommand.class));
  }
}
