package io.fairlead.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead get}. */
@Command(
    name = "get",
    description =
        "Shows services (svc), pods (po), endpointslices (eps), nodes (no), namespaces (ns), servicecidrs, allocations (ip) or reservations (rsv), all of them or some by name; get all: pods and services.")
final class GetCommand implements Callable<Integer> {
  @ParentCommand private Fairlead fairlead;

  @Parameters(
      arity = "1..*",
      paramLabel = "TYPE[/NAME]",
      description = "TYPE [NAME...], TYPE,TYPE or TYPE/NAME...")
  private List<String> arguments;

  @Mixin private ShowOptions show;

  @Option(
      names = "--owner",
      paramLabel = "namespace[/name]",
      description = "Allocations only: those of a namespace's Services, or of one Service.")
  private @Nullable String owner;

  @Option(
      names = "--cidr",
      paramLabel = "block",
      description = "Allocations only: those in a block of addresses, e.g. 10.96.0.0/24.")
  private @Nullable String cidr;

  @Option(
      names = "--field-selector",
      paramLabel = "selector",
      defaultValue = "",
      description =
          "Only objects whose fields are so, e.g. spec.type=ClusterIP,spec.clusterIP!=None. Services: metadata.name, metadata.namespace, spec.clusterIP, spec.type; namespaces and servicecidrs: metadata.name.")
  private String fieldSelector;

  @Option(
      names = "--chunk-size",
      paramLabel = "number",
      defaultValue = "500",
      description =
          "How many services, namespaces or servicecidrs are asked for at once, all of one moment; 0: all (default 500).")
  private int chunk;

  @Option(
      names = "--freshness",
      paramLabel = "latest|local",
      defaultValue = "latest",
      description =
          "latest: all that was confirmed before (the default); local: what the answering replica knows, even where Kafka or etcd are away.")
  private Reading freshness;

  @Option(
      names = {"-w", "--watch"},
      description = "Goes on with what changes, until it is interrupted.")
  private boolean watch;

  @Override
  public Integer call() {
    var selections = narrowed(Selection.of(arguments));
    var names = selections.stream().flatMap(s -> s.names().stream()).toList();
    if (chunk < 0) {
      throw new UsageException("error: --chunk-size must not be negative");
    }
    if (!(show.selector().isEmpty() && fieldSelector.isEmpty()) && !names.isEmpty()) {
      throw new UsageException("error: name cannot be provided when a selector is specified");
    }
    if (show.allNamespaces()
        && selections.stream().anyMatch(s -> s.resource().isNamespaced() && !s.names().isEmpty())) {
      throw new UsageException(
          "error: a resource cannot be retrieved by name across all namespaces");
    }
    if (watch && selections.stream().map(Selection::resource).distinct().count() > 1) {
      throw new UsageException("error: you may only specify a single resource type");
    }
    if (watch && names.size() > 1) {
      throw new UsageException("error: only one resource may be watched by name");
    }
    try (var session = fairlead.session()) {
      var style = show.style(fairlead, selections);
      if (watch) {
        watch(session, selections.getFirst().resource(), names, style);
        return 0;
      }
      return show(session, selections, style);
    }
  }

  /** Allocations by owner and block. */
  private List<Selection> narrowed(List<Selection> selections) {
    if (owner == null && cidr == null) {
      return selections;
    }
    var narrow = new AllocationResource(Optional.ofNullable(owner), Optional.ofNullable(cidr));
    for (var selection : selections) {
      if (!selection.resource().plural().equals(narrow.plural()) || !selection.names().isEmpty()) {
        throw new UsageException("error: --owner and --cidr are for get allocations without names");
      }
    }
    return List.of(new Selection(narrow, List.of()));
  }

  private int show(Session session, List<Selection> selections, ObjectPrinter.Style style) {
    var printer = new ObjectPrinter(style, session.time()::now, fairlead.console());
    int code = 0;
    var empty = new ArrayList<Resource<?>>();
    for (var selection : selections) {
      switch (add(session, selection.resource(), selection.names(), printer)) {
        case SHOWN -> {}
        case NONE -> empty.add(selection.resource());
        case NOT_FOUND -> code = 1;
      }
    }
    if (empty.size() == selections.size()) {
      printer.sayNone(empty.getFirst());
    }
    printer.finish(ShowOptions.asked(selections));
    return code;
  }

  private enum Came {
    SHOWN,
    NONE,
    NOT_FOUND
  }

  private <T> Came add(
      Session session, Resource<T> resource, List<String> names, ObjectPrinter printer) {
    if (names.isEmpty()) {
      var namespace = show.allNamespaces() ? "" : fairlead.namespace();
      var listing =
          new Listing(namespace, show.selector(), fieldSelector, chunk, freshness.freshness());
      var objects = resource.list(session, listing);
      printer.add(resource, objects);
      return objects.isEmpty() ? Came.NONE : Came.SHOWN;
    }
    var came = Came.SHOWN;
    var objects = new ArrayList<T>();
    for (var name : names) {
      try {
        objects.add(resource.get(session, fairlead.namespace(), name, freshness.freshness()));
      } catch (CallFailedException e) {
        fairlead.console().err().println(e.words());
        came = Came.NOT_FOUND;
      }
    }
    printer.add(resource, objects);
    return came;
  }

  private <T> void watch(
      Session session, Resource<T> resource, List<String> names, ObjectPrinter.Style style) {
    for (var name : names) { // refused where there is none, as without watching
      resource.get(session, fairlead.namespace(), name, freshness.freshness());
    }
    var query =
        new Resource.Query(
            style.namespace(),
            show.selector(),
            fieldSelector,
            names.stream().findFirst(),
            freshness.freshness());
    var printer = new ObjectPrinter(style, session.time()::now, fairlead.console());
    var rows = new WatchedRows<>(resource, printer, fairlead.console());
    Interrupts.endingWell(fairlead.console(), () -> resource.watch(session, query, rows));
  }
}
