package io.fairlead.api.manifest;

import io.fairlead.api.Nearest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A mapping of a manifest that is read field by field. What was asked for is known; {@link #done}
 * refuses the rest. A value that is null is absent, as in Kubernetes. Faults are noted, reading
 * goes on.
 */
final class YamlObject {
  private final MappingNode node;
  private final String path;
  private final Notes notes;
  private final Map<String, Node> values = new LinkedHashMap<>();
  private final Map<String, Node> keys = new LinkedHashMap<>();
  private final Set<String> known = new LinkedHashSet<>();

  private YamlObject(MappingNode node, String path, Notes notes) {
    this.node = node;
    this.path = path;
    this.notes = notes;
    for (var tuple : node.getValue()) {
      notes.visit();
      if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
        notes.fault(tuple.getKeyNode(), path, "Invalid value: names of fields must be text");
      } else if (keys.putIfAbsent(key.getValue(), key) != null) {
        notes.fault(key, field(key.getValue()), "Duplicate value: is given twice");
      } else {
        values.put(key.getValue(), tuple.getValueNode());
      }
    }
  }

  /** The mapping at this place; empty and noted where it is something else. */
  static Optional<YamlObject> of(Node node, String path, Notes notes) {
    notes.visit();
    if (node instanceof MappingNode mapping) {
      return Optional.of(new YamlObject(mapping, path, notes));
    }
    wrong(notes, node, path, "must be a mapping");
    return Optional.empty();
  }

  int line() {
    return Notes.line(node);
  }

  /** Of the value of a field; of the whole where it is absent. */
  int line(String name) {
    return Notes.line(values.getOrDefault(name, node));
  }

  /**
   * A text two levels down, without a word about anything that is wrong; "" where there is none.
   */
  String peek(String name, String below) {
    if (values.get(name) instanceof MappingNode mapping) {
      for (var tuple : mapping.getValue()) {
        if (tuple.getKeyNode() instanceof ScalarNode key
            && key.getValue().equals(below)
            && tuple.getValueNode() instanceof ScalarNode value) {
          return value.getValue();
        }
      }
    }
    return "";
  }

  String field(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private Optional<Node> value(String name) {
    known.add(name);
    return Optional.ofNullable(values.get(name)).filter(v -> !v.getTag().equals(Tag.NULL));
  }

  boolean has(String name) {
    return value(name).isPresent();
  }

  /** Notes that the value of this field is wrong. */
  void fault(String name, String message) {
    notes.fault(values.getOrDefault(name, node), field(name), message);
  }

  /** "" where it is absent. */
  String text(String name) {
    return value(name).map(v -> text(v, field(name))).orElse("");
  }

  private String text(Node value, String field) {
    notes.visit();
    if (value instanceof ScalarNode scalar) {
      if (scalar.getTag().equals(Tag.STR)) {
        return scalar.getValue();
      }
      notes.fault(
          value,
          field,
          "Invalid value: must be text: put it in quotes, \"" + scalar.getValue() + '"');
    } else {
      wrong(notes, value, field, "must be text");
    }
    return "";
  }

  /** A time or another text that readers of YAML may take for something else. */
  String anyScalar(String name) {
    return value(name)
        .map(v -> {
          if (v instanceof ScalarNode scalar) {
            return scalar.getValue();
          }
          wrong(notes, v, field(name), "must be text");
          return "";
        })
        .orElse("");
  }

  OptionalInt integer(String name) {
    var value = value(name);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (value.get() instanceof ScalarNode scalar && scalar.getTag().equals(Tag.INT)) {
      try {
        return OptionalInt.of(Integer.parseInt(scalar.getValue()));
      } catch (NumberFormatException _) {
        notes.fault(
            scalar,
            field(name),
            "Invalid value: " + scalar.getValue() + ": must be a whole number of 32 bits");
        return OptionalInt.empty();
      }
    }
    wrong(notes, value.get(), field(name), "must be a whole number");
    return OptionalInt.empty();
  }

  /** A number or a text, as text; "" where it is absent. */
  String integerOrText(String name) {
    var value = value(name);
    return value.isPresent()
            && value.get() instanceof ScalarNode scalar
            && scalar.getTag().equals(Tag.INT)
        ? scalar.getValue()
        : text(name);
  }

  /** False where it is absent. */
  boolean bool(String name) {
    var value = value(name);
    if (value.isEmpty()) {
      return false;
    }
    if (value.get() instanceof ScalarNode scalar && scalar.getTag().equals(Tag.BOOL)) {
      return Boolean.parseBoolean(scalar.getValue());
    }
    wrong(notes, value.get(), field(name), "must be true or false");
    return false;
  }

  /** Sorted; empty where it is absent. */
  Map<String, String> texts(String name) {
    var result = new TreeMap<String, String>();
    object(name)
        .ifPresent(mapping ->
            mapping.values.forEach((key, value) ->
                result.put(key, mapping.text(value, field(name) + "[" + key + "]"))));
    return result;
  }

  /** Empty where it is absent. */
  List<String> textList(String name) {
    var result = new ArrayList<String>();
    int i = 0;
    for (var element : nodes(name)) {
      result.add(text(element, field(name) + "[" + i++ + "]"));
    }
    return result;
  }

  Optional<YamlObject> object(String name) {
    return value(name).flatMap(v -> of(v, field(name), notes));
  }

  /** Empty where it is absent; elements that are no mappings are noted and left out. */
  List<YamlObject> objects(String name) {
    var result = new ArrayList<YamlObject>();
    int i = 0;
    for (var element : nodes(name)) {
      of(element, field(name) + "[" + i++ + "]", notes).ifPresent(result::add);
    }
    return result;
  }

  /** The elements of a list as they are; empty where it is absent. */
  List<Node> nodes(String name) {
    var value = value(name);
    if (value.isEmpty()) {
      return List.of();
    }
    if (value.get() instanceof SequenceNode sequence) {
      return sequence.getValue();
    }
    wrong(notes, value.get(), field(name), "must be a list");
    return List.of();
  }

  /** Fields that Kubernetes knows and that mean nothing here. */
  void ignore(Set<String> names) {
    for (var name : names) {
      value(name).ifPresent(v -> notes.ignored(v, field(name)));
    }
  }

  /** A field that is taken, but does not do all that Kubernetes does with it. */
  void warn(String name, String message) {
    value(name).ifPresent(v -> notes.warning(v, field(name), message));
  }

  /** Fields that Kubernetes knows and that would mislead if they were passed over. */
  void forbid(Set<String> names, String message) {
    for (var name : names) {
      value(name).ifPresent(v -> notes.fault(v, field(name), "Forbidden: " + message));
    }
  }

  /** As {@link #ignore}, for what only servers set: it comes with whatever was printed by one. */
  void ignoreSilently(Set<String> names) {
    known.addAll(names);
  }

  /** Notes every field that nobody asked for. */
  void done() {
    keys.forEach((name, key) -> {
      if (!known.contains(name)) {
        notes.fault(
            key,
            field(name),
            "unknown field"
                + Nearest.to(name, known).map(n -> "; did you mean " + n + "?").orElse(""));
      }
    });
  }

  /** Of another type than the field has. */
  private static void wrong(Notes notes, Node node, String field, String rule) {
    notes.fault(
        node,
        field,
        "Invalid value: "
            + switch (node) {
              case ScalarNode scalar -> {
                var value = scalar.getValue();
                yield '"'
                    + (value.length() > 40 ? value.substring(0, 40) + "…" : value)
                    + "\": "
                    + rule;
              }
              case SequenceNode _ -> rule + ", not a list";
              default -> rule + ", not a mapping";
            });
  }
}
