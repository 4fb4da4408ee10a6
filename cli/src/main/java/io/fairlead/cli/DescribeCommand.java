package io.fairlead.cli;

import io.fairlead.v1.Freshness;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead describe}. */
@Command(
    name = "describe",
    description =
        "Shows all about services, pods, endpointslices, nodes, namespaces, servicecidrs or allocations.")
final class DescribeCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "1..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE [NAME...] or TYPE/NAME...")
  private List<String> arguments;

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "selector",
      defaultValue = "",
      description = "Only objects whose labels match, e.g. app=web,tier in (a,b).")
  private String selector;

  @Override
  public Integer call() {
    var console = fairlead.console();
    int code = 0;
    var separator = "";
    var selections = Selection.of(arguments);
    if (!selector.isEmpty() && selections.stream().anyMatch(s -> !s.names().isEmpty())) {
      throw new UsageException("error: name cannot be provided when a selector is specified");
    }
    try (var session = fairlead.session()) {
      for (var selection : selections) {
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
    if (separator.isEmpty() && code == 0) {
      console
          .err()
          .println(
              selections.getFirst().resource().isNamespaced()
                  ? "No resources found in " + fairlead.namespace() + " namespace."
                  : "No resources found");
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
      return resource.list(session, namespace, selector, Freshness.LATEST).stream()
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
