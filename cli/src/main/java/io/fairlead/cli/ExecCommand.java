package io.fairlead.cli;

import io.fairlead.v1.ExecStart;
import io.fairlead.v1.PodRuntimeGrpc;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code fairlead exec}. */
@Command(
    name = "exec",
    description = "Runs a program in a container of a pod; ends with its exit code.",
    exitCodeList = {
      "N:the program's",
      "1:also refused, not found or unreachable",
      "2:also wrong usage, nothing was done"
    })
final class ExecCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;
  @Spec private CommandSpec spec;
  @Mixin private PodProcess process;

  @Parameters(
      index = "1..*",
      paramLabel = "-- COMMAND",
      description = "After two dashes: the program and its arguments.")
  private List<String> command = List.of();

  @Option(
      names = {"-i", "--stdin"},
      description = "Hands standard input on.")
  private boolean stdin;

  @Option(
      names = {"-t", "--tty"},
      description = "Without effect: there are no terminals.")
  private boolean tty;

  @Override
  public Integer call() throws Exception {
    if (command.isEmpty()) {
      throw new UsageException("error: you must specify at least one command for the container");
    }
    if (!spec.commandLine().getParseResult().originalArgs().contains("--")) {
      throw new UsageException(
          "error: exec POD COMMAND is not supported. Use exec POD -- COMMAND instead");
    }
    if (tty) {
      fairlead.console().err().println("Unable to use a TTY - terminals are not supported");
    }
    return process.connect(
        fairlead,
        "exec",
        (channel, target) -> {
          var start =
              ExecStart.newBuilder()
                  .setNamespace(target.namespace())
                  .setPod(target.pod())
                  .setContainer(target.container())
                  .addAllCommand(command)
                  .setStdin(stdin)
                  .build();
          var call = new ExecCall(fairlead.console(), start);
          var _ = PodRuntimeGrpc.newStub(channel).exec(call);
          return call.run();
        });
  }
}
