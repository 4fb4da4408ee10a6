package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.Machine.await;
import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.image;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Pod;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.process.Executables;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real namespaces and processes, over an API in memory. */
@Tag("kernel")
@Timeout(120)
final class PodsKernelTest {
  @TempDir static Path directory;
  private static Machine machine;

  /** Where everybody may write, as in /tmp. */
  private static Path shared;

  private final FakePodApi api = new FakePodApi();
  private PodSupervisor pods;

  @BeforeAll
  static void create() throws IOException {
    shared = Files.createTempDirectory("runner1-");
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    machine = Machine.create("runner1", directory);
  }

  @AfterAll
  static void remove() {
    Trees.delete(shared);
    if (machine != null) {
      machine.close();
    }
  }

  @BeforeEach
  void start() {
    pods = machine.supervisor(api);
  }

  @AfterEach
  void stop() {
    pods.close();
    assertThat(machine.fabric().nodes()).allMatch(node -> node.pods().isEmpty());
  }

  private PodReport run(Pod pod) {
    api.apply(pod);
    return awaitPhase(pod, Pod.Phase.RUNNING);
  }

  private PodReport awaitPhase(Pod pod, Pod.Phase phase) {
    await(
        pod.name() + " " + phase,
        () -> api.report(pod.uid()).filter(r -> r.phase() == phase).isPresent());
    return api.report(pod.uid()).orElseThrow();
  }

