package io.fairlead.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.ProcessId;
import io.fairlead.cli.plane.RunFile;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.process.Executables;
import io.fairlead.standalone.plane.Owner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code up} and {@code down} with nodes, by the real command. */
@Tag("kernel")
@Timeout(900)
class PlaneTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static final String SERVICE =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec:
        selector: {app: web}
        ports: [{port: 80, targetPort: 8080}]
      """;

  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: web, labels: {app: web}}
      spec:
        containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]
      """;

  @TempDir Path temporary;
  private CommandRun fairlead;
  private Path first;
  private Path second;

  @BeforeEach
  void needsRoot() throws IOException {
    Assumptions.assumeTrue(
        PlaneFiles.of(Map.of()).isRoot() && System.getProperty("os.name").equals("Linux"),
        "network namespaces need root on Linux");
    for (var program : List.of("etcd", "ip")) {
      Assumptions.assumeTrue(Executables.find(program).isPresent(), "needs " + program);
    }
    fairlead = new CommandRun(temporary);
    first = temporary.toRealPath().resolve("first");
    second = temporary.toRealPath().resolve("second");
  }

  @AfterEach
  void down() {
    if (fairlead != null) {
      fairlead.run("down", "--data-dir", first.toString());
      fairlead.run("down", "--data-dir", second.toString());
    }
  }

  private CommandRun.Ran up(Path data, int nodes) {
    return fairlead.run(
        "up", "-d", "--ports", "free", "--nodes", Integer.toString(nodes), "--data-dir", "" + data);
  }

  private RunFile plane(Path data) {
    return switch (RunFile.find(Map.of(), java.util.Optional.of(data))) {
      case RunFile.Found.One(var plane) -> plane;
      case RunFile.Found.Nothing _, RunFile.Found.Several _ ->
          throw new AssertionError("no plane with data in " + data);
    };
  }

  private String get(Path data, String... words) {
    var all = new java.util.ArrayList<>(List.of(words));
    all.addAll(0, List.of("get", "--no-headers", "--data-dir", data.toString()));
    return fairlead.run(all.toArray(String[]::new)).succeeds().output();
  }

  private void killPlane(Path data) {
    var process = Owner.live(data).orElseThrow().process();
    ProcessHandle.of(process.pid()).orElseThrow().destroyForcibly();
    await("the plane is dead").atMost(LIMIT).until(() -> ProcessId.of(process.pid()).isEmpty());
  }

  @Test
  void bringsEverythingBackAfterACrash() throws IOException {
    var started = up(first, 3).succeeds();
    assertThat(started.output().lines().map(line -> line.replaceAll(" [0-9][0-9.:/]*( s)?$", " X")))
        .containsExactly(
            "Starting 3 nodes, data in " + first,
            "  fabric     ready      X",
            "  kafka      ready      X",
            "  etcd       ready      X",
            "  allocator  ready      X",
            "  endpoints  ready      X",
            "  dns        ready      X",
            "  node-a     ready      X",
            "  node-b     ready      X",
            "  node-c     ready      X",
            "  pods       ready      X",
            "Ready in X");
    assertThat(get(first, "nodes").lines().map(line -> line.split(" +", -1)[1]))
        .containsExactly("Ready", "Ready", "Ready");
    fairlead
        .run("apply", "--data-dir", "" + first, "-f", "" + manifest("service.yaml", SERVICE))
        .succeeds();
    Files.writeString(first.resolve("manifests/node-a/web.yaml"), POD);
    var node = plane(first).nodes().getFirst();
    await("the static Pod is known")
        .atMost(LIMIT)
        .until(() -> get(first, "pods", "-o", "wide").contains(node.address()));
    var address = clusterIp(first);
    for (var place : plane(first).nodes()) {
      assertThat(resolve(place.namespace(), "web.default.svc.cluster.local")).isEqualTo(address);
    }

    killPlane(first);
    assertThat(fairlead.run("down", "--data-dir", "" + first).succeeds().output())
        .isEqualTo(
            "Clearing what a plane that crashed has left, data in %s\nStopped\n".formatted(first));
    assertThat(Traces.of(first)).isEmpty();

    up(first, 3).succeeds();
    assertThat(clusterIp(first)).isEqualTo(address);
    assertThat(plane(first).nodes().getFirst()).isEqualTo(node);
    assertThat(get(first, "pods", "-o", "wide")).contains(node.address());

    killPlane(first); // now without "down" in between
    up(first, 3).succeeds();
    assertThat(clusterIp(first)).isEqualTo(address);
    assertThat(resolve(plane(first).nodes().getLast().namespace(), "web.default.svc.cluster.local"))
        .isEqualTo(address);
    fairlead.run("down", "--data-dir", "" + first).succeeds();
    assertThat(Traces.of(first)).isEmpty();
  }

  @Test
  void startsAnAgentAgainThatEnds() {
    up(first, 1).succeeds();
    var agent =
        ProcessHandle.of(plane(first).pid())
            .orElseThrow()
            .children()
            .filter(child -> child.info().command().orElse("").endsWith("java"))
            .findFirst()
            .orElseThrow();

    agent.destroyForcibly();

    await("another agent runs")
        .atMost(LIMIT)
        .until(() ->
            ProcessHandle.of(plane(first).pid())
                .orElseThrow()
                .children()
                .anyMatch(child ->
                    child.info().command().orElse("").endsWith("java")
                        && child.pid() != agent.pid()));
    fairlead.run("down", "--data-dir", "" + first).succeeds();
    assertThat(Traces.of(first)).isEmpty();
  }

  @Test
  void podsReadWhatIsTheirsWhateverTheUmask() throws IOException {
    fairlead = fairlead.underAStrictUmask();
    up(first, 1).succeeds();
    var pods =
        """
        {apiVersion: v1, kind: Pod, metadata: {name: shell}, spec: {containers: [{name: c, command: [sleep, infinity]}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: echo}, spec: {containers: [{name: c, image: fairlead/echo, ports: [{containerPort: 8080}]}]}}
        """;
    of(first, "apply", "-f", "" + manifest("pods.yaml", pods));
    of(first, "wait", "--for=condition=Ready", "pod", "shell", "echo", "--timeout=60s");

    assertThat(of(first, "exec", "shell", "--", "sh", "-c", "cat /etc/resolv.conf; umask"))
        .isEqualTo(
            """
            nameserver 10.96.0.10
            search default.svc.cluster.local svc.cluster.local cluster.local
            options ndots:5
            0022
            """);
    var echo = get(first, "pods", "echo", "-o", "wide").split(" +", -1)[5];
    assertThat(of(first, "exec", "shell", "--", "curl", "-s", "http://" + echo + ":8080/"))
        .contains("pod=echo");
    var files = PlaneFiles.of(Map.of());
    var runFile = RunFile.file(files, plane(first).id());
    assertThat(mode(runFile)).isEqualTo("rw-r--r--");
    assertThat(mode(files.runDirectory())).isEqualTo("rwxr-xr-x");
    assertThat(mode(runFile.resolveSibling("fabric-" + plane(first).id() + ".lock")))
        .as("whoever reads it could lock it")
        .isEqualTo("rw-------");

    of(first, "down");
    assertThat(Traces.of(first)).isEmpty();
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  /** What a verb prints of the plane. */
  private String of(Path data, String verb, String... words) {
    var all = new java.util.ArrayList<>(List.of(words));
    all.addAll(0, List.of(verb, "--data-dir", data.toString()));
    return fairlead.run(all.toArray(String[]::new)).succeeds().output();
  }

  @Test
  void twoPlanesOfOneMachineKeepOutOfEachOthersWay() {
    up(first, 1).succeeds();
    up(second, 1).succeeds();

    assertThat(get(first, "nodes")).contains("node-a").hasLineCount(1);
    assertThat(plane(first).nodes()).doesNotContainAnyElementsOf(plane(second).nodes());
    killPlane(first);
    fairlead.run("down", "--data-dir", "" + first).succeeds();

    assertThat(Traces.of(first)).isEmpty();
    assertThat(
            resolve(
                plane(second).nodes().getFirst().namespace(),
                "kube-dns.kube-system.svc.cluster.local"))
        .isEqualTo("10.96.0.10");
    assertThat(get(second, "nodes")).contains("Ready");
  }

  private Path manifest(String name, String text) throws IOException {
    return Files.writeString(temporary.resolve(name), text);
  }

  private String clusterIp(Path data) {
    return get(data, "service", "web").split(" +", -1)[2];
  }

  /** The address of a name, asked of kube-dns from a node; asked again while there is no answer. */
  private static String resolve(String namespace, String name) {
    return await("an address of " + name)
        .atMost(LIMIT)
        .until(() -> ask(namespace, name), answer -> !answer.isEmpty());
  }

  /** A query by RFC 1035 for A, recursion desired; the address is the end of a lone answer. */
  private static String ask(String namespace, String name) throws IOException {
    var query = new ByteArrayOutputStream();
    query.writeBytes(new byte[] {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    for (var label : name.split("\\.", -1)) {
      query.write(label.length());
      query.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
    }
    query.writeBytes(new byte[] {0, 0, 1, 0, 1});
    try (var channel = NetnsSockets.datagram(namespace, new InetSocketAddress("0.0.0.0", 0))) {
      var socket = channel.socket();
      socket.setSoTimeout(1_000);
      socket.send(
          new DatagramPacket(
              query.toByteArray(), query.size(), new InetSocketAddress("10.96.0.10", 53)));
      var answer = new DatagramPacket(new byte[512], 512);
      socket.receive(answer);
      var bytes = Arrays.copyOf(answer.getData(), answer.getLength());
      return bytes[7] == 1
          ? InetAddress.getByAddress(Arrays.copyOfRange(bytes, bytes.length - 4, bytes.length))
              .getHostAddress()
          : "";
    } catch (SocketTimeoutException _) {
      return "";
    }
  }
}
