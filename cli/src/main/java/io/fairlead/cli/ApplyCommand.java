package io.fairlead.cli;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead apply -f}. */
@Command(
    name = "apply",
    description =
        "Creates the services, pods, endpointslices, namespaces and servicecidrs of manifests, or changes what differs.")
final class ApplyCommand implements Callable<Integer> {
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
        files, new Senders.Apply(), dryRun, Optional.ofNullable(wait), fairlead);
  }
}