  private String log(Pod pod, String container, int back) {
    try (var reader =
        pods.find(pod.name())
            .orElseThrow()
            .log(container, back)
            .orElseThrow()
            .read(OptionalLong.empty())) {
      var text = new StringBuilder();
      for (var bytes = reader.next(RunLog.Reader.AtEnd.STOP);
          bytes.length > 0;
          bytes = reader.next(RunLog.Reader.AtEnd.STOP)) {
        text.append(new String(bytes, StandardCharsets.UTF_8));
      }
      return text.toString();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void awaitLog(Pod pod, String container, String text) {
    await(
        pod.name() + " prints " + text,
        () -> {
          var worker = pods.find(pod.name());
          return worker.isPresent()
              && worker.get().log(container, 0).isPresent()
              && log(pod, container, 0).contains(text);
        });
  }

  private String exec(Pod pod, String container, String... command) {
    try {
      var process =
          pods.find(pod.name()).orElseThrow().exec(container, List.of(command)).orElseThrow();
      process.stdin().close();
      var text = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      text += new String(process.stderr().readAllBytes(), StandardCharsets.UTF_8);
      return text + "exit " + process.awaitExit();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void isNobodyWithoutAnyRightInNamespacesOfItsOwn() throws IOException {
    var pod =
        pod(
            "web.v1",
            container(
                "main",
                Map.of("GREETING", "hello $(HOSTNAME), $$(HOSTNAME) $(NONE)", "A", "1"),
                "sh",
                "-c",
                "echo pid $$$$; env; cat /proc/self/status; exec sleep 600"));
    var report = run(pod);
    awaitLog(pod, "main", "nonvoluntary_ctxt_switches");

    assertThat(log(pod, "main", 0).lines())
        .contains(
            "pid 1",
            "Uid:\t65534\t65534\t65534\t65534",
            "Gid:\t65534\t65534\t65534\t65534",
            "Groups:\t ",
            "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000",
            "CapBnd:\t0000000000000000",
            "NoNewPrivs:\t1",
            "GREETING=hello web.v1, $(HOSTNAME) $(NONE)",
            "HOME=/",
            "HOSTNAME=web.v1",
            "PATH=" + ContainerEnvironment.PATH)
        .noneMatch(line -> line.startsWith("JAVA_HOME") || line.startsWith("SUDO"));
    assertThat(report.node()).isEqualTo("node-a");
    assertThat(report.address().orElseThrow()).startsWith("10.244.1.");
    assertThat(exec(pod, "main", "sh", "-c", "id -u; hostname; cat /proc/1/comm; pwd; exit 9"))
        .isEqualTo("65534\nweb.v1\nsleep\n/\nexit 9");
    assertThat(exec(pod, "main", "cat", "/etc/resolv.conf"))
        .isEqualTo(
            """
            nameserver 10.96.0.10
            search shop.svc.cluster.local svc.cluster.local cluster.local
            options ndots:5
            exit 0\
            """);
    assertThat(exec(pod, "main", "cat", "/etc/hosts"))
        .contains(report.address().orElseThrow() + "\tweb.v1\n");
    assertThat(exec(pod, "main", "sh", "-c", "grep -E 'Uid|CapEff|NoNew' /proc/self/status"))
        .isEqualTo(
            "Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nexit 0");
    for (var namespace : List.of("net", "mnt", "pid")) {
      assertThat(exec(pod, "main", "readlink", "/proc/self/ns/" + namespace))
          .doesNotContain(Files.readSymbolicLink(Path.of("/proc/self/ns", namespace)).toString());
    }
    assertThat(exec(pod, "main", "/no/such")).endsWith("exit 127");
    assertThat(exec(pod, "main", "sh", "-c", "kill -9 $$")).endsWith("exit 137");
  }

  @Test
  void theValuesOfVariablesStandInNoCommandLine() {
    var odd = " it's \"$HOME\" `id` \\ ;\nnext=1 ";
    var pod =
        pod(
            "secretive",
            container(
                "main",
                Map.of("SECRET", "fairlead-7531", "ODD", odd, "a.b-c", "dotted"),
                "sh",
                "-c",
                "echo got $SECRET; exec sleep 600"));
    run(pod);
    awaitLog(pod, "main", "got fairlead-7531\n");
    assertThat(exec(pod, "main", "printenv", "SECRET", "ODD", "a.b-c"))
        .isEqualTo("fairlead-7531\n" + odd + "\ndotted\nexit 0");
    assertThat(exec(pod, "main", "env")).doesNotContain("FAIRLEAD_ENV");
    assertThat(exec(pod, "main", "sh", "-c", "sleep 0; cat /proc/[0-9]*/cmdline"))
        .doesNotContain("fairlead-7531");
    await("it runs", () -> isRunning("600"));
    assertThat(ProcessHandle.allProcesses().map(process -> process.info().commandLine()))
        .noneMatch(line -> line.orElse("").contains("fairlead-7531"));
  }

  @Test
  void itsOwnMountsDoNotChangeWhatIsRunBesideIt() {
    var setpriv = Executables.require("setpriv", "util-linux");
    var pod =
        pod(
            "mounter",
            container(
                "main",
                "unshare",
                "-Urm",
                "sh",
                "-c",
                "mount --bind /bin/echo %1$s && %1$s mounted; exec sleep 600".formatted(setpriv)));
    run(pod);
    await("it runs", () -> !log(pod, "main", 0).isEmpty());
    Assumptions.assumeTrue(
        log(pod, "main", 0).equals("mounted\n"), "this machine keeps user namespaces from users");
    assertThat(exec(pod, "main", "sh", "-c", "id -u; cat /proc/1/comm"))
        .isEqualTo("65534\nsleep\nexit 0");
  }

  @Test
  void answersFromTheBuiltInImageOnLowPorts() throws IOException {
    var pod = pod("echo", image("main", "fairlead/echo:1", 80, 8080));
    var report = run(pod);
    awaitLog(pod, "main", "ready");
    for (var port : List.of(80, 8080)) {
      assertThat(ask("node-b", report.address().orElseThrow(), port))
          .contains("pod=echo node=node-a client=" + machine.fabric().node("node-b").address());
    }
  }

  private static String ask(String node, String host, int port) throws IOException {
    try (var socket =
        NetnsSockets.connect(
            machine.fabric().node(node).namespace(),
            new InetSocketAddress(InetAddress.ofLiteral(host), port),
            Duration.ofSeconds(5))) {
      socket.write(ByteBuffer.wrap("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
      return new String(socket.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void containersOfAPodShareItsAddress() {
    var pod = pod("two", image("web", "fairlead/echo", 8080), container("side", "sleep", "600"));
    run(pod);
    awaitLog(pod, "web", "ready");
    assertThat(
            exec(
                pod,
                "side",
                "bash",
                "-c",
                "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"))
        .contains("pod=two node=node-a client=127.0.0.1:");
  }

  @Test
  void spreadsOverTheNodesAndKeepsToTheOneThatWasNamed() {
    var all = List.of(sleeper("a"), sleeper("b"), sleeper("c"), sleeper("d"));
    all.forEach(this::run);
    var nodes =
        all.stream()
            .map(pod -> api.report(pod.uid()).orElseThrow().node())
            .collect(Collectors.groupingBy(n -> n, Collectors.counting()));
    assertThat(nodes).isEqualTo(Map.of("node-a", 2L, "node-b", 2L));
    var bound = onNode(sleeper("e"), "node-b");
    assertThat(run(bound).node()).isEqualTo("node-b");
  }

  private static Pod onNode(Pod pod, String node) {
    var spec = pod.spec();
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            Optional.of(node), false, spec.hostname(), spec.subdomain(), spec.containers()),
        pod.status(),
        pod.source());
  }

  private static Pod sleeper(String name) {
    return pod(name, container("main", "sleep", "600"));
  }

  @Test
  void startsAgainWhatEndsAndCountsIt() {
    var pod = pod("crash", container("main", "sh", "-c", "echo run; exit 3"));
    api.apply(pod);
    await(
        "third run",
        () ->
            api.report(pod.uid())
                .filter(r -> r.containers().getFirst().restarts() >= 2)
                .isPresent());
    await(
        "back-off",
        () ->
            api.report(pod.uid()).orElseThrow().containers().getFirst().state()
                    instanceof ContainerState.Waiting(var reason, _)
                && reason.equals("CrashLoopBackOff"));
    var report = api.report(pod.uid()).orElseThrow();
    assertThat(report.phase()).isEqualTo(Pod.Phase.RUNNING);
    assertThat(report.containers().getFirst().last().orElseThrow().exitCode()).isEqualTo(3);
    assertThat(log(pod, "main", 0)).isEqualTo("run\n");
    assertThat(log(pod, "main", 1)).isEqualTo("run\n");
  }

  @Test
  void endsWithItsContainersWhereTheyAreNotToRunAgain() {
    var good =
        pod("good", Pod.RestartPolicy.NEVER, container("main", "echo", "$(HOSTNAME)", "done"));
    var bad =
        pod(
            "bad",
            Pod.RestartPolicy.NEVER,
            container("a", "true"),
            container("b", "sh", "-c", "exit 2"));
    var retried =
        pod(
            "retried",
            Pod.RestartPolicy.ON_FAILURE,
            container(
                "main",
                "sh",
                "-c",
                "test -e %1$s || { touch %1$s; exit 1; }".formatted(shared.resolve("retried"))));
    List.of(good, bad, retried).forEach(api::apply);
    awaitPhase(good, Pod.Phase.SUCCEEDED);
    var failed = awaitPhase(bad, Pod.Phase.FAILED);
    assertThat(((ContainerState.Terminated) failed.containers().get(1).state()).exitCode())
        .isEqualTo(2);
    var second = awaitPhase(retried, Pod.Phase.SUCCEEDED).containers().getFirst();
    assertThat(second.restarts()).isEqualTo(1);
    assertThat(log(good, "main", 0)).isEqualTo("good done\n");
    await(
        "their namespaces are gone",
        () -> machine.fabric().nodes().stream().allMatch(node -> node.pods().isEmpty()));
  }

  @Test
  void tellsWhichSignalEndedIt() {
    var pod = pod("killed", Pod.RestartPolicy.NEVER, container("main", "sleep", "654323"));
    run(pod);
    await("it runs", () -> isRunning("654323"));
    ProcessHandle.allProcesses()
        .filter(process ->
            process
                .info()
                .arguments()
                .filter(a -> List.of(a).equals(List.of("654323")))
                .isPresent())
        .forEach(ProcessHandle::destroyForcibly);
    var end = awaitPhase(pod, Pod.Phase.FAILED).containers().getFirst().state();
    assertThat(((ContainerState.Terminated) end).exitCode()).isEqualTo(137);
    assertThat(log(pod, "main", 0)).isEmpty();
  }

  @Test
  void endsOnSigtermWithinItsGrace() {
    var pod =
        pod(
            "polite",
            container(
                "main",
                "sh",
                "-c",
                "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
    run(pod);
    awaitLog(pod, "main", "ready");
    var log = directory.resolve(pod.uid().toString()).resolve("main/0.log");
    var kept = directory.resolve("polite.log");
    assertThat(log).exists();
    link(kept, log); // goes with the Pod
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
    await("its directory is gone", () -> !Files.exists(log));
    assertThat(kept).content().endsWith("bye\n");
    await(
        "its namespace is gone",
        () -> machine.fabric().nodes().stream().allMatch(node -> node.pods().isEmpty()));
  }

  private static void link(Path link, Path file) {
    try {
      Files.createLink(link, file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void isKilledWhenItsGraceIsOverWithWhatItStarted() {
    var pod =
        pod(
            "deaf",
            container("main", "sh", "-c", "trap '' TERM; setsid sleep 654321 & echo ready; wait"));
    run(pod);
    awaitLog(pod, "main", "ready");
    await("its child runs", () -> isRunning("654321"));
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("it is asked to end", () -> pods.find(pod.name()).isPresent() && isRunning("654321"));
    assertThat(api.has(pod.uid())).isTrue();
    api.deleteBy(pod.uid(), Instant.now()); // an earlier end than before
    await("its record is gone", () -> !api.has(pod.uid()));
    assertThat(isRunning("654321")).isFalse();
  }

  private static boolean isRunning(String argument) {
    return ProcessHandle.allProcesses()
        .anyMatch(process ->
            process.info().arguments().filter(a -> List.of(a).contains(argument)).isPresent());
  }

  @Test
  void whatHasNoHandlerDiesOfSigtermAtOnce() {
    var pod = sleeper("plain");
    run(pod);
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void aRecordThatIsGoneEndsItsProcesses() {
    var pod = pod("gone", container("main", "sleep", "654322"));
    run(pod);
    await("it runs", () -> isRunning("654322"));
    api.remove(pod.uid());
    await("it has ended", () -> !isRunning("654322"));
    assertThat(pods.find(pod.name())).isEmpty();
  }

  @Test
  void theNextRunnerStartsItAgainWithItsAddressAndCount() {
    var first = sleeper("first"); // so that the other one's address is not the first free one
    run(first);
    var pod =
        pod(
            "stays",
            container(
                "main",
                "sh",
                "-c",
                "test -e %1$s && exec sleep 600; touch %1$s".formatted(shared.resolve("stays"))));
    api.apply(pod);
    await(
        "second run",
        () ->
            api.report(pod.uid())
                .filter(r -> r.containers().getFirst().restarts() == 1)
                .filter(r -> r.containers().getFirst().state() instanceof ContainerState.Running)
                .isPresent());
    var before = api.report(pod.uid()).orElseThrow();
    pods.close();
    assertThat(api.report(pod.uid())).contains(before);
    api.remove(first.uid());
    var late = sleeper("aaa-late"); // would get the address, were it not kept
    api.apply(late);

    pods = machine.supervisor(api);

    await("synced", pods::isSynced);
    await(
        "it runs again",
        () ->
            api.report(pod.uid()).orElseThrow().containers().getFirst().state()
                    instanceof ContainerState.Running(var started)
                && !before
                    .containers()
                    .getFirst()
                    .state()
                    .equals(new ContainerState.Running(started)));
    var after = api.report(pod.uid()).orElseThrow();
    assertThat(after.address()).isEqualTo(before.address());
    assertThat(after.node()).isEqualTo(before.node());
    assertThat(after.containers().getFirst().restarts()).isEqualTo(1);
  }

  @Test
  void goesOnWhileNobodyAnswersAndTellsLater() {
    var pod =
        pod(
            "lonely",
            container(
                "main",
                "sh",
                "-c",
                "trap 'exit 1' USR1; echo ready; while :; do sleep 0.05; done"));
    run(pod);
    awaitLog(pod, "main", "ready");
    api.goAway();
    assertThat(exec(pod, "main", "sh", "-c", "kill -USR1 1")).isEqualTo("exit 0");
    await(
        "it was started again, with the variables it had",
        () ->
            pods.find(pod.name()).orElseThrow().containers().getFirst().restarts() == 1
                && pods.find(pod.name()).orElseThrow().containers().getFirst().state()
                    instanceof ContainerState.Running);
    assertThat(api.report(pod.uid()).orElseThrow().containers().getFirst().restarts()).isZero();
    api.comeBack();
    await(
        "the API knows",
        () -> api.report(pod.uid()).orElseThrow().containers().getFirst().restarts() == 1);
    var late = sleeper("late");
    run(late);
  }

  @Test
  void waitsForTheServicesRatherThanStartingWithout() {
    api.servicesGoAway();
    var pod =
        pod(
            "asks",
            container(
                "main", "sh", "-c", "echo at $WEB_SERVICE_HOST:$WEB_SERVICE_PORT; sleep 600"));
    api.apply(pod);
    await(
        "it waits",
        () ->
            api.report(pod.uid())
                .filter(r ->
                    r.containers().getFirst().state()
                            instanceof ContainerState.Waiting(var reason, _)
                        && reason.equals("CreateContainerConfigError"))
                .isPresent());
    assertThat(api.report(pod.uid()).orElseThrow().phase()).isEqualTo(Pod.Phase.PENDING);
    var web = TestObjects.service("web", "10.96.0.20");
    api.services(
        List.of(
            new io.fairlead.core.model.Service(
                TestObjects.meta("shop", "web", Map.of()), web.spec())));
    api.comeBack();
    awaitLog(pod, "main", "at 10.96.0.20:80\n");
  }

  @Test
  void saysWhatToDoWhereAnImageCannotRun() {
    var pod = pod("nginx", container("ok", "true"), image("web", "nginx:1", 80));
    api.apply(pod);
    var report = awaitPhase(pod, Pod.Phase.PENDING);
    assertThat(report.reason()).isEqualTo("ErrImageNeverPull");
    assertThat(report.message())
        .isEqualTo(
            "image \"nginx:1\" can't be run: process Pods run a command; give spec.containers[1].command, or image fairlead/echo");
    assertThat(report.containers().get(1).state())
        .isEqualTo(new ContainerState.Waiting("ErrImageNeverPull", report.message()));
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void aPodOfANodeThatIsGoneCanBeDeleted() {
    api.breakDeletions(1);
    var pod = onNode(sleeper("stray"), "node-z");
    api.apply(pod);
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void itsRecordGoesAlsoWhereItsWorkerMetWhatNobodyExpected() {
    var pod = sleeper("fragile");
    run(pod);
    api.breakDeletions(1);
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void goesOnAfterWhatNobodyExpected() {
    api.breakServices(2);
    var pod = sleeper("lucky");
    run(pod);
    var other = pod("unlucky", container("main", "sleep", "600"));
    api.breakServices(Integer.MAX_VALUE);
    api.apply(other);
    await(
        "it says so",
        () ->
            api.report(other.uid())
                .filter(r ->
                    r.containers().getFirst().state()
                            instanceof ContainerState.Waiting(var reason, _)
                        && reason.equals("RunContainerError"))
                .isPresent());
    api.deleteBy(other.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(other.uid()));
  }

  @Test
  void aUserCannotReachRootThroughTheEnvironment() throws IOException {
    // what runs as root before the user is taken on must not see the container's variables
    var trap = directory.resolve("trap.sh");
    Files.writeString(trap, "id -u > " + directory.resolve("caught") + "\n");
    var pod =
        pod(
            "sly",
            container(
                "main",
                Map.of("ENV", trap.toString(), "BASH_ENV", trap.toString(), "LD_PRELOAD", "/x.so"),
                "sleep",
                "600"));
    run(pod);
    awaitLog(pod, "main", "/x.so");
    // only the user's own programs complain
    assertThat(directory.resolve("caught")).doesNotExist();
  }
}
