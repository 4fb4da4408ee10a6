package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** How {@code fairlead env} writes variables. */
enum EnvFormat {
  /** {@code NAME=value}, as {@code env} prints them; nothing is quoted. */
  PLAIN,
  /** {@code export NAME='value'}, for {@code eval} in any POSIX shell. */
  SHELL,
  /**
   * For {@code docker run --env-file}, Compose's {@code env_file}, systemd's {@code
   * EnvironmentFile}. The first of these knows no quotes, so that only a value that the others
   * would misread has any.
   */
  DOTENV,
  /** One object, in the order of the variables. */
  JSON;

  /** POSIX.1-2024, 3.216 Name. */
  private static final Pattern SHELL_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private static final Pattern NO_LETTER = Pattern.compile("[^A-Za-z0-9_]");

  private static final Pattern UNQUOTED = Pattern.compile("[A-Za-z0-9_.:/@%+,\\[\\]-]+");

  /** As it is typed. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whole lines; none where there are no variables. */
  String text(SequencedMap<String, String> variables) {
    if (this == JSON) {
      return ManifestWriter.json(new LinkedHashMap<>(variables));
    }
    return variables.sequencedEntrySet().stream()
        .map(variable -> line(variable.getKey(), variable.getValue()) + "\n")
        .collect(Collectors.joining());
  }

  private String line(String name, String value) {
    return switch (this) {
      case PLAIN, JSON -> name + "=" + value;
      case SHELL -> {
        // Kubernetes gives containers also variables that begin with a digit, of a Service that is
        // named so; a shell that inherits them cannot name them, and to assign them is an error.
        // Nothing of what may end the line goes into the comment.
        yield SHELL_NAME.matcher(name).matches()
            ? "export " + name + "=" + quoted(value)
            : "# not a name in a shell: " + NO_LETTER.matcher(name).replaceAll("?");
      }
      case DOTENV -> name + "=" + (UNQUOTED.matcher(value).matches() ? value : quoted(value));
    };
  }

  /** Within single quotes a shell takes everything as it stands, but for the quote itself. */
  private static String quoted(String value) {
    return "'" + value.replace("'", "'\\''") + "'";
  }
}
