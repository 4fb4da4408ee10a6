package io.fairlead.cli;

import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LabelSelector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead replay}: {@code get}, at a moment that was. */
@Command(
    name = "replay",
    description =
        "Shows what there was at a moment, as get does: the log is read again up to then.")
final class ReplayCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "0..*",
      paramLabel = "TYPE[/NAME]",
      description =
          "TYPE [NAME...], TYPE,TYPE or TYPE/NAME...; without it, services, pods and endpointslices")
  private List<String> arguments = List.of();

  @Option(
      names = "--at",
      required = true,
      paramLabel = "time|duration|position",
      description =
          "2026-11-01T12:00:00Z; 5m before now; or everything before a position that log tail shows, e.g. s:13 or s:13,p0:4 (of partitions that it does not name, what was there by then).")
  private String at;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "wide|yaml|json|name",
      defaultValue = "table",
      description = "How it is shown; without it, tables.")
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

  @Option(names = "--no-headers", description = "Tables without their heads.")
  private boolean noHeaders;

  @Override
  public Integer call() {
    var selections = Selection.of(arguments.isEmpty() ? List.of("svc,po,eps") : arguments);
    var wanted =
        switch (LabelSelector.parse(selector)) {
          case LabelSelector.Parsed.Valid(var valid) -> valid;
          case LabelSelector.Parsed.Invalid(var message) ->
              throw new CliException("error: --selector: " + message);
        };
    var console = fairlead.console();
    var moment = Rewind.Moment.parse(at, fairlead.time().now());
    Rewind.State state;
    try (var session = fairlead.session()) {
      state = Rewind.to(moment, session);
    }
    state
        .time()
        .ifPresent(
            time -> console.err().println("As of " + time + ", position " + state.position()));
    var kinds = selections.stream().map(Selection::resource).distinct().count();
    var style =
        new ObjectPrinter.Style(
            output,
            noHeaders ? Heads.HIDDEN : Heads.SHOWN,
            ObjectPrinter.Labels.HIDDEN,
            kinds > 1 ? ObjectPrinter.Kinds.SEVERAL : ObjectPrinter.Kinds.ONE,
            allNamespaces ? "" : fairlead.namespace());
    // ages as they were, or half a row would be of today
    var now =
        moment instanceof Rewind.Moment.At(var time)
            ? time
            : state.time().orElse(fairlead.time().now());
    var printer = new ObjectPrinter(style, () -> now, console);
    int code = 0;
    int shown = 0;
    for (var selection : selections) {
      for (var name : selection.names()) {
        if (!exists(selection.resource(), state.image(), name)) {
          console
              .err()
              .println(
                  "Error from replay (NotFound): %s \"%s\" not found"
                      .formatted(selection.resource().plural(), name));
          code = 1;
        }
      }
      shown += add(selection.resource(), selection.names(), state.image(), wanted, printer);
    }
    if (shown == 0 && code == 0) {
      printer.sayNone(selections.getFirst().resource());
    }
    printer.finish(
        selections.size() == 1 && selections.getFirst().names().size() == 1
            ? ObjectPrinter.Asked.ONE
            : ObjectPrinter.Asked.LIST);
    return code;
  }

  private <T> boolean exists(Resource<T> resource, ClusterImage image, String name) {
    return resource.of(image).stream().anyMatch(object -> isAt(resource, object, name));
  }

  private <T> boolean isAt(Resource<T> resource, T object, String name) {
    return resource.meta(object).getName().equals(name) && isInNamespace(resource, object);
  }

  private <T> boolean isInNamespace(Resource<T> resource, T object) {
    return allNamespaces
        || !resource.isNamespaced()
        || resource.meta(object).getNamespace().equals(fairlead.namespace());
  }

  private <T> int add(
      Resource<T> resource,
      List<String> names,
      ClusterImage image,
      LabelSelector wanted,
      ObjectPrinter printer) {
    var objects = new ArrayList<T>();
    for (var object : resource.of(image)) {
      if (isInNamespace(resource, object)
          && (names.isEmpty() || names.contains(resource.meta(object).getName()))
          && wanted.matches(resource.meta(object).getLabelsMap())) {
        objects.add(object);
      }
    }
    printer.add(resource, objects);
    return objects.size();
  }
}
