package io.fairlead.cli;

import io.fairlead.cli.plane.RunFile;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.OptionType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Which replicas a command talks to. An option with addresses counts before {@code --context}, this
 * before variables with addresses, these before {@code FAIRLEAD_CONTEXT}; where nothing is said, it
 * is the plane that runs on this machine, else the ports on which services listen by default.
 */
final class Targets {
  /** Deployments that are known by a name. */
  private enum Known {
    /** The plane of this machine. */
    UP,
    /** What docker-compose.yml publishes. */
    COMPOSE;

    String text() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  private static final List<HostPort> ALLOCATOR = List.of(HostPort.of("127.0.0.1:7401"));
  private static final List<HostPort> ENDPOINTS = List.of(HostPort.of("127.0.0.1:7402"));
  private static final List<HostPort> POD_RUNTIME = List.of(HostPort.of("127.0.0.1:7404"));

  private static final List<HostPort> COMPOSE_ALLOCATOR =
      List.of(HostPort.of("127.0.0.1:17401"), HostPort.of("127.0.0.1:17411"));
  private static final List<HostPort> COMPOSE_ENDPOINTS =
      List.of(HostPort.of("127.0.0.1:17402"), HostPort.of("127.0.0.1:17412"));

  /**
   * What the command line says.
   *
   * @param context empty = it says nothing, as with the others
   */
  record Options(
      Optional<List<HostPort>> allocator,
      Optional<List<HostPort>> endpoints,
      Optional<String> context) {}

  private final Options options;
  private final Map<String, String> environment;
  private final Supplier<Optional<RunFile>> plane;
  private final Optional<Known> context;

  /**
   * @param plane looks for the plane of this machine
   * @throws CliException the context is unknown
   */
  Targets(Options options, Map<String, String> environment, Supplier<Optional<RunFile>> plane) {
    this.options = options;
    this.environment = environment;
    this.plane = plane;
    this.context =
        options
            .context()
            .map(name -> known("--context=" + name, name))
            .or(() ->
                variable("FAIRLEAD_CONTEXT").map(name -> known("FAIRLEAD_CONTEXT=" + name, name)));
  }

  private static Known known(String said, String name) {
    return Arrays.stream(Known.values())
        .filter(known -> known.text().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "error: %s is unknown: contexts are %s"
                    .formatted(
                        said,
                        Arrays.stream(Known.values())
                            .map(Known::text)
                            .collect(Collectors.joining(", ")))));
  }

  private Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name));
  }

  List<HostPort> allocator() {
    return options
        .allocator()
        .or(() -> ofVariable("FAIRLEAD_ALLOCATOR"))
        .orElseGet(() -> inContext(COMPOSE_ALLOCATOR, RunFile::allocator, ALLOCATOR));
  }

  List<HostPort> endpoints() {
    return options
        .endpoints()
        .or(() -> ofVariable("FAIRLEAD_ENDPOINTS"))
        .orElseGet(() -> inContext(COMPOSE_ENDPOINTS, RunFile::endpoints, ENDPOINTS));
  }

  /**
   * Where processes of Pods are reached.
   *
   * @param verb {@code exec} or {@code logs}
   * @throws CliException they are not reached through Fairlead: says through what
   */
  List<HostPort> podRuntime(String verb) {
    return ofVariable("FAIRLEAD_POD_RUNTIME")
        .orElseGet(() -> {
          if (context.equals(Optional.of(Known.COMPOSE))) {
            throw new CliException(
                "error: Pods of the context compose are containers: use docker compose %s SERVICE%s, with the container's name in docker-compose.yml"
                    .formatted(verb, verb.equals("exec") ? " COMMAND" : ""));
          }
          return inContext(List.of(), RunFile::podRuntime, POD_RUNTIME);
        });
  }

  /** {@code --context} on the command line is meant for this command, a variable for all. */
  private Optional<List<HostPort>> ofVariable(String name) {
    return options.context().isPresent()
        ? Optional.empty()
        : variable(name)
            .map(text ->
                switch (OptionType.addresses().check().apply(text)) {
                  case OptionType.Good<List<HostPort>>(var value) -> value;
                  case OptionType.Bad<List<HostPort>>(var words) ->
                      throw new UsageException("error: " + name + ": " + words);
                });
  }

  private List<HostPort> inContext(
      List<HostPort> compose, Function<RunFile, List<HostPort>> ofPlane, List<HostPort> otherwise) {
    if (context.equals(Optional.of(Known.COMPOSE))) {
      return compose;
    }
    var found = plane.get().map(ofPlane).filter(addresses -> !addresses.isEmpty());
    if (context.isPresent() && found.isEmpty()) {
      throw new CliException(
          "error: context up: no plane runs on this machine, or not one of this user: fairlead up -d starts one");
    }
    return found.orElse(otherwise);
  }
}
