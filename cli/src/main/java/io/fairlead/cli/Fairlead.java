package io.fairlead.cli;

import static java.util.Objects.requireNonNull;

import io.fairlead.cli.plane.RunFile;
import io.fairlead.core.model.DnsLabel;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.OptionType;
import java.nio.file.Path;
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
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:refused, not found, unreachable, or not so within the time",
      "2:wrong usage, nothing was done"
    },
    synopsisSubcommandLabel = "COMMAND",
    scope = ScopeType.INHERIT,
    sortOptions = false,
    subcommands = {
      ApplyCommand.class,
      CreateCommand.class,
      ReplaceCommand.class,
      DeleteCommand.class,
      GetCommand.class,
      DescribeCommand.class,
      ReserveCommand.class,
      RenewCommand.class,
      ReleaseCommand.class,
      ConditionCommand.class,
      WaitCommand.class,
      DrainCommand.class,
      EnvCommand.class,
      ExecCommand.class,
      LogsCommand.class,
      LogCommand.class,
      NodeCommand.class,
      FeatureLevelCommand.class,
      ReplayCommand.class,
      VersionCommand.class,
      CompletionCommand.class,
      HelpCommand.class
    })
public final class Fairlead {
  private static final Duration LEAST_TIMEOUT = Duration.ofMillis(1);
  private static final Duration MOST_TIMEOUT = Duration.ofHours(1);

  /** Options that an environment variable gives a default. */
  private static final Map<String, String> VARIABLES = Map.of("--timeout", "FAIRLEAD_TIMEOUT");

  private static final String NAMESPACE = "FAIRLEAD_NAMESPACE";
  private static final Map<String, String> DEFAULTS = Map.of("--timeout", "30s");

  @Option(
      names = "--allocator",
      scope = ScopeType.INHERIT,
      paramLabel = "host:port,...",
      converter = Addresses.Converter.class,
      description =
          "Replicas of allocator-service, the first that answers is used (FAIRLEAD_ALLOCATOR; default: the plane's that runs here, else 127.0.0.1:7401).")
  private @Nullable Addresses allocator;

  @Option(
      names = "--endpoints",
      scope = ScopeType.INHERIT,
      paramLabel = "host:port,...",
      converter = Addresses.Converter.class,
      description =
          "Replicas of endpoints-service, likewise (FAIRLEAD_ENDPOINTS; default: the plane's that runs here, else 127.0.0.1:7402).")
  private @Nullable Addresses endpoints;

  @Option(
      names = "--context",
      scope = ScopeType.INHERIT,
      paramLabel = "up|compose",
      description =
          "Which deployment: up, the plane of this machine; or compose, the one of docker-compose.yml by the ports it publishes here (FAIRLEAD_CONTEXT). Goes before variables with addresses, not before options.")
  private @Nullable String context;

  @Option(
      names = "--data-dir",
      scope = ScopeType.INHERIT,
      paramLabel = "directory",
      description =
          "Which plane of this machine: that with this data directory (FAIRLEAD_DATA_DIR; default /var/lib/fairlead as root, else $XDG_STATE_HOME/fairlead; other commands than up and down also find the only one that runs).")
  private @Nullable Path dataDirectory;

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

  public Fairlead(
      Console console, Map<String, String> environment, Time time, RandomSource random) {
    this.console = console;
    this.environment = Map.copyOf(environment);
    this.time = time;
    this.random = random;
  }

  /** The parser, ready to run. */
  public CommandLine commandLine() {
    return commandLine(List.of());
  }

  /** With further subcommands. */
  CommandLine commandLine(List<Class<?>> more) {
    var line = new CommandLine(this);
    var ofNode = requireNonNull(line.getSubcommands().get("node")); // one of those above
    more.forEach(
        verb -> (NodeVerb.class.isAssignableFrom(verb) ? ofNode : line).addSubcommand(verb));
    line.setDefaultValueProvider(argument ->
        argument instanceof CommandLine.Model.OptionSpec option
            ? defaultOf(option.longestName())
            : null);
    line.setOut(new java.io.PrintWriter(console.out(), true, console.out().charset()));
    line.setErr(new java.io.PrintWriter(console.err(), true, console.err().charset()));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(new WrongUsage());
    line.setExecutionExceptionHandler((exception, command, _) -> {
      if (exception instanceof UsageException wrong) {
        return WrongUsage.tell(command, wrong.words());
      }
      console.err().println(words(exception));
      return 1;
    });
    return line;
  }

  private @Nullable String defaultOf(String option) {
    var variable = VARIABLES.get(option);
    var value = variable == null ? null : environment.get(variable);
    return value == null ? DEFAULTS.get(option) : value;
  }

  /** What the user reads of a failure. */
  static String words(Exception exception) throws Exception {
    return switch (exception) {
      case CliException e -> e.words();
      case CallFailedException e -> e.words();
      default -> throw exception; // a defect: with its stack trace
    };
  }

  public Console console() {
    return console;
  }

  public Map<String, String> environment() {
    return environment;
  }

  public Time time() {
    return time;
  }

  RandomSource random() {
    return random;
  }

  /** What {@code --data-dir} says. */
  public Optional<Path> givenDataDirectory() {
    return Optional.ofNullable(dataDirectory);
  }

  /**
   * The plane of this machine that the command means.
   *
   * @throws CliException several may be meant, or the one of {@code --data-dir} does not run
   */
  Optional<RunFile> plane() {
    return switch (RunFile.find(environment, givenDataDirectory())) {
      case RunFile.Found.One(var plane) -> Optional.of(plane);
      case RunFile.Found.Nothing _ -> {
        // what is meant for one plane must not be done to another that listens where it would
        if (dataDirectory != null) {
          throw new CliException(
              "error: --data-dir=%s: no plane runs with this data directory; fairlead up -d --data-dir %s starts one"
                  .formatted(dataDirectory, dataDirectory));
        }
        yield Optional.empty();
      }
      case RunFile.Found.Several several -> throw new CliException(several.words());
    };
  }

  /** The caller closes it. */
  Session session() {
    var targets = targets();
    return new Session(
        new Session.Settings(targets.allocator(), targets.endpoints(), timeout), time, random);
  }

  private Targets targets() {
    return new Targets(
        new Targets.Options(
            Optional.ofNullable(allocator).map(Addresses::all),
            Optional.ofNullable(endpoints).map(Addresses::all),
            Optional.ofNullable(context)),
        environment,
        this::plane);
  }

  /** What {@code -n} says on the command line; "" says nothing, as in kubectl. */
  Optional<String> namespaceOption() {
    return Optional.ofNullable(namespace).filter(name -> !name.isEmpty());
  }

  /**
   * Where processes of Pods are reached.
   *
   * @param verb {@code exec} or {@code logs}
   * @throws CliException they are not reached through Fairlead
   */
  List<HostPort> podRuntime(String verb) {
    return targets().podRuntime(verb);
  }

  /**
   * The namespace that was asked for, on the command line or in the environment.
   *
   * @throws UsageException none can be called so: nothing is there, and never will be
   */
  Optional<String> givenNamespace() {
    return namespaceOption()
        .map(name -> checkedNamespace("--namespace", name))
        .or(() ->
            Optional.ofNullable(environment.get(NAMESPACE))
                .filter(name -> !name.isEmpty())
                .map(name -> checkedNamespace(NAMESPACE, name)));
  }

  private static String checkedNamespace(String from, String name) {
    var fault = DnsLabel.fault(name);
    if (!fault.isEmpty()) {
      throw new UsageException("error: %s: the namespace \"%s\" %s".formatted(from, name, fault));
    }
    return name;
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
