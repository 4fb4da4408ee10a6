package io.fairlead.testbed.compose;

import io.fairlead.testbed.up.Shell;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code docker-compose.yml} of the checkout, run under a project name, an image tag and ports of
 * its own, so that it meets neither a user's deployment nor another checkout's. What it makes
 * carries the project's label and goes away by it. Any thread.
 */
public final class ComposeProject {
  private static final Duration LIMIT = Duration.ofMinutes(20);
  private static final List<String> PORTS =
      List.of("ALLOCATOR_1_PORT", "ALLOCATOR_2_PORT", "ENDPOINTS_1_PORT", "ENDPOINTS_2_PORT");

  private final String name;
  private final Path folder;
  private final Shell top;
  private final Shell shell;
  private final String compose;

  /**
   * @param checkout its top folder
   * @param folder where the files that are mounted are copied to: those of a checkout may be
   *     replaced while the containers run
   * @param ports of this machine for allocator-1, allocator-2, endpoints-1 and endpoints-2
   */
  public ComposeProject(Path checkout, Path folder, List<Integer> ports) {
    this.name = "fairlead-test-" + HexFormat.of().toHexDigits(checkout.toString().hashCode());
    this.folder = folder;
    var environment = new java.util.HashMap<String, String>();
    environment.put("FAIRLEAD_VERSION", name);
    environment.put("COMPOSE_PROJECT_NAME", name);
    environment.put("DOCKER_BUILDKIT", "0");
    environment.put("COMPOSE_DOCKER_CLI_BUILD", "0");
    for (int i = 0; i < PORTS.size(); i++) {
      environment.put(PORTS.get(i), ports.get(i).toString());
    }
    this.top = new Shell(checkout, environment, LIMIT);
    this.shell = new Shell(folder, environment, LIMIT);
    this.compose =
        top.run("docker compose version").exitCode() == 0 ? "docker compose" : "docker-compose";
    copy(checkout);
  }

  /** Why there is no engine to run it on; empty where there is one. */
  public static Optional<String> missing(Path checkout) {
    var shell = new Shell(checkout, Map.of(), Duration.ofSeconds(30));
    if (shell.run("docker version").exitCode() != 0) {
      return Optional.of("no Docker engine answers: dev/engine start starts one");
    }
    if (shell.run("docker compose version || docker-compose version").exitCode() != 0) {
      return Optional.of("neither 'docker compose' nor docker-compose is there");
    }
    return Optional.empty();
  }

  private void copy(Path checkout) {
    try {
      Files.createDirectories(folder);
      for (var part : List.of("docker-compose.yml", "compose", "examples")) {
        var source = checkout.resolve(part);
        try (Stream<Path> files = Files.walk(source)) {
          for (var file : files.toList()) {
            var target = folder.resolve(checkout.relativize(file).toString());
            if (Files.isDirectory(file)) {
              Files.createDirectories(target);
            } else {
              Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
            }
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String name() {
    return name;
  }

  /** The name of the project's network, to which everything is attached. */
  public String network() {
    return name + "_default";
  }

  /** The tag of the images that {@link #build} makes. */
  public String image(String target) {
    return "fairlead/" + target + ":" + name;
  }

  public void build() {
    top.run(compose + " --profile demo build").ok();
  }

  /**
   * Compose gives up where a container it waits for is not healthy soon enough, as on a machine
   * that is busy elsewhere; what was started goes on, and so does another call.
   */
  public void up() {
    var words = compose + " --profile demo up -d --no-build";
    var first = shell.run(words);
    if (first.exitCode() != 0) {
      System.out.println(first.err().strip());
      shell.run(words).ok();
    }
  }

  /** With all containers, but not the volumes. */
  public void down() {
    shell.run(compose + " --profile demo down -t 30").ok();
  }

  public void stop(String... services) {
    shell.run(compose + " --profile demo stop -t 30 " + String.join(" ", services)).ok();
  }

  /** SIGKILL; it is not started again by itself. */
  public void kill(String service) {
    top.run("docker kill " + container(service)).ok();
  }

  public void start(String service) {
    top.run("docker start " + container(service)).ok();
  }

  public String container(String service) {
    var ids = containers("--filter label=com.docker.compose.service=" + service);
    if (ids.size() != 1) {
      throw new AssertionError("%d containers of %s".formatted(ids.size(), service));
    }
    return ids.getFirst();
  }

  /** A command in a container, words as bash reads them. */
  public Shell.Result exec(String service, String command) {
    return top.run("docker exec %s %s".formatted(container(service), command));
  }

  /** The address of the service's container on the project's network. */
  public String address(String service) {
    return docker(
            "inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "
                + container(service))
        .strip();
  }

  /** {@code healthy}, {@code running} where it has no health check, or what else it is. */
  public String state(String service) {
    return docker(
            "inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "
                + container(service))
        .strip();
  }

  /** A one-shot container on the project's network. */
  public Shell.Result run(String options, String image, String command) {
    return top.run(
        "docker run --rm --network %s --label com.docker.compose.project=%s %s %s %s"
            .formatted(network(), name, options, image, command));
  }

  public String docker(String words) {
    return top.run("docker " + words).ok();
  }

  /** Name and status of all containers that do not run or are not healthy, a line each. */
  public String unwell() {
    return top.run(
            "docker ps -a --format '{{.Names}} {{.Status}}' --filter label=com.docker.compose.project="
                + name)
        .all()
        .lines()
        .filter(line -> !line.contains(" Up ") || line.contains("health"))
        .filter(line -> !line.endsWith("(healthy)"))
        .collect(Collectors.joining("\n"));
  }

  /** The last lines of each container. */
  public String logs() {
    return shell.run(compose + " --profile demo logs --no-color --tail 40 2>&1").all();
  }

  /** Removes all that has the project's label, and its images; also what a killed run left. */
  public void remove() {
    remove("rm -fv", containers(""));
    remove("network rm", list("network ls -q --filter label=com.docker.compose.project=" + name));
    remove("volume rm", list("volume ls -q --filter label=com.docker.compose.project=" + name));
    remove(
        "rmi -f",
        list(
            "image ls --format '{{.Repository}}:{{.Tag}}' --filter reference='fairlead/*:%s'"
                .formatted(name)));
    delete(folder);
  }

  private List<String> containers(String filter) {
    return list(
        "ps -aq --no-trunc --filter label=com.docker.compose.project=%s %s"
            .formatted(name, filter));
  }

  private List<String> list(String words) {
    return docker(words).lines().filter(line -> !line.isBlank()).distinct().toList();
  }

  private void remove(String verb, List<String> what) {
    if (!what.isEmpty()) {
      docker(verb + " " + String.join(" ", what));
    }
  }

  private static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (var file : new ArrayList<>(files.sorted(Comparator.reverseOrder()).toList())) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
