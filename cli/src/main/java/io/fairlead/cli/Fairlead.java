package io.fairlead.cli;

import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.OptionType;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The command itself: what all verbs share. */
@Command(
    name = "fairlead",
    description = "Services with a stable address, for Pods without Kubernetes.",
    synopsisSubcommandLabel = "COMMAND",
    scope = ScopeType.INHERIT,
    sortOptions = false,
    subcommands = {
      ApplyCommand.class,
      CreateCommand.class,
      DeleteCommand.class,
      GetCommand.class,
      DescribeCommand.class,
      LogCommand.class,
      VersionCommand.class,
      CompletionCommand.class
    })
final class Fairlead {
  private static final Duration LEAST_TIMEOUT = Duration.ofMillis(1);
  private static final Duration MOST_TIMEOUT = Duration.ofHours(1);

  /** Options that an environment variable gives a default, and the default of that. */
  private static final Map<String, List<String>> DEFAULTS =
      Map.of(
          "--allocator", List.of("FAIRLEAD_ALLOCATOR", "127.0.0.1:7401"),
          "--endpoints", List.of("FAIRLEAD_ENDPOINTS", "127.0.0.1:7402"),
          "--timeout", List.of("FAIRLEAD_TIMEOUT", "30s"));

  @Option(
      names = "--allocator",
      scope = ScopeType.INHERIT,
      paramLabel = "host:port,...",
      converter = Addresses.Converter.class,
      description = "Replicas of allocator-service (FAIRLEAD_ALLOCATOR; default 127.0.0.1:7401).")
  private Addresses allocator;

  @Option(
      names = "--endpoints",
      scope = ScopeType.INHERIT,
      paramLabel = "host:port,...",
      converter = Addresses.Converter.class,
      description = "Replicas of endpoints-service (FAIRLEAD_ENDPOINTS; default 127.0.0.1:7402).")
  private Addresses endpoints;

  @Option(
      names = {"-n", "--namespace"},
      scope = ScopeType.INHERIT,
      paramLabel = "namespace",
      description = "Namespace (FAIRLEAD_NAMESPACE; default default).")
  private @Nullable String namespace;

  @Option(
      names = "--timeout",
      scope = ScopeType.INHERIT,
      paramLabel = "duration",
      converter = Timeout.class,
      description =
          "How long to go on while nobody answers, e.g. 500ms, 30s (FAIRLEAD_TIMEOUT; default 30s).")
  private Duration timeout;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Shows this help.")
  @SuppressWarnings("UnusedVariable") // picocli looks at it
  private boolean help;

  private final Console console;
  private final Map<String, String> environment;
  private final Time time;
  private final RandomSource random;

  Fairlead(Console console, Map<String, String> environment, Time time, RandomSource random) {
    this.console = console;
    this.environment = Map.copyOf(environment);
    this.time = time;
    this.random = random;
  }

  /** The parser, ready to run. */
  CommandLine commandLine() {
    var line = new CommandLine(this);
    line.setDefaultValueProvider(argument ->
        argument instanceof CommandLine.Model.OptionSpec option
            ? defaultOf(option.longestName())
            : null);
    line.setOut(new java.io.PrintWriter(console.out(), true, console.out().charset()));
    line.setErr(new java.io.PrintWriter(console.err(), true, console.err().charset()));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler((exception, _, _) -> {
      console.err().println(words(exception));
      return 1;
    });
    return line;
  }

  private @Nullable String defaultOf(String option) {
    var named = DEFAULTS.get(option);
    return named == null ? null : environment.getOrDefault(named.getFirst(), named.getLast());
  }

  /** What the user reads of a failure. */
  static String words(Exception exception) throws Exception {
    return switch (exception) {
      case CliException e -> e.words();
      case CallFailedException e -> e.words();
      default -> throw exception; // a defect: with its stack trace
    };
  }

  Console console() {
    return console;
  }

  /** The caller closes it. */
  Session session() {
    return new Session(
        new Session.Settings(allocator.all(), endpoints.all(), timeout), time, random);
  }

  /** The namespace that was asked for, on the command line or in the environment. */
  Optional<String> givenNamespace() {
    return Optional.ofNullable(namespace)
        .or(() -> Optional.ofNullable(environment.get("FAIRLEAD_NAMESPACE")));
  }

  /** {@link #givenNamespace}, else {@code default}. */
  String namespace() {
    return givenNamespace().orElse(ObjectName.DEFAULT_NAMESPACE);
  }

  /**
   * {@code a:1,b:2}. A type of its own, since picocli would take a list for an option that is
   * repeated.
   */
  record Addresses(List<HostPort> all) {
    static final class Converter implements ITypeConverter<Addresses> {
      @Override
      public Addresses convert(String text) {
        return new Addresses(checked(OptionType.addresses(), text));
      }
    }
  }

  /** {@code 30s}. */
  static final class Timeout implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      return checked(OptionType.duration(LEAST_TIMEOUT, MOST_TIMEOUT), text);
    }
  }

  private static <T> T checked(OptionType<T> type, String text) {
    return switch (type.check().apply(text)) {
      case OptionType.Good<T>(var value) -> value;
      case OptionType.Bad<T>(var words) -> throw new TypeConversionException(words);
    };
  }
}
