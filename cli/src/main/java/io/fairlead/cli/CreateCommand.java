package io.fairlead.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead create -f}. */
@Command(
    name = "create",
    description = "Creates the Services of manifests; refuses names that exist.")
final class CreateCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Option(
      names = {"-f", "--filename"},
      required = true,
      paramLabel = "file",
      description = "File or directory; - for standard input. May be given several times.")
  private List<String> files;

  @Option(
      names = "--dry-run",
      paramLabel = "none|server",
      defaultValue = "none",
      description = "server: says what would be done.")
  private Senders.DryRun dryRun;

  @Override
  public Integer call() {
    var console = fairlead.console();
    var items = ManifestFiles.read(files, console, fairlead.givenNamespace(), fairlead.namespace());
    try (var session = fairlead.session()) {
      return Senders.send(items, new Senders.Create(), dryRun, session, console);
    }
  }
}
