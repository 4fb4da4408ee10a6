package io.fairlead.cli;

import io.fairlead.api.table.TextTable.Heads;
import java.util.List;
import picocli.CommandLine.Option;

/** How objects are chosen and shown, by {@code get} and {@code replay}. */
final class ShowOptions {
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

  @Option(names = "--show-labels", description = "A table with the labels as its last column.")
  private boolean showLabels;

  /** "" = all. */
  String selector() {
    return selector;
  }

  boolean allNamespaces() {
    return allNamespaces;
  }

  ObjectPrinter.Style style(Fairlead fairlead, List<Selection> selections) {
    return new ObjectPrinter.Style(
        output,
        noHeaders ? Heads.HIDDEN : Heads.SHOWN,
        showLabels ? ObjectPrinter.Labels.SHOWN : ObjectPrinter.Labels.HIDDEN,
        selections.stream().map(Selection::resource).distinct().count() > 1
            ? ObjectPrinter.Kinds.SEVERAL
            : ObjectPrinter.Kinds.ONE,
        allNamespaces ? "" : fairlead.namespace());
  }

  /** One name of one kind is asked for as one object. */
  static ObjectPrinter.Asked asked(List<Selection> selections) {
    return selections.size() == 1 && selections.getFirst().names().size() == 1
        ? ObjectPrinter.Asked.ONE
        : ObjectPrinter.Asked.LIST;
  }
}
