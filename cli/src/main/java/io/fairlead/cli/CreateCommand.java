package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestObject;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.v1.Namespace;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead create -f}. */
@Command(
    name = "create",
    description =
        "Creates the services, namespaces and servicecidrs of manifests and refuses names that exist; or a namespace by its name.")
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

  @Override
  public Integer call() {
    var console = fairlead.console();
    if (files.isEmpty() == arguments.isEmpty()) {
      throw new CliException(
          "error: name what to create, either namespace NAME or manifests by -f");
    }
    var items =
        files.isEmpty()
            ? List.of(namespace())
            : ManifestFiles.read(files, console, fairlead.givenNamespace(), fairlead.namespace());
    try (var session = fairlead.session()) {
      return Senders.send(items, new Senders.Create(), dryRun, session, console);
    }
  }

  private Manifests.Item namespace() {
    if (arguments.size() != 2 || !List.of("namespace", "ns").contains(arguments.getFirst())) {
      throw new CliException(
          "error: only namespaces are created by name: fairlead create namespace NAME; others are by -f");
    }
    var namespace = Namespace.newBuilder();
    namespace.getMetadataBuilder().setName(arguments.getLast());
    return new Manifests.Item(new ManifestObject.OfNamespace(namespace.build()), "command line", 1);
  }
}
