package io.fairlead.runtime;

import io.fairlead.api.Nearest;
import io.fairlead.runtime.ConfigValues.Given;
import io.fairlead.runtime.ConfigValues.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The options of one process. The command line beats the environment, which beats the defaults.
 * Whatever the process does not know is refused, since a misspelt option that is silently ignored
 * is found on the day it is needed.
 *
 * @param process its name, as it is started
 * @param purpose what it does, one sentence
 */
public record ConfigSchema(String process, String purpose, List<Option<?>> options) {
  /** Variables of those who start processes, which they pass over. */
  private static final Set<String> LAUNCHER_VARIABLES =
      Set.of(
          "FAIRLEAD_HOME",
          "FAIRLEAD_INSTANCE",
          "FAIRLEAD_JAVA",
          "FAIRLEAD_JAVA_OPTS",
          "FAIRLEAD_LIB",
          "FAIRLEAD_MVN_OPTS");

  private static final String PREFIX = "FAIRLEAD_";

  public ConfigSchema {
    options = List.copyOf(options);
    var names = new LinkedHashMap<String, Option<?>>();
    for (var option : options) {
      if (!option.name().matches("[a-z][a-z0-9]*(-[a-z0-9]+)*")
          || names.put(option.name(), option) != null) {
        throw new IllegalArgumentException("option --" + option.name() + " is malformed or twice");
      }
    }
  }

  /** What came of a command line and an environment. */
  public sealed interface Parsed {}

  public record Complete(ConfigValues values) implements Parsed {}

  /** {@code --help} or {@code --version} was given; what to print. */
  public record Informative(String text) implements Parsed {}

  /** All that is wrong, one sentence each. */
  public record Faulty(List<String> faults) implements Parsed {}

  /** Reads secrets' files; nothing else of the outside. */
  public Parsed parse(String[] args, Map<String, String> environment) {
    var faults = new ArrayList<String>();
    var onCommandLine = new LinkedHashMap<String, String>();
    for (int i = 0; i < args.length; i++) {
      var arg = args[i];
      if (arg.equals("--help") || arg.equals("-h")) {
        return new Informative(help());
      }
      if (arg.equals("--version")) {
        return new Informative(process + " " + BuildInfo.version() + "\n");
      }
      if (!arg.startsWith("--") || arg.length() == 2) {
        faults.add("\"" + arg + "\" is not an option: options begin with --");
        continue;
      }
      int equals = arg.indexOf('=');
      var name = equals < 0 ? arg.substring(2) : arg.substring(2, equals);
      var option = optionOrFile(name);
      if (option.isEmpty()) {
        faults.add("unknown option --" + name + nearest(name, optionNames(), "--"));
        if (equals < 0 && i + 1 < args.length && !args[i + 1].startsWith("--")) {
          i++; // most likely its value
        }
        continue;
      }
      String text;
      if (equals >= 0) {
        text = arg.substring(equals + 1);
      } else if (option.get().type().isFlag()) {
        text = "true";
      } else if (i + 1 < args.length) {
        text = args[++i];
      } else {
        faults.add("--" + name + " needs a value: " + option.get().type().form());
        continue;
      }
      if (onCommandLine.putIfAbsent(name, text) != null) {
        faults.add("--" + name + " is given twice");
      }
    }
    unknownVariables(environment, faults);
    var byName = new LinkedHashMap<String, Given>();
    for (var option : options) {
      byName.put(option.name(), given(option, onCommandLine, environment, faults));
    }
    return faults.isEmpty() ? new Complete(new ConfigValues(byName)) : new Faulty(faults);
  }

  /**
   * For {@code main}: the values; or prints help and ends the process with 0, or prints every fault
   * and ends it with 2. Sets logging up where the schema has {@link CommonOptions#LOG_FORMAT}.
   */
  public ConfigValues load(String[] args, Map<String, String> environment) {
    return switch (parse(args, environment)) {
      case Complete(var values) -> {
        if (options.contains(CommonOptions.LOG_FORMAT)) {
          Logging.configure(
              values.get(CommonOptions.LOG_FORMAT), values.get(CommonOptions.LOG_LEVEL));
        }
        yield values;
      }
      case Informative(var text) -> {
        System.out.print(text);
        System.exit(0);
        throw new AssertionError("exit");
      }
      case Faulty(var faults) -> {
        throw refuse(faults);
      }
    };
  }

  /**
   * For what can only be checked across options: prints the faults as {@link #load} does, and ends
   * the process with 2.
   */
  public RuntimeException refuse(List<String> faults) {
    faults.forEach(fault -> System.err.println(process + ": " + fault));
    System.err.println("Try " + process + " --help");
    System.exit(2);
    return new IllegalStateException("exit");
  }

