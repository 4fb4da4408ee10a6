package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ContextTest {
  private static final Path COMPOSE = Path.of("..", "docker-compose.yml");

  @TempDir private Path directory;
  private final CliFixture cli = new CliFixture();

  /** No plane of this machine is meant. */
  private CliFixture.Ran run(Map<String, String> environment, String... args) {
    var variables = new java.util.HashMap<>(environment);
    variables.put("FAIRLEAD_DATA_DIR", directory.resolve("none").toString());
    return cli.runWith("", variables, args);
  }

  @Test
  void composeIsWhatTheComposeFilePublishes() throws IOException {
    var published = Pattern.compile("127\\.0\\.0\\.1:\\$\\{\\w+:-(\\d+)\\}:(7401|7402)");
    var text = Files.readString(COMPOSE);
    assertThat(published.matcher(text).results().map(m -> m.group(2) + " at " + m.group(1)))
        .containsExactlyInAnyOrder(
            "7401 at 17401", "7401 at 17411", "7402 at 17402", "7402 at 17412");
  }

  private static Targets targets(
      Optional<String> allocator, Optional<String> context, Map<String, String> environment) {
    return new Targets(
        new Targets.Options(
            allocator.map(a -> java.util.List.of(io.fairlead.runtime.HostPort.of(a))),
            Optional.empty(),
            context),
        environment,
        Optional::empty);
  }

  @Test
  void hasTheAddressesOfTheContext() {
    var compose = targets(Optional.empty(), Optional.of("compose"), Map.of());
    assertThat(compose.allocator()).hasToString("[127.0.0.1:17401, 127.0.0.1:17411]");
    assertThat(compose.endpoints()).hasToString("[127.0.0.1:17402, 127.0.0.1:17412]");
    var variable =
        targets(Optional.empty(), Optional.empty(), Map.of("FAIRLEAD_CONTEXT", "compose"));
    assertThat(variable.allocator()).isEqualTo(compose.allocator());
    var nothing = targets(Optional.empty(), Optional.empty(), Map.of());
    assertThat(nothing.allocator()).hasToString("[127.0.0.1:7401]");
    assertThat(nothing.endpoints()).hasToString("[127.0.0.1:7402]");
    assertThat(nothing.podRuntime("exec")).hasToString("[127.0.0.1:7404]");
  }

  @Test
  void whatIsSaidForThisCommandCountsMostThenAddresses() {
    var variables = Map.of("FAIRLEAD_ALLOCATOR", "a:1,b:2", "FAIRLEAD_CONTEXT", "compose");
    assertThat(targets(Optional.empty(), Optional.empty(), variables).allocator())
        .hasToString("[a:1, b:2]");
    assertThat(targets(Optional.empty(), Optional.empty(), variables).endpoints())
        .hasToString("[127.0.0.1:17402, 127.0.0.1:17412]");
    assertThat(targets(Optional.empty(), Optional.of("compose"), variables).allocator())
        .hasToString("[127.0.0.1:17401, 127.0.0.1:17411]");
    assertThat(targets(Optional.of("c:3"), Optional.of("compose"), variables).allocator())
        .hasToString("[c:3]");
  }

  @Test
  void refusesContextsThatItDoesNotKnow() {
    var ran = run(Map.of(), "get", "svc", "--context=staging");
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err())
        .startsWith("error: --context=staging is unknown: contexts are up, compose\n");
    assertThat(run(Map.of("FAIRLEAD_CONTEXT", "k8s"), "get", "svc").err())
        .startsWith("error: FAIRLEAD_CONTEXT=k8s is unknown: contexts are up, compose\n");
    assertThat(run(Map.of("FAIRLEAD_ALLOCATOR", "x"), "get", "svc").err())
        .startsWith("error: FAIRLEAD_ALLOCATOR: ");
  }

  @Test
  void upIsAPlaneThatRuns() {
    assertThat(run(Map.of(), "get", "svc", "--context", "up").err())
        .isEqualTo(
            "error: context up: no plane runs on this machine, or not one of this user: fairlead up -d starts one\n");
  }

  @Test
  void saysWhatRunsProcessesInContainers() {
    var exec = run(Map.of(), "--context", "compose", "exec", "web-1", "--", "true");
    assertThat(exec.code()).isEqualTo(1);
    assertThat(exec.err())
        .isEqualTo(
            "error: Pods of the context compose are containers: use docker compose exec SERVICE COMMAND, with the container's name in docker-compose.yml\n");
    assertThat(run(Map.of("FAIRLEAD_CONTEXT", "compose"), "logs", "web-1").err())
        .contains("use docker compose logs SERVICE, with");
  }

  @Test
  void helpNamesThem() {
    assertThat(run(Map.of(), "get", "--help").out())
        .contains("--context=up|compose", "FAIRLEAD_CONTEXT");
  }
}
