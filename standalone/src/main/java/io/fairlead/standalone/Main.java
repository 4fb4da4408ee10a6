package io.fairlead.standalone;

import java.util.List;

/** The {@code fairlead} command with what only this machine's own plane needs. */
public final class Main {
  /** What this module adds to the command. */
  static final List<Class<?>> VERBS =
      List.of(
          UpCommand.class,
          DownCommand.class,
          NodeCheckCommand.class,
          ScriptCommand.TestVerb.class,
          ScriptCommand.BenchVerb.class);

  private Main() {}

  /** Ends the process with the command's exit code. */
  public static void main(String[] args) {
    io.fairlead.cli.Main.run(args, VERBS);
  }
}
