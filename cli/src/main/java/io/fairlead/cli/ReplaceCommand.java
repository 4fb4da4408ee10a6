package io.fairlead.cli;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead replace -f}. */
@Command(
    name = "replace",
    description =
        "Makes services, endpointslices, namespaces and servicecidrs that exist what manifests say, as a whole; a manifest with metadata.resourceVersion only that version.")
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

  @Option(
      names = "--wait",
      paramLabel = "duration",
      arity = "0..1",
      fallbackValue = "30s",
      converter = Fairlead.Timeout.class,
      description =
          "Then waits until the kernel of every live node has it, at most that long (30s where no duration is given); else names the nodes that have not, and why, and ends with 1.")
  private @Nullable Duration wait;

  @Override
  public Integer call() {
    return Senders.sendFiles(
        files, new Senders.Replace(), dryRun, Optional.ofNullable(wait), fairlead);
  }
}
