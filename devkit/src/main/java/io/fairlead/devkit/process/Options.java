package io.fairlead.devkit.process;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The options of a small main: {@code --name value}, repeatable. Immutable. */
public record Options(Map<String, List<String>> values) {
  public Options {
    values = Map.copyOf(values);
  }

  /**
   * Reads a command line.
   *
   * @param known names without the dashes
   * @throws IllegalArgumentException for a word that is no known option, or an option without a
   *     value
   */
  public static Options parse(List<String> arguments, Set<String> known) {
    var values = new LinkedHashMap<String, List<String>>();
    for (var i = 0; i < arguments.size(); i += 2) {
      var word = arguments.get(i);
      if (!word.startsWith("--") || !known.contains(word.substring(2))) {
        throw new IllegalArgumentException(
            "unknown option '%s'; known are %s"
                .formatted(word, known.stream().sorted().map(name -> "--" + name).toList()));
      }
      if (i + 1 == arguments.size()) {
        throw new IllegalArgumentException("option " + word + " needs a value");
      }
      values.computeIfAbsent(word.substring(2), _ -> new ArrayList<>()).add(arguments.get(i + 1));
    }
    values.replaceAll((_, list) -> List.copyOf(list));
    return new Options(values);
  }

  /** All values of an option in the order given, empty when it was not given. */
  public List<String> all(String name) {
    return values.getOrDefault(name, List.of());
  }

  /**
   * The only value of an option, empty when it was not given.
   *
   * @throws IllegalArgumentException when it was given twice
   */
  public Optional<String> one(String name) {
    var all = all(name);
    if (all.size() > 1) {
      throw new IllegalArgumentException("option --" + name + " was given more than once");
    }
    return all.stream().findFirst();
  }

  /**
   * The only value of an option.
   *
   * @throws IllegalArgumentException when it is missing
   */
  public String required(String name) {
    return one(name)
        .orElseThrow(() -> new IllegalArgumentException("option --" + name + " is missing"));
  }

  /**
   * The port that an option's value means.
   *
   * @throws IllegalArgumentException when it is not a port number
   */
  public static int port(String name, String text) {
    try {
      var port = Integer.parseInt(text);
      if (port >= 1 && port <= 65535) {
        return port;
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw new IllegalArgumentException(
        "option --" + name + ": '" + text + "' is no port; allowed are 1 to 65535");
  }
}
