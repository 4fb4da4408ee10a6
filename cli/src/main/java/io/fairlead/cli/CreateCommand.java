package io.fairlead.cli;

import io.fairlead.v1.Namespace;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead create -f}. */
@Command(
    name = "create",
    description =
        "Creates the services, endpointslices, namespaces and servicecidrs of manifests and refuses names that exist; or a namespace by its name.")
final class CreateCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "0..2",
      paramLabel = "namespace NAME",
      description = "A namespace, instead of manifests.")
  private List<String> arguments = List.of();

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "file",
      description = "File or directory; - for standard input. May be given several times.")
  private List<String> files = List.of();

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
    var console = fairlead.console();
    if (files.isEmpty() == arguments.isEmpty()) {
      throw new UsageException(
          "error: name what to create, either namespace NAME or manifests by -f");
    }
    if (files.isEmpty()) {
      var namespace = namespace();
      try (var session = fairlead.session()) {
        var result = new Senders.Create().namespace(session, namespace, dryRun);
        var title = "namespace/" + namespace.getMetadata().getName();
        console.out().println(Senders.said(title, result, dryRun));
        return 0; // a namespace alone is nothing to any kernel
      }
    }
    return Senders.sendFiles(
        files, new Senders.Create(), dryRun, Optional.ofNullable(wait), fairlead);
  }

  private Namespace namespace() {
    if (arguments.size() != 2 || !List.of("namespace", "ns").contains(arguments.getFirst())) {
      throw new UsageException(
          "error: only namespaces are created by name: fairlead create namespace NAME; others are by -f");
    }
    var namespace = Namespace.newBuilder();
    namespace.getMetadataBuilder().setName(arguments.getLast());
    return namespace.build();
  }
}
