package io.fairlead.cli;

import io.fairlead.api.Nearest;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What is said of a command line that makes no sense: what is wrong, one line of usage, and how to
 * see the rest. Exit code 2.
 */
final class WrongUsage implements IParameterExceptionHandler {
  /** What picocli says of enums; nobody types them in capitals. */
  private static final Pattern CHOICE =
      Pattern.compile("expected one of \\[([^]]*)] \\(case-insensitive\\) but was");

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    var command = e.getCommandLine();
    if (lacksVerb(e)) { // which there are is what is asked then
      command.usage(command.getErr());
      return ExitCode.USAGE;
    }
    return tell(command, "error: " + words(e));
  }

  private static boolean lacksVerb(ParameterException e) {
    var spec = e.getCommandLine().getCommandSpec();
    return !(e instanceof UnmatchedArgumentException)
        && e.getArgSpec() == null
        && !(spec.userObject() instanceof Callable<?>);
  }

  /**
   * Says it.
   *
   * @param command the verb, or the command itself where none is known
   * @return the exit code
   */
  static int tell(CommandLine command, String words) {
    var err = command.getErr();
    err.println(words);
    err.println("Usage: " + synopsis(command));
    err.println("See " + command.getCommandSpec().qualifiedName() + " --help");
    err.flush();
    return ExitCode.USAGE;
  }

  private static String words(ParameterException e) {
    return e instanceof UnmatchedArgumentException unmatched ? unmatched(unmatched) : said(e);
  }

  /** picocli's words, as those of others begin. */
  private static String said(ParameterException e) {
    var said =
        CHOICE
            .matcher(String.valueOf(e.getMessage()))
            .replaceFirst(choice -> "one of " + choice.group(1).toLowerCase(Locale.ROOT) + ", not");
    return said.isEmpty()
        ? said
        : said.substring(0, 1).toLowerCase(Locale.ROOT) + said.substring(1);
  }

  private static String unmatched(UnmatchedArgumentException e) {
    var spec = e.getCommandLine().getCommandSpec();
    var word = e.getUnmatched().getFirst();
    if (e.isUnknownOption()) {
      var name = word.split("=", 2)[0];
      var longOptions =
          spec.optionsMap().keySet().stream().filter(option -> option.startsWith("--")).toList();
      return "unknown option %s%s".formatted(name, meant(near(name, longOptions)));
    }
    if (spec.subcommands().isEmpty()) {
      return "unexpected argument \"%s\"".formatted(word);
    }
    return "there is no command \"%s\"%s"
        .formatted(
            word,
            KubectlVerbs.instead(word)
                .filter(_ -> spec.parent() == null)
                .map(instead -> ": " + instead)
                .orElseGet(() -> meant(near(word, spec.subcommands().keySet()))));
  }

  private static String meant(Optional<String> near) {
    return near.map(n -> "; did you mean " + n + "?").orElse("");
  }

  /** Short words are near to many. */
  private static Optional<String> near(String word, Collection<String> candidates) {
    return Nearest.within(word.length() <= 4 ? 1 : 2, word, candidates);
  }

  /** {@code fairlead wait --for=GOAL [options] TYPE[/NAME]...}. */
  private static String synopsis(CommandLine command) {
    var spec = command.getCommandSpec();
    var words = new StringJoiner(" ").add(spec.qualifiedName());
    spec.options().stream()
        .filter(OptionSpec::required)
        .forEach(option -> words.add(option.longestName() + "=" + option.paramLabel()));
    words.add("[options]");
    spec.positionalParameters().forEach(parameter -> words.add(label(parameter)));
    if (!spec.subcommands().isEmpty()) {
      words.add("COMMAND");
    }
    return words.toString();
  }

  private static String label(PositionalParamSpec parameter) {
    var label = parameter.paramLabel();
    // a label of several words names all of them
    if (parameter.isMultiValue() && (parameter.arity().isVariable() || label.indexOf(' ') < 0)) {
      label += "...";
    }
    return parameter.required() ? label : "[" + label + "]";
  }
}
