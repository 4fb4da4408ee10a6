package io.fairlead.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.devkit.process.Executables;
import io.fairlead.standalone.plane.Owner;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code up} and {@code down} as anybody runs them: control plane and DNS. */
@Tag("slow")
@Timeout(600)
class PlaneWithoutNodesTest {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir Path temporary;
  private CommandRun fairlead;
  private Path data;

  @BeforeEach
  void needsEtcd() throws IOException {
    Assumptions.assumeTrue(
        Executables.find("etcd").isPresent(), "needs etcd (Debian's package etcd-server)");
    fairlead = new CommandRun(temporary);
    data = temporary.toRealPath().resolve("data");
  }

  @AfterEach
  void down() {
    fairlead.run("down", "--data-dir", data.toString());
  }

  private CommandRun.Running startInForeground() {
    var up = fairlead.start("up", "--nodes", "0", "--ports", "free", "--data-dir", data.toString());
    await("it is ready")
        .atMost(LIMIT)
        .failFast(() -> {
          if (!up.process().isAlive()) {
            throw new IllegalStateException(up.output());
          }
        })
        .until(() -> up.output().contains("Ready in"));
    return up;
  }

  @Test
  void runsInTheForegroundUntilItIsTerminated() throws IOException {
    var up = startInForeground();

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data)))
        .isEqualTo("rwx------");
    fairlead.run("get", "services", "-A", "--no-headers", "--data-dir", data.toString()).succeeds();
    var again =
        fairlead.run("up", "--nodes", "0", "--ports", "free", "--data-dir", data.toString());
    assertThat(again.fails().output())
        .contains(
            "a plane with the data directory " + data + " already runs (pid ",
            "end it first: fairlead down --data-dir " + data + "\n");
    assertThat(
            fairlead
                .run("up", "-d", "--nodes", "0", "--ports", "free", "--data-dir", data.toString())
                .succeeds()
                .output())
        .startsWith("Already up (pid ");

    up.process().destroy();
    var ended = up.await().succeeds();
    assertThat(ended.output().lines().map(line -> line.replaceAll("127\\S+|[0-9.]+ s", "X")))
        .containsExactly(
            "Starting without nodes, data in " + data,
            "  kafka      ready      X",
            "  etcd       ready      X",
            "  allocator  ready      X",
            "  endpoints  ready      X",
            "  dns        ready      X",
            "Ready in X",
            "Ends with Ctrl-C, or from another shell: fairlead down --data-dir " + data,
            "  dns        stopped",
            "  endpoints  stopped",
            "  allocator  stopped",
            "  etcd       stopped",
            "  kafka      stopped",
            "Stopped");
    assertThat(Traces.of(data)).isEmpty();
    assertThat(fairlead.run("down", "--data-dir", data.toString()).succeeds().output())
        .isEqualTo("Nothing to stop: no plane runs here\n");
  }

  @Test
  void endsWithTheCommandThatStartedIt() {
    var up = startInForeground();

    up.process().destroyForcibly();

    // the file that says who has the directory goes before its process
    await("the plane has ended").atMost(LIMIT).until(() -> Traces.of(data).isEmpty());
    assertThat(Owner.of(data)).isEmpty();
  }

  @Test
  void namesThePortsThatAreTakenAndByWhom() throws IOException {
    // where somebody else has the port already, that is who is named
    try (var mine = listen(7401)) {
      var up = fairlead.run("up", "-d", "--nodes", "0", "--data-dir", data.toString()).fails();

      assertThat(up.output())
          .contains(
              "error: ports are in use:",
              "127.0.0.1:7401 (allocator-service, gRPC): "
                  + (mine.isBound() ? "pid " + ProcessHandle.current().pid() + ", " : ""),
              "fairlead up --ports free");
    }
    assertThat(Traces.of(data)).isEmpty();
  }

  /** Not bound where somebody else listens there. */
  private static ServerSocket listen(int port) throws IOException {
    var socket = new ServerSocket();
    try {
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), 1);
    } catch (BindException _) {
      // it is taken, which is what is needed
    }
    return socket;
  }

  @Test
  void failsWhereItIsStoppedBeforeItIsReady() {
    var up =
        fairlead.start(
            "up", "-d", "--nodes", "0", "--ports", "free", "--data-dir", data.toString());
    await("it starts").atMost(LIMIT).until(() -> Owner.live(data).isPresent());

    ProcessHandle.of(Owner.live(data).orElseThrow().process().pid())
        .ifPresent(ProcessHandle::destroy);

    // its start takes far longer than that; where it did not, it is ready and no failure
    var ended = up.await();
    if (!ended.output().contains("Ready in")) {
      assertThat(ended.fails().output())
          .contains("error: the plane was stopped before it was ready");
    }
    assertThat(Traces.of(data)).isEmpty();
  }

  @Test
  void takesNoDirectoryThatHoldsSomethingElse() throws IOException {
    Files.createDirectory(data);
    var mine = Files.writeString(data.resolve("mine"), "x");

    var up = fairlead.run("up", "-d", "--nodes", "0", "--data-dir", data.toString()).fails();

    assertThat(up.output())
        .isEqualTo(
            "error: --data-dir %s: is not empty and not a data directory of fairlead; name a new one\n"
                .formatted(data));
    assertThat(data).isDirectoryNotContaining(path -> !path.equals(mine));
  }

  @Test
  void refusesOptionsThatAreNone() {
    assertThat(fairlead.run("up", "--nodes", "27", "--data-dir", data.toString()).output())
        .contains("--nodes");
    assertThat(fairlead.run("up", "--ports", "some", "--data-dir", data.toString()).code())
        .isEqualTo(2);
    assertThat(data).doesNotExist();
  }
}
