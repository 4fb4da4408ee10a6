package io.fairlead.core.decide;

import java.util.OptionalLong;
import java.util.random.RandomGenerator;

/** The rules for {@code metadata}. */
final class MetaRules {
  /**
   * No vowels and nothing that looks alike, so that no words appear; as Kubernetes chooses them.
   */
  private static final String SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";

  private static final int SUFFIX_LENGTH = 5;

  private MetaRules() {}

  static void checkNamespace(Violations violations, String namespace) {
    Names.checkLabel(violations, "metadata.namespace", namespace);
  }

  /** A name of RFC 1123 label form, which may be missing where one can be generated. */
  static void checkName(Violations violations, String name, String generateName) {
    if (!name.isEmpty()) {
      Names.checkLabel(violations, "metadata.name", name);
    } else if (generateName.isEmpty()) {
      violations.required("metadata.name", "a name is needed, or metadata.generateName");
    } else {
      // the generated name ends with letters or digits, so that a '-' at the end of the prefix is
      // fine
      var prefix = cut(generateName);
      var probe = new Violations();
      Names.checkLabel(probe, "metadata.generateName", prefix + "x");
      if (!probe.isEmpty()) {
        violations.invalid(
            "metadata.generateName",
            generateName,
            "must consist of lower case letters, digits and '-', and begin with a letter or digit");
      }
    }
  }

  /** A name that begins with that prefix; long prefixes are cut. */
  static String generate(String prefix, RandomGenerator random) {
    var name = new StringBuilder(cut(prefix));
    for (int i = 0; i < SUFFIX_LENGTH; i++) {
      name.append(SUFFIX_LETTERS.charAt(random.nextInt(SUFFIX_LETTERS.length())));
    }
    return name.toString();
  }

  private static String cut(String prefix) {
    int longest = Names.LABEL_LENGTH - SUFFIX_LENGTH;
    return prefix.length() > longest ? prefix.substring(0, longest) : prefix;
  }

  /**
   * The version a caller expects; empty where it expects none, or, with a violation, what can be no
   * version.
   */
  static OptionalLong version(Violations violations, String text) {
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!text.matches("0|[1-9][0-9]{0,17}")) {
      violations.invalid(
          "metadata.resourceVersion", text, "is not a version that this API gave out");
      return OptionalLong.empty();
    }
    return OptionalLong.of(Long.parseLong(text));
  }
}
