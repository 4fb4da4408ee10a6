package io.fairlead.cli;

import io.fairlead.api.Reason;
import io.fairlead.api.manifest.ManifestObject.OfNamespace;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.ManifestObject.OfService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead delete}. */
@Command(
    name = "delete",
    description = "Deletes Services and Pods, by name or as manifests name them.")
final class DeleteCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "0..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE NAME... or TYPE/NAME...")
  private List<String> arguments = List.of();

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "file",
      description = "File or directory; - for standard input. May be given several times.")
  private List<String> files = List.of();

  @Option(names = "--ignore-not-found", description = "What is gone already is no error.")
  private boolean ignoreNotFound;

  @Option(
      names = "--grace-period",
      paramLabel = "seconds",
      description = "Pods only: how long one may be terminating. Without it, it is gone at once.")
  private @Nullable Integer graceSeconds;

  private record Target(Resource<?> resource, String namespace, String name) {}

  @Override
  public Integer call() {
    var console = fairlead.console();
    var targets = targets();
    if (graceSeconds != null && graceSeconds < 0) {
      throw new CliException("error: --grace-period must not be negative");
    }
    var how = new Resource.Deletion(Optional.ofNullable(graceSeconds).map(Duration::ofSeconds));
    int code = 0;
    try (var session = fairlead.session()) {
      for (var target : targets) {
        try {
          target.resource().delete(session, target.namespace(), target.name(), how);
          console.out().println(target.resource().title(target.name()) + " deleted");
        } catch (CallFailedException e) {
          if (!(ignoreNotFound && e.reason().equals(Optional.of(Reason.NOT_FOUND)))) {
            console.err().println(e.words());
            code = 1;
          }
        }
      }
    }
    return code;
  }

  private List<Target> targets() {
    if (files.isEmpty() == arguments.isEmpty()) {
      throw new CliException("error: name what to delete, either TYPE and NAME or by -f");
    }
    var targets = new ArrayList<Target>();
    if (!files.isEmpty()) {
      var console = fairlead.console();
      for (var item :
          ManifestFiles.read(files, console, fairlead.givenNamespace(), fairlead.namespace())) {
        switch (item.object()) {
          case OfService(var service) ->
              targets.add(
                  new Target(
                      new ServiceResource(),
                      service.getMetadata().getNamespace(),
                      service.getMetadata().getName()));
          case OfPod(var pod) ->
              targets.add(
                  new Target(
                      new PodResource(),
                      pod.getMetadata().getNamespace(),
                      pod.getMetadata().getName()));
          case OfNamespace _ ->
              console
                  .err()
                  .println(
                      "Warning: "
                          + item.object().title()
                          + " is left: it goes with its last object");
        }
      }
      return targets;
    }
    for (var selection : Selection.of(arguments)) {
      if (selection.names().isEmpty()) {
        throw new CliException(
            "error: resource(s) were provided, but no name was specified: "
                + selection.resource().plural());
      }
      selection
          .names()
          .forEach(
              name -> targets.add(new Target(selection.resource(), fairlead.namespace(), name)));
    }
    return targets;
  }
}
