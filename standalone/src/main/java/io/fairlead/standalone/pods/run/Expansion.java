package io.fairlead.standalone.pods.run;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * References to variables in commands and variables, as in Kubernetes: {@code $(NAME)} is the value
 * of NAME, or stays where there is none; {@code $$} is a dollar sign. Pure.
 */
final class Expansion {
  private final Map<String, String> given;
  private final Map<String, String> asked;
  private final SortedMap<String, String> values = new TreeMap<>();
  private final Set<String> underWay = new HashSet<>();

  private Expansion(Map<String, String> given, Map<String, String> asked) {
    this.given = given;
    this.asked = asked;
  }

  /**
   * All variables of a container. A variable may refer to each other one (in Kubernetes only to
   * those before it in the manifest, whose order is not kept here); in a circle, the reference that
   * closes it stays as it is.
   *
   * @param given without references; those of {@code asked} win over them
   * @param asked with references
   */
  static SortedMap<String, String> variables(Map<String, String> given, Map<String, String> asked) {
    var expansion = new Expansion(given, asked);
    expansion.values.putAll(given);
    asked.keySet().forEach(expansion::value);
    return expansion.values;
  }

  /** Words of a command. */
  static List<String> words(List<String> words, Map<String, String> variables) {
    var expansion = new Expansion(variables, Map.of());
    return words.stream().map(expansion::expand).toList();
  }

  /** The value of a variable, or the reference itself where it has none. */
  private String value(String name) {
    var reference = "$(" + name + ")";
    var text = asked.get(name);
    if (text == null) {
      return given.getOrDefault(name, reference);
    }
    if (!underWay.add(name)) {
      // one that refers to itself adds to what was given under its name, such as PATH
      return given.getOrDefault(name, reference);
    }
    var value = expand(text);
    underWay.remove(name);
    values.put(name, value);
    return value;
  }

  private String expand(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '$' || i + 1 == text.length()) {
        out.append(c);
        continue;
      }
      char next = text.charAt(i + 1);
      int end = next == '(' ? text.indexOf(')', i + 2) : -1;
      if (end >= 0) {
        out.append(value(text.substring(i + 2, end)));
        i = end;
      } else if (next == '$') {
        out.append('$');
        i++;
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
