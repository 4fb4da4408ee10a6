package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable.Growing;
import io.fairlead.api.table.TextTable.Heads;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Prints objects as {@code -o} asks for: tables at once, trees together at the end. */
final class ObjectPrinter {
  /**
   * How.
   *
   * @param namespace that was asked for; empty text = all of them, which is a column then
   */
  record Style(OutputFormat output, Heads heads, Labels labels, Kinds kinds, String namespace) {}

  /** Whether labels are a column of their own. */
  enum Labels {
    SHOWN,
    HIDDEN
  }

  /** Whether objects of one kind only are shown; of several, names are told with their kinds. */
  enum Kinds {
    ONE,
    SEVERAL
  }

  private final Style style;
  private final Supplier<Instant> now;
  private final Console console;
  private final List<Map<String, Object>> trees = new ArrayList<>();
  private final Growing below = new Growing();
  private int tables;

  /**
   * @param now ages are told as of then
   */
  ObjectPrinter(Style style, Supplier<Instant> now, Console console) {
    this.style = style;
    this.now = now;
    this.console = console;
  }

  /** Shows some objects of one kind; of none, nothing. */
  <T> void add(Resource<T> resource, List<T> objects) {
    switch (style.output()) {
      case TABLE, WIDE -> {
        if (!objects.isEmpty()) {
          if (tables++ > 0) {
            console.out().println();
          }
          console.out().print(table(resource, objects, style.heads(), new Growing()));
        }
      }
      case NAME ->
          objects.forEach(o -> console.out().println(resource.title(resource.meta(o).getName())));
      case YAML, JSON -> objects.forEach(o -> trees.add(resource.tree(o)));
    }
  }

  /** Shows more objects of the one kind, below what was shown before. */
  <T> void addBelow(Resource<T> resource, List<T> objects) {
    switch (style.output()) {
      case TABLE, WIDE -> {
        var heads = tables++ > 0 ? Heads.HIDDEN : style.heads();
        console.out().print(table(resource, objects, heads, below));
      }
      case NAME -> add(resource, objects);
      case YAML ->
          objects.forEach(o -> {
            console.out().print(tables++ > 0 ? "---\n" : "");
            console.out().print(ManifestWriter.yaml(resource.tree(o)));
          });
      case JSON -> objects.forEach(o -> console.out().print(ManifestWriter.json(resource.tree(o))));
    }
  }

  private <T> String table(Resource<T> resource, List<T> objects, Heads heads, Growing growing) {
    var namespaces =
        style.namespace().isEmpty() && resource.isNamespaced()
            ? Namespaces.SHOWN
            : Namespaces.HIDDEN;
    var width = style.output() == OutputFormat.WIDE ? Width.WIDE : Width.NORMAL;
    var table = resource.table(objects, width, namespaces, now.get());
    if (style.labels() == Labels.SHOWN) {
      table =
          table.with(
              "LABELS",
              objects.stream()
                  .map(object -> Tables.pairs(resource.meta(object).getLabelsMap()))
                  .toList());
    }
    return growing.text(
        style.kinds() == Kinds.SEVERAL ? table.named(resource.title("")) : table, heads);
  }

  /** That there were none, in kubectl's words; only tables say so. */
  void sayNone(Resource<?> resource) {
    if (style.output() == OutputFormat.TABLE || style.output() == OutputFormat.WIDE) {
      console
          .err()
          .println(
              resource.isNamespaced() && !style.namespace().isEmpty()
                  ? "No resources found in " + style.namespace() + " namespace."
                  : "No resources found");
    }
  }

  /** Whether one object was asked for by its name, or all that there are. */
  enum Asked {
    ONE,
    LIST
  }

  /** Prints the trees. */
  void finish(Asked asked) {
    switch (style.output()) {
      case YAML -> tree(asked).ifPresent(t -> console.out().print(ManifestWriter.yaml(t)));
      case JSON -> tree(asked).ifPresent(t -> console.out().print(ManifestWriter.json(t)));
      case TABLE, WIDE, NAME -> {}
    }
  }

  private Optional<Map<String, Object>> tree(Asked asked) {
    return switch (asked) {
      case LIST -> Optional.of(ManifestWriter.list(trees));
      case ONE -> trees.stream().findFirst();
    };
  }
}
