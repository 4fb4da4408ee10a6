package io.fairlead.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead replace -f}. */
@Command(
    name = "replace",
    description =
        "Makes services, namespaces and servicecidrs that exist what manifests say, as a whole; a manifest with metadata.resourceVersion only that version.")
final class ReplaceCommand implements Callable<Integer> {
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
    return Senders.sendFiles(files, new Senders.Replace(), dryRun, fairlead);
  }
}