  private <T> Given given(
      Option<T> option,
      Map<String, String> onCommandLine,
      Map<String, String> environment,
      List<String> faults) {
    var label = "--" + option.name();
    Source source = Source.NOWHERE;
    var text = onCommandLine.get(option.name());
    if (text != null) {
      source = Source.COMMAND_LINE;
    } else {
      text = environment.get(option.variable());
      if (text != null) {
        source = Source.ENVIRONMENT;
        label = option.variable();
      }
    }
    if (option.secrecy() == Option.Secrecy.SECRET) {
      var file = onCommandLine.get(option.name() + "-file");
      var fileLabel = "--" + option.name() + "-file";
      if (file == null && source != Source.COMMAND_LINE) {
        file = environment.get(option.variable() + "_FILE");
        fileLabel = option.variable() + "_FILE";
      }
      if (file != null && text != null) {
        faults.add(label + " and " + fileLabel + " are both given");
      } else if (file != null) {
        source = Source.FILE;
        label = fileLabel;
        try {
          text = Files.readString(Path.of(file)).strip();
        } catch (IOException | InvalidPathException e) {
          faults.add(fileLabel + ": cannot read \"" + file + "\": " + e.getMessage());
          return new Given(option, Source.FILE, "", Optional.empty());
        }
      }
    }
    if (text == null && option.fallback().isPresent()) {
      source = Source.DEFAULT;
      text = option.fallback().get().get();
    }
    if (text == null) {
      if (option.presence() == Option.Presence.REQUIRED) {
        faults.add(
            label + " is required: " + option.type().form() + " (or " + option.variable() + ")");
      }
      return new Given(option, Source.NOWHERE, "", Optional.empty());
    }
    switch (option.type().check().apply(text)) {
      case OptionType.Good<T>(var value) -> {
        return new Given(option, source, text, Optional.of((Object) value));
      }
      case OptionType.Bad<T>(var words) -> {
        faults.add(
            label
                + ": "
                + switch (option.secrecy()) {
                  case PUBLIC -> words;
                  case SECRET -> "the secret is not " + option.type().form();
                });
        return new Given(option, source, "", Optional.empty());
      }
    }
  }

  private void unknownVariables(Map<String, String> environment, List<String> faults) {
    var known = new ArrayList<String>();
    for (var option : options) {
      known.add(option.variable());
      if (option.secrecy() == Option.Secrecy.SECRET) {
        known.add(option.variable() + "_FILE");
      }
    }
    for (var name : new TreeMap<>(environment).keySet()) {
      if (name.startsWith(PREFIX) && !known.contains(name) && !LAUNCHER_VARIABLES.contains(name)) {
        faults.add("unknown environment variable " + name + nearest(name, known, ""));
      }
    }
  }

  private Optional<Option<?>> optionOrFile(String name) {
    for (var option : options) {
      if (option.name().equals(name)
          || (option.secrecy() == Option.Secrecy.SECRET && name.equals(option.name() + "-file"))) {
        return Optional.of(option);
      }
    }
    return Optional.empty();
  }

  private List<String> optionNames() {
    return options.stream().map(Option::name).collect(Collectors.toCollection(ArrayList::new));
  }

  private static String nearest(String name, List<String> known, String prefix) {
    return Nearest.to(name, known).map(n -> "; did you mean " + prefix + n + "?").orElse("");
  }

  /** What {@code --help} prints: every option with form, default and variable. */
  public String help() {
    var text = new StringBuilder();
    text.append("Usage: ").append(process).append(" [--option=value ...]\n\n");
    text.append(purpose).append("\n\nOptions (each also as an environment variable):\n");
    for (var option : options) {
      text.append("  --").append(option.name());
      if (!option.type().isFlag()) {
        text.append("=<value>");
      }
      text.append("\n      ").append(option.description()).append('\n');
      text.append("      ").append(option.type().form());
      text.append("; ").append(absence(option)).append("; ").append(option.variable());
      if (option.secrecy() == Option.Secrecy.SECRET) {
        text.append(", or from a file: --").append(option.name()).append("-file, ");
        text.append(option.variable()).append("_FILE");
      }
      text.append('\n');
    }
    return text.append("  --help, --version\n").toString();
  }

  private static String absence(Option<?> option) {
    if (option.fallback().isPresent()) {
      return "default " + option.fallbackWords();
    }
    return switch (option.presence()) {
      case REQUIRED -> "required";
      case OPTIONAL -> "optional";
    };
  }

  /** The options as rows of a Markdown table, with its head. */
  public String markdown() {
    var text = new StringBuilder();
    text.append("| option | environment | what | allowed | default |\n|---|---|---|---|---|\n");
    for (var option : options) {
      var variable = "`" + option.variable() + "`";
      if (option.secrecy() == Option.Secrecy.SECRET) {
        variable += ", `" + option.variable() + "_FILE`";
      }
      var fallback = option.fallback().isPresent() ? option.fallbackWords() : absence(option);
      text.append("| `--").append(option.name()).append("` | ").append(variable);
      text.append(" | ").append(cell(option.description()));
      text.append(" | ").append(cell(option.type().form()));
      text.append(" | ").append(cell(fallback)).append(" |\n");
    }
    return text.toString();
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
