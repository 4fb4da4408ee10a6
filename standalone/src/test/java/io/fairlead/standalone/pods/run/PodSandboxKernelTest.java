package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.Machine.await;
import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.image;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.plane.ProcessId;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.process.Executables;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the processes of a Pod are, see and can do. */
@Tag("kernel")
@Timeout(120)
final class PodSandboxKernelTest extends PodsOnAMachine {
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
  void nothingIsRunInWhatGotTheNumberOfAProcessThatEnded() throws Exception {
    var pod = sleeper("reused");
    run(pod);
    assertThat(exec(pod, "main", "sh", "-c", "ls /proc/self/fd | wc -l"))
        .as("standard input, output, error, and the directory that is listed")
        .isEqualTo("4\nexit 0");
    var self = ProcessId.self();
    var other = new ProcessId(self.pid(), self.started() + "1"); // one that began at another time
    var task = new Sandbox.Task(List.of("id"), Map.of(), Optional.empty());
    var sandbox = Sandbox.of(new RunUser(65534, 65534, "/"));
    for (var gone : List.of(other, new ProcessId(Integer.MAX_VALUE, "1"))) {
      var process = ExecProcess.start("reused", sandbox.beside(gone, task));
      assertThat(new String(process.stderr().readAllBytes(), StandardCharsets.UTF_8))
          .isEqualTo("the container has ended\n");
      assertThat(process.stdout().readAllBytes()).isEmpty();
      assertThat(process.awaitExit()).isEqualTo(126);
    }
  }
}
