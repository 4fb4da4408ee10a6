package io.fairlead.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code fairlead help get}. */
@Command(name = "help", description = "Shows the help of a command, as COMMAND --help does.")
final class HelpCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "COMMAND", description = "The command; without it, help of all of them.")
  private List<String> words = List.of();

  @Override
  public Integer call() {
    var command = spec.root().commandLine();
    for (var word : words) {
      var next = command.getSubcommands().get(word);
      if (next == null) {
        throw new UsageException(
            "error: %s has no command \"%s\""
                .formatted(command.getCommandSpec().qualifiedName(), word));
      }
      command = next;
    }
    command.usage(fairlead.console().out());
    return 0;
  }
}
