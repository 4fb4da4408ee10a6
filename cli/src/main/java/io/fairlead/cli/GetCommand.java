package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.v1.Freshness;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead get}. */
@Command(
    name = "get",
    description = "Shows services (svc), pods (po) or nodes (no), all of them or some by name.")
final class GetCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "1..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE [NAME...], TYPE,TYPE or TYPE/NAME...")
  private List<String> arguments;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "wide|yaml|json|name",
      defaultValue = "table",
      description = "How it is shown; without it, a table.")
  private OutputFormat output;

  @Option(
      names = {"-l", "--selector"},
      paramLabel = "selector",
      defaultValue = "",
      description = "Only objects whose labels match, e.g. app=web,tier in (a,b).")
  private String selector;

  @Option(
      names = {"-A", "--all-namespaces"},
      description = "Of all namespaces.")
  private boolean allNamespaces;

  @Option(names = "--no-headers", description = "A table without its heads.")
  private boolean noHeaders;

  @Option(
      names = "--freshness",
      paramLabel = "latest|local",
      defaultValue = "latest",
      description =
          "latest: all that was confirmed before (the default); local: what the answering replica knows, even where Kafka or etcd are away.")
  private Freshness freshness;

  @Override
  public Integer call() {
    var selections = Selection.of(arguments);
    if (!selector.isEmpty() && selections.stream().anyMatch(s -> !s.names().isEmpty())) {
      throw new CliException("error: name cannot be provided when a selector is specified");
    }
    if (allNamespaces
        && selections.stream().anyMatch(s -> s.resource().isNamespaced() && !s.names().isEmpty())) {
      throw new CliException("error: a resource cannot be retrieved by name across all namespaces");
    }
    try (var session = fairlead.session()) {
      return new Answer(session).show(selections);
    }
  }

  /** What is shown, collected over all selections. */
  private final class Answer {
    private final Session session;
    private final Console console = fairlead.console();
    private final List<Map<String, Object>> trees = new ArrayList<>();
    private int tables;
    private int code;

    Answer(Session session) {
      this.session = session;
    }

    int show(List<Selection> selections) {
      selections.forEach(selection -> add(selection.resource(), selection.names()));
      var single = selections.size() == 1 && selections.getFirst().names().size() == 1;
      switch (output) {
        case YAML -> print(ManifestWriter::yaml, single);
        case JSON -> print(ManifestWriter::json, single);
        case TABLE, WIDE, NAME -> {}
      }
      return code;
    }

    private void print(
        java.util.function.Function<Map<String, Object>, String> form, boolean single) {
      if (!single) {
        console.out().print(form.apply(ManifestWriter.list(trees)));
      } else if (!trees.isEmpty()) {
        console.out().print(form.apply(trees.getFirst()));
      }
    }

    private <T> void add(Resource<T> resource, List<String> names) {
      var namespace = allNamespaces ? "" : fairlead.namespace();
      var objects = new ArrayList<T>();
      if (names.isEmpty()) {
        objects.addAll(resource.list(session, namespace, selector, freshness));
      }
      for (var name : names) {
        try {
          objects.add(resource.get(session, namespace, name, freshness));
        } catch (CallFailedException e) {
          console.err().println(e.words());
          code = 1;
        }
      }
      switch (output) {
        case TABLE -> table(resource, objects, Width.NORMAL, namespace);
        case WIDE -> table(resource, objects, Width.WIDE, namespace);
        case NAME ->
            objects.forEach(o -> console.out().println(resource.title(resource.meta(o).getName())));
        case YAML, JSON -> objects.forEach(o -> trees.add(resource.tree(o)));
      }
    }

    private <T> void table(Resource<T> resource, List<T> objects, Width width, String namespace) {
      if (objects.isEmpty()) {
        if (code == 0) {
          console
              .err()
              .println(
                  !resource.isNamespaced() || namespace.isEmpty()
                      ? "No resources found"
                      : "No resources found in " + namespace + " namespace.");
        }
        return;
      }
      if (tables++ > 0) {
        console.out().println();
      }
      var namespaces =
          allNamespaces && resource.isNamespaced() ? Namespaces.SHOWN : Namespaces.HIDDEN;
      console
          .out()
          .print(
              resource
                  .table(objects, width, namespaces, session.time().now())
                  .text(noHeaders ? Heads.HIDDEN : Heads.SHOWN));
    }
  }
}
