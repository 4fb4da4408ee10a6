package io.fairlead.cli;

import io.fairlead.v1.Freshness;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead describe}. */
@Command(name = "describe", description = "Shows all about services, pods or nodes.")
final class DescribeCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "1..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE [NAME...] or TYPE/NAME...")
  private List<String> arguments;

  @Override
  public Integer call() {
    var console = fairlead.console();
    int code = 0;
    var separator = "";
    try (var session = fairlead.session()) {
      for (var selection : Selection.of(arguments)) {
        for (var description : descriptions(session, selection.resource(), selection.names())) {
          switch (description) {
            case Shown(var text) -> {
              console.out().print(separator + text);
              separator = "\n\n";
            }
            case Missing(var words) -> {
              console.err().println(words);
              code = 1;
            }
          }
        }
      }
    }
    return code;
  }

  private sealed interface Description {}

  private record Shown(String text) implements Description {}

  private record Missing(String words) implements Description {}

  private <T> List<Description> descriptions(
      Session session, Resource<T> resource, List<String> names) {
    var namespace = fairlead.namespace();
    if (names.isEmpty()) {
      return resource.list(session, namespace, "", Freshness.LATEST).stream()
          .<Description>map(object -> new Shown(resource.describe(session, object)))
          .toList();
    }
    return names.stream()
        .<Description>map(name -> {
          try {
            var object = resource.get(session, namespace, name, Freshness.LATEST);
            return new Shown(resource.describe(session, object));
          } catch (CallFailedException e) {
            return new Missing(e.words());
          }
        })
        .toList();
  }
}
