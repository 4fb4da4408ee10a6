package io.fairlead.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead log}. */
@Command(
    name = "log",
    description = "Looks at the log that every replica follows.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      LogTailCommand.class,
      LogStatusCommand.class,
      LogExportCommand.class,
      LogVerifyCommand.class
    })
final class LogCommand {
  @ParentCommand private Fairlead fairlead;

  Fairlead fairlead() {
    return fairlead;
  }
}
