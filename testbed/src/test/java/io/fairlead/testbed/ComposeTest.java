package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.devkit.process.Ports;
import io.fairlead.testbed.compose.ComposeExamples;
import io.fairlead.testbed.compose.ComposeProject;
import io.fairlead.testbed.compose.ContainerLoad;
import io.fairlead.testbed.up.Shell;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * The Compose deployment, as a user has it: images are built, three nodes and two replicas of each
 * service brought up with the examples, then one thing after another is taken away and given back.
 * After each, everything answers under the same addresses, and all replicas know the same.
 *
 * <p>All the while connections are made from the nodes to a ClusterIP through rules that are there,
 * and none may fail. Where a node is restarted, those are counted that neither begin nor end on it;
 * where all is taken down, there are none.
 */
@Tag("docker")
@Timeout(1200)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ComposeTest {
  private static final Path TOP = Path.of("..").toAbsolutePath().normalize();
  private static final Path FOLDER = Path.of("target", "compose-test").toAbsolutePath();
  private static final Duration SETTLE = Duration.ofMinutes(6);
  private static final List<String> NODES = List.of("a", "b", "c");

  private static final List<Integer> PORTS = Ports.free("127.0.0.1", 4);
  private static final Shell HOST =
      new Shell(
          TOP,
          Map.of(
              "FAIRLEAD_ALLOCATOR",
              "127.0.0.1:%d,127.0.0.1:%d".formatted(PORTS.get(0), PORTS.get(1)),
              "FAIRLEAD_ENDPOINTS",
              "127.0.0.1:%d,127.0.0.1:%d".formatted(PORTS.get(2), PORTS.get(3)),
              "CLASSPATH",
              System.getProperty("java.class.path"),
              "PATH",
              Path.of(System.getProperty("java.home"), "bin") + ":" + System.getenv("PATH")),
          Duration.ofMinutes(2));
  private static final long START = System.nanoTime();
  private static final String PROBE =
      "{apiVersion: v1, kind: Service, metadata: {name: probe}, spec: {ports: [{port: 80}]}}";

  private static ComposeProject project;
  private static Map<String, String> addresses = Map.of();

  /** A failure also tells which containers are not as they should be: afterwards they are gone. */
  @RegisterExtension
  static final TestExecutionExceptionHandler TELLING =
      (_, failure) -> {
        System.out.println(project.logs());
        throw new AssertionError(
            failure.getMessage() + "\nnot well then: " + project.unwell(), failure);
      };

  @BeforeAll
  static void bringUp() {
    var missing = ComposeProject.missing(TOP);
    Assumptions.assumeTrue(missing.isEmpty(), () -> missing.orElse(""));
    project = new ComposeProject(TOP, FOLDER, PORTS);
    project.remove();
    project = new ComposeProject(TOP, FOLDER, PORTS);
    say("building the images");
    project.build();
    say("up");
    long begun = System.nanoTime();
    project.up();
    awaitAnswer("client-a", "http://backend-service", "pod=backend-");
    say("first answer by name %.1f s after up".formatted(seconds(begun)));
    awaitHealthy();
    awaitExamples();
    addresses = serviceAddresses();
    assertThat(addresses)
        .containsKeys("default/backend-service", "kube-system/kube-dns", "team-b/reports")
        .containsEntry("default/fairlead", "10.96.0.1")
        .containsEntry("kube-system/kube-dns", "10.96.0.10");
  }

  @AfterAll
  static void takeAway() {
    if (project != null) {
      project.remove();
      assertThat(
              project.docker("ps -aq --filter label=com.docker.compose.project=" + project.name()))
          .isEmpty();
    }
  }

  @Test
  @Order(1)
  void isSmallAndSharesWhatItCan() {
    say(
        "images:\n"
            + project.docker("image ls --filter reference='fairlead/*:" + project.name() + "'"));
    say(
        "containers:\n"
            + project.docker(
                "stats --no-stream --format '{{.Name}} {{.MemUsage}}' $(docker ps -q --filter label=com.docker.compose.project=%s)"
                    .formatted(project.name())));
    for (var service : List.of("allocator-1", "endpoints-1", "dns-1", "agent-a", "backend-a")) {
      var id = project.container(service);
      assertThat(
              project.docker(
                  "inspect -f '{{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "
                      + id))
          .as(service)
          .isEqualTo("false true [ALL]\n");
    }
  }

  @Test
  @Order(2)
  void namesOutsideTheClusterResolveAsBefore() {
    for (var node : NODES) {
      for (var service : List.of("kafka", "etcd", "allocator-1")) {
        await(service + " is found on node-" + node)
            .atMost(SETTLE)
            .until(
                () -> project.exec("client-" + node, "getent ahostsv4 " + service).out(),
                out -> out.startsWith(project.address(service) + " "));
      }
    }
  }

  @Test
  @Order(3)
  void oneReplicaOfEachServiceIsKilled() {
    withLoad(
        NODES,
        "default/backend-service",
        () -> {
          for (var service : List.of("allocator", "endpoints", "dns")) {
            var replica = service + "-1";
            say("kill " + replica);
            long killed = System.nanoTime();
            project.kill(replica);
            works(service, killed);
            project.start(replica);
            awaitHealthy(replica);
            check();
            // The other one too, so that neither is needed.
            replica = service + "-2";
            say("kill " + replica);
            killed = System.nanoTime();
            project.kill(replica);
            works(service, killed);
            project.start(replica);
            awaitHealthy(replica);
          }
          check();
        });
  }

  @Test
  @Order(4)
  void anAgentIsRestarted() {
    withLoad(
        NODES,
        "default/backend-service",
        () -> {
          say("kill agent-a");
          project.kill("agent-a");
          awaitAnswer("client-a", "http://" + addresses.get("default/backend-service"), "pod=");
          project.start("agent-a");
          awaitHealthy("agent-a");
          check();
        });
  }

  @Test
  @Order(5)
  void kafkaIsRestarted() {
    withLoad(
        NODES,
        "default/backend-service",
        () -> {
          say("kill kafka");
          project.kill("kafka");
          awaitAnswer("client-b", "http://" + addresses.get("default/backend-service"), "pod=");
          awaitAnswer("client-b", "http://backend-service", "pod=");
          project.start("kafka");
          awaitHealthy();
          works("allocator", System.nanoTime());
          check();
        });
  }

  @Test
  @Order(6)
  void etcdIsRestarted() {
    withLoad(
        NODES,
        "default/backend-service",
        () -> {
          say("kill etcd");
          project.kill("etcd");
          awaitAnswer("client-c", "http://" + addresses.get("default/backend-service"), "pod=");
          awaitAnswer("client-c", "http://backend-service", "pod=");
          project.start("etcd");
          awaitHealthy();
          works("allocator", System.nanoTime());
          check();
        });
  }

  /**
   * Its workloads end with it, so those on the others are asked for a Service that has none there.
   */
  @Test
  @Order(7)
  void aNodeIsRestarted() {
    withLoad(
        List.of("a", "c"),
        "default/mysql-service",
        () -> {
          say("restart node-b");
          project.stop("client-b", "backend-b", "my-db-1", "web-app", "agent-b", "node-b");
          project.up();
          awaitHealthy();
          check();
        });
  }

  @Test
  @Order(8)
  void allIsTakenDownAndComesBackWithItsVolumes() {
    say("down");
    project.down();
    assertThat(project.docker("ps -aq --filter label=com.docker.compose.project=" + project.name()))
        .isEmpty();
    say("up again");
    long begun = System.nanoTime();
    project.up();
    awaitAnswer("client-a", "http://backend-service", "pod=backend-");
    say("first answer by name %.1f s after the second up".formatted(seconds(begun)));
    awaitHealthy();
    check();
  }

  // --- what is checked after each step -----------------------------------------------------------

  private static void check() {
    awaitExamples();
    await("all Services have the addresses they had")
        .atMost(SETTLE)
        .ignoreException(AssertionError.class)
        .untilAsserted(() -> assertThat(serviceAddresses()).isEqualTo(addresses));
    awaitDigests();
    say("checked");
  }

  /** By name and by ClusterIP, on every node. */
  private static void awaitExamples() {
    for (var node : NODES) {
      await("the examples answer on node-" + node)
          .atMost(SETTLE)
          .until(() -> ComposeExamples.wrong(project, "client-" + node, addresses), List::isEmpty);
    }
  }

  private static void awaitPods(String client, String url, int pods) {
    await("%d Pods answer %s at %s".formatted(pods, client, url))
        .atMost(SETTLE)
        .until(
            () ->
                project
                    .exec(
                        client,
                        "curl -s --max-time 10 -H 'Connection: close' '%s/?[1-6]'".formatted(url))
                    .out()
                    .lines()
                    .filter(line -> line.startsWith("pod="))
                    .map(line -> line.split(" ", 2)[0])
                    .collect(Collectors.toCollection(TreeSet::new))
                    .size(),
            n -> n == pods);
  }

  private static void awaitAnswer(String client, String url, String beginning) {
    await(client + " is answered by " + url)
        .atMost(SETTLE)
        .until(
            () -> project.exec(client, "curl -s --max-time 5 " + url).out(),
            out -> out.startsWith(beginning));
  }

  /** Also those of dns-service, which are reached on the network of the containers only. */
  private static void awaitDigests() {
    var result =
        await("all replicas know the same")
            .atMost(SETTLE)
            .until(
                () ->
                    project.run(
                        "-e FAIRLEAD_ALLOCATOR=allocator-1:7401,allocator-2:7401"
                            + " -e FAIRLEAD_ENDPOINTS=endpoints-1:7402,endpoints-2:7402,dns-1:7403,dns-2:7403",
                        project.image("cli"),
                        "log status --wait --no-headers"),
                r -> r.exitCode() == 0);
    assertThat(result.out())
        .contains("allocator-1", "allocator-2", "endpoints-1", "endpoints-2", "dns-1", "dns-2");
  }

  private static void awaitHealthy() {
    for (var service : List.of("kafka", "etcd", "agent-a", "agent-b", "agent-c")) {
      awaitHealthy(service);
    }
    for (var service : List.of("allocator", "endpoints", "dns")) {
      awaitHealthy(service + "-1");
      awaitHealthy(service + "-2");
    }
  }

  private static void awaitHealthy(String service) {
    await(service + " is healthy")
        .atMost(SETTLE)
        .until(() -> project.state(service), "healthy"::equals);
  }

  /**
   * What the service is for works on with one replica; how long it took is printed, not bounded.
   */
  private static void works(String service, long since) {
    switch (service) {
      case "allocator" -> {
        await("a Service is made")
            .atMost(SETTLE)
            .until(
                () -> fairlead("create -f - <<< '%s'".formatted(PROBE)),
                r -> r.exitCode() == 0 || r.err().contains("already exists"));
        say("  a Service made %.1f s after".formatted(seconds(since)));
        await("and deleted")
            .atMost(SETTLE)
            .until(
                () -> fairlead("delete service probe"),
                r -> r.exitCode() == 0 || r.err().contains("not found"));
      }
      case "endpoints" -> {
        probe("503");
        awaitPods("client-a", "http://backend-service", 2);
        say("  an endpoint left out on another node %.1f s after".formatted(seconds(since)));
        probe("200");
        awaitPods("client-a", "http://backend-service", 3);
      }
      case "dns" -> {
        awaitAnswer("client-a", "http://backend-service", "pod=");
        say("  a name answered %.1f s after".formatted(seconds(since)));
      }
      default -> throw new IllegalArgumentException(service);
    }
  }

  private static void probe(String status) {
    project
        .exec("client-b", "curl -sS -X PUT -d %s http://localhost:8080/healthz".formatted(status))
        .ok();
  }

  /** Runs the step while each of the nodes connects to the Service's ClusterIP. */
  private static void withLoad(List<String> nodes, String service, Runnable step) {
    var url = "http://%s%s/".formatted(addresses.get(service), port(service));
    var loads = new ArrayList<ContainerLoad>();
    try {
      for (var node : nodes) {
        loads.add(new ContainerLoad(project.container("client-" + node), url));
      }
      for (var load : loads) {
        await("the load runs").atMost(SETTLE).until(() -> load.succeeded() > 0);
      }
      step.run();
    } finally {
      loads.forEach(ContainerLoad::close);
    }
    long connections = loads.stream().mapToLong(ContainerLoad::succeeded).sum();
    say(
        "%d connections to %s from %d nodes meanwhile"
            .formatted(connections, service, nodes.size()));
    for (int i = 0; i < loads.size(); i++) {
      assertThat(loads.get(i).failures()).as("connections from node-" + nodes.get(i)).isEmpty();
    }
  }

  private static String port(String service) {
    return service.equals("default/mysql-service") ? ":3306" : "";
  }

  // --- the command, as on the host ---------------------------------------------------------------

  private static Map<String, String> serviceAddresses() {
    return fairlead("get services -A --no-headers")
        .ok()
        .lines()
        .map(line -> line.strip().split("\\s+", -1))
        .collect(
            Collectors.toMap(
                columns -> columns[0] + "/" + columns[1],
                columns -> columns[3],
                (first, _) -> first,
                TreeMap::new));
  }

  /** Through the published ports. */
  private static Shell.Result fairlead(String words) {
    return HOST.run("java io.fairlead.cli.Main " + words);
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  private static void say(String words) {
    System.out.printf("compose %6.1f s  %s%n", seconds(START), words);
  }
}
