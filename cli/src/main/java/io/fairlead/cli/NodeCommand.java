package io.fairlead.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead node}. */
@Command(
    name = "node",
    description = "Looks into a node's kernel: what it does with connections to Services, and why.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {NodeRulesCommand.class, NodeTraceCommand.class})
public final class NodeCommand {
  @ParentCommand private Fairlead fairlead;

  /** The command itself. */
  public Fairlead fairlead() {
    return fairlead;
  }
}
