package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.testbed.up.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * Every manifest in {@code examples/}, as a user tries it: {@code fairlead up -d}, {@code apply},
 * and requests from Pods by name. One plane for all, since starting it takes longest; each example
 * uses objects of its own.
 */
@Tag("kernel")
@Timeout(600)
@TestMethodOrder(MethodOrderer.MethodName.class)
class ExamplesTest {
  private static final Path TOP = Path.of("..").toAbsolutePath().normalize();
  private static final Path DATA = Path.of("target", "examples").toAbsolutePath();
  private static final Duration SETTLE = Duration.ofSeconds(60);
  private static final List<String> CLIENTS = List.of("client-a", "client-b", "client-c");

  private static final Shell SHELL =
      new Shell(TOP, Map.of("FAIRLEAD_DATA_DIR", DATA.toString()), Duration.ofMinutes(4));

  @BeforeAll
  static void start() throws IOException {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "needs root: network namespaces and nftables are made");
    fairlead("down");
    delete(DATA);
    fairlead("up -d --ports free").ok();
    fairlead("apply -f examples/clients.yaml").ok();
    fairlead("wait --for=condition=Ready pod client-a client-b client-c --timeout=60s").ok();
  }

  @AfterAll
  static void stop() {
    if ("root".equals(System.getProperty("user.name"))) {
      assertThat(fairlead("down").ok()).contains("Stopped");
    }
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (var file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static Shell.Result fairlead(String words) {
    return SHELL.run("./fairlead " + words);
  }

  /** Applies an example and waits until its Pods are ready. */
  private static void apply(String example, String... pods) {
    fairlead("apply -f examples/" + example).ok();
    awaitReady("default", pods);
  }

  private static void awaitReady(String namespace, String... pods) {
    if (pods.length > 0) {
      fairlead(
              "wait --for=condition=Ready pod -n %s --timeout=60s %s"
                  .formatted(namespace, String.join(" ", pods)))
          .ok();
    }
  }

  private static Shell.Result in(String pod, String command) {
    return fairlead("exec " + pod + " -- " + command);
  }

  private static String curl(String pod, String url) {
    return awaitOutput(pod, "curl -sS --max-time 5 " + url, out -> out.startsWith("pod="));
  }

  /** Repeats the command until its output is as wished: what was applied travels to the nodes. */
  private static String awaitOutput(String pod, String command, Predicate<String> wished) {
    return await(command + " in " + pod)
        .atMost(SETTLE)
        .until(() -> in(pod, command), r -> r.exitCode() == 0 && wished.test(r.out()))
        .out();
  }

  private static Map<String, Long> answers(String pod, String url, int requests) {
    return in(
            pod,
            "curl -sS --max-time 20 -H 'Connection: close' '%s/?[1-%d]'".formatted(url, requests))
        .ok()
        .lines()
        .filter(line -> line.startsWith("pod="))
        .collect(Collectors.groupingBy(ExamplesTest::podOf, TreeMap::new, Collectors.counting()));
  }

  private static String podOf(String line) {
    return line.replaceAll("(?s).*pod=(\\S+).*", "$1");
  }

  private static String column(String line, int number) {
    return line.strip().split("\\s+", -1)[number];
  }

  private static String clusterIp(String service) {
    return column(fairlead("get svc " + service + " --no-headers").ok(), 2);
  }

  @Test
  void backendAnswersEvenlyFromEveryNode() {
    apply("backend.yaml", "backend-a", "backend-b", "backend-c");
    for (var client : CLIENTS) {
      await("three backends answer " + client)
          .atMost(SETTLE)
          .until(() -> answers(client, "http://backend-service", 3).size(), n -> n == 3);
      // again where a probe was late just then, which a busy machine may well do
      await("an even share for " + client)
          .atMost(SETTLE)
          .until(
              () -> answers(client, "http://backend-service", 30),
              a -> a.equals(Map.of("backend-a", 10L, "backend-b", 10L, "backend-c", 10L)));
    }
  }

  @Test
  void backendIsFoundByTheEnvironmentOfAPodThatStartedLater() {
    apply("backend.yaml", "backend-a", "backend-b", "backend-c");
    fairlead("apply -f - <<< '%s'".formatted(sleeper("late"))).ok();
    awaitReady("default", "late");
    var address = clusterIp("backend-service");
    assertThat(in("late", "env").ok().lines())
        .contains("BACKEND_SERVICE_SERVICE_HOST=" + address, "BACKEND_SERVICE_SERVICE_PORT=80");
    assertThat(
            awaitOutput(
                "late",
                "sh -c 'curl -sS --max-time 5 http://$BACKEND_SERVICE_SERVICE_HOST:$BACKEND_SERVICE_SERVICE_PORT'",
                out -> out.startsWith("pod=")))
        .contains("pod=backend-");
    assertThat(fairlead("env -n default").ok()).contains("BACKEND_SERVICE_SERVICE_HOST=" + address);
  }

  @Test
  void backendThatIsNotReadyGetsNothingAndOneThatDiesIsReplacedAndFound() {
    apply("backend.yaml", "backend-a", "backend-b", "backend-c");
    in("backend-b", "curl -sS -X PUT -d 503 http://localhost:8080/healthz").ok();
    await("backend-b is left out")
        .atMost(SETTLE)
        .until(
            () -> answers("client-a", "http://backend-service", 6),
            a -> a.equals(Map.of("backend-a", 3L, "backend-c", 3L)));
    in("backend-b", "curl -sS -X PUT -d 200 http://localhost:8080/healthz").ok();
    await("backend-b is back")
        .atMost(SETTLE)
        .until(() -> answers("client-a", "http://backend-service", 6).size(), n -> n == 3);

    in("backend-b", "sh -c 'kill 1'");
    await("backend-b was started again")
        .atMost(SETTLE)
        .until(() -> restarts("backend-b"), n -> Integer.parseInt(n) >= 1);
    await("it is found")
        .atMost(SETTLE)
        .until(() -> answers("client-a", "http://backend-service", 6).size(), n -> n == 3);

    fairlead("delete pod backend-b").ok();
    await("backend-b is gone")
        .atMost(SETTLE)
        .until(
            () -> answers("client-c", "http://backend-service", 6),
            a -> a.equals(Map.of("backend-a", 3L, "backend-c", 3L)));
    apply("backend.yaml", "backend-b");
    await("the new one is found")
        .atMost(SETTLE)
        .until(() -> answers("client-c", "http://backend-service", 6).size(), n -> n == 3);
  }

  /** The column of {@code get pods}. */
  private static String restarts(String pod) {
    return column(fairlead("get pod " + pod + " --no-headers").ok(), 3);
  }

  private static String sleeper(String name) {
    return "{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: [{name: shell, command: [sleep, infinity]}]}}"
        .formatted(name);
  }

  @Test
  void databaseMovesToAnotherNodeBehindItsNameAndAddress() {
    apply("database.yaml", "mysql-db");
    apply("wordpress.yaml", "wordpress");
    var byVariable = "sh -c 'curl -sS --max-time 5 http://$DB_HOST:3306'";
    assertThat(awaitOutput("wordpress", byVariable, out -> out.startsWith("pod=")))
        .contains("pod=mysql-db node=node-a");
    var before = clusterIp("mysql-service");

    fairlead("delete pod mysql-db").ok();
    SHELL.run("sed s/node-a/node-b/ examples/database.yaml | ./fairlead apply -f -").ok();
    awaitReady("default", "mysql-db");
    assertThat(awaitOutput("wordpress", byVariable, out -> out.startsWith("pod=")))
        .contains("pod=mysql-db node=node-b");
    assertThat(clusterIp("mysql-service")).isEqualTo(before);
  }

  @Test
  void headlessServiceResolvesToItsPods() {
    apply("headless.yaml", "my-db-0", "my-db-1", "my-db-2");
    assertThat(clusterIp("database-headless")).isEqualTo("None");
    var pods =
        fairlead("get pods -l app=my-db -o wide --no-headers")
            .ok()
            .lines()
            .map(line -> column(line, 5))
            .collect(Collectors.toSet());
    assertThat(pods).hasSize(3);
    await("the name resolves to all")
        .atMost(SETTLE)
        .untilAsserted(() ->
            assertThat(
                    in("client-b", "getent ahostsv4 database-headless")
                        .ok()
                        .lines()
                        .map(line -> column(line, 0))
                        .collect(Collectors.toSet()))
                .isEqualTo(pods));
  }

  @Test
  void multiPortServiceHasOneAddress() {
    apply("multi-port.yaml", "web-app");
    assertThat(curl("client-a", "http://app-service")).contains("pod=web-app");
    assertThat(curl("client-c", "http://app-service:9090")).contains("pod=web-app");
    var address = clusterIp("app-service");
    assertThat(curl("client-a", "http://" + address)).contains("pod=web-app");
    assertThat(curl("client-a", "http://" + address + ":9090")).contains("pod=web-app");
  }

  @Test
  void kubeDnsIsAServiceLikeAnyOther() {
    assertThat(fairlead("get svc -n kube-system kube-dns").ok())
        .contains("10.96.0.10")
        .contains("53/UDP,53/TCP");
    assertThat(fairlead("get pods -n kube-system -l k8s-app=kube-dns --no-headers").ok().lines())
        .hasSize(1);
    var name = "kube-dns.kube-system.svc.cluster.local";
    assertThat(in("client-a", "dig +short " + name).ok().strip()).isEqualTo("10.96.0.10");
    assertThat(in("client-a", "dig +short +tcp " + name).ok().strip()).isEqualTo("10.96.0.10");
  }

  @Test
  void staticAddressIsKeptAndATakenOneRefused() {
    apply("static-address.yaml");
    assertThat(clusterIp("well-known")).isEqualTo("10.96.0.20");
    var taken =
        SHELL.run("sed s/well-known/usurper/ examples/static-address.yaml | ./fairlead apply -f -");
    assertThat(taken.exitCode()).isEqualTo(1);
    assertThat(taken.err()).contains("10.96.0.20").contains("default/well-known");
    assertThat(fairlead("get svc usurper").exitCode()).isEqualTo(1);

    fairlead("apply -f - <<< '%s'".formatted(service("dynamic"))).ok();
    var octets = List.of(clusterIp("dynamic").split("\\.", -1));
    assertThat(Integer.parseInt(octets.get(2)) * 256 + Integer.parseInt(octets.get(3)))
        .as("dynamic addresses come from above the static band")
        .isGreaterThan(256);
  }

  private static String service(String name) {
    return "{apiVersion: v1, kind: Service, metadata: {name: %s}, spec: {selector: {app: %s}, ports: [{port: 80, targetPort: 8080}]}}"
        .formatted(name, name);
  }

  @Test
  void otherNamespacesAreReachedByFullName() {
    fairlead("apply -f examples/other-namespace.yaml").ok();
    awaitReady("team-b", "reports", "client");
    assertThat(curl("client-a", "http://reports.team-b.svc.cluster.local")).contains("pod=reports");
    assertThat(curl("client-a", "http://reports.team-b")).contains("pod=reports");
    assertThat(in("client-a", "curl -sS --max-time 5 http://reports").exitCode())
        .as("curl: could not resolve host")
        .isEqualTo(6);
    assertThat(fairlead("exec -n team-b client -- curl -sS --max-time 5 http://reports").ok())
        .contains("pod=reports");
  }

  @Test
  void serviceThatIsCreatedAgainIsFoundByName() {
    var manifest =
        service("again")
            + "\n---\n{apiVersion: v1, kind: Pod, metadata: {name: again, labels: {app: again}}, spec: {containers: [{name: echo, image: fairlead/echo, ports: [{containerPort: 8080}]}]}}";
    fairlead("apply -f - <<< '%s'".formatted(manifest)).ok();
    awaitReady("default", "again");
    curl("client-b", "http://again");
    var before = clusterIp("again");
    fairlead("delete svc again").ok();
    fairlead("apply -f - <<< '%s'".formatted(manifest)).ok();
    var after = clusterIp("again");
    assertThat(after).isNotEqualTo(before);
    // who kept the old address asks again when its time to live is over: "name TTL IN A address"
    var answer =
        awaitOutput(
            "client-b",
            "dig +noall +answer again.default.svc.cluster.local",
            out -> out.strip().endsWith(after));
    assertThat(Integer.parseInt(column(answer, 1))).as(answer).isBetween(1, 5);
    curl("client-b", "http://again");
  }

  @Test
  void hostThatIsNoNodeReachesNoService() {
    apply("backend.yaml", "backend-a", "backend-b", "backend-c");
    var address = clusterIp("backend-service");
    curl("client-a", "http://" + address);
    // the bridge is where the nodes are: node-a is the first of its network
    var nodeA = column(fairlead("get node node-a -o wide --no-headers").ok(), 7); // INTERNAL-IP
    var network = nodeA.substring(0, nodeA.lastIndexOf('.'));
    var centre =
        SHELL
            .run("ip netns list")
            .ok()
            .lines()
            .map(line -> column(line, 0))
            .filter(name -> name.startsWith("fl-") && name.endsWith("-fabric"))
            .filter(name -> nodeAddressPrefix(name).equals(network))
            .findFirst()
            .orElseThrow();
    var stranger = "fl-stranger";
    SHELL.run("ip netns del " + stranger);
    try {
      SHELL
          .run(
              String.join(
                  " && ",
                  "ip netns add " + stranger,
                  "ip -n %s link add str0 type veth peer name eth0 netns %s"
                      .formatted(centre, stranger),
                  "ip -n %s link set str0 master br0 up".formatted(centre),
                  "ip -n %s addr add %s.200/24 dev eth0".formatted(stranger, network),
                  "ip -n %s link set eth0 up".formatted(stranger),
                  "ip -n %s route add default via %s.1".formatted(stranger, network)))
          .ok();
      assertThat(
              SHELL
                  .run(
                      "ip netns exec %s curl -sS --max-time 10 http://%s:7484/livez"
                          .formatted(stranger, nodeA))
                  .exitCode())
          .as("it is attached: it reaches a node")
          .isZero();
      assertThat(
              SHELL
                  .run(
                      "ip netns exec %s curl -sS --max-time 3 http://%s"
                          .formatted(stranger, address))
                  .exitCode())
          .as("curl: could not connect, or no answer")
          .isIn(7, 28);
    } finally {
      SHELL.run("ip netns del " + stranger);
    }
  }

  /** {@code 172.30.x}, of the bridge in the namespace. */
  private static String nodeAddressPrefix(String namespace) {
    return SHELL
        .run("ip -n %s -4 -o addr show dev br0".formatted(namespace))
        .out()
        .replaceAll("(?s).*inet (\\d+\\.\\d+\\.\\d+)\\..*", "$1");
  }
}
