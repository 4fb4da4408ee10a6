package io.fairlead.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code fairlead completion bash}. */
@Command(
    name = "completion",
    description = "Prints a completion script: source <(fairlead completion bash).")
final class CompletionCommand implements Callable<Integer> {
  /** Shells the script is for; it serves both. */
  enum Shell {
    BASH,
    ZSH
  }

  @ParentCommand private Fairlead fairlead;

  @Spec private CommandSpec spec;

  @Parameters(arity = "1", paramLabel = "bash|zsh", description = "The shell.")
  private Shell shell;

  @Override
  public Integer call() {
    if (shell == Shell.ZSH) {
      fairlead
          .console()
          .out()
          .println("autoload -Uz compinit bashcompinit && compinit && bashcompinit");
    }
    fairlead.console().out().print(AutoComplete.bash("fairlead", spec.root().commandLine()));
    return 0;
  }
}
