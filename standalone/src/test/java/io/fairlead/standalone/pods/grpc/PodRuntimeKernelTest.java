package io.fairlead.standalone.pods.grpc;

import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.image;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.client.RuntimeCommands;
import io.fairlead.agent.probe.ProbeResult;
import io.fairlead.cli.Console;
import io.fairlead.cli.Fairlead;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.standalone.pods.run.ContainerState;
import io.fairlead.standalone.pods.run.FakePodApi;
import io.fairlead.standalone.pods.run.Machine;
import io.fairlead.standalone.pods.run.PodSupervisor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code fairlead logs} and {@code fairlead exec}, over gRPC, in real Pods. */
@Tag("kernel")
@Timeout(120)
final class PodRuntimeKernelTest {
  @TempDir static Path directory;
  private static final FakePodApi API = new FakePodApi();
  private static final Pod TICKS =
      pod(
          "ticks",
          container(
              "main",
              "sh",
              "-c",
              "echo one; echo two >&2; trap 'echo end; exit 0' TERM; trap 'echo three' USR1; while :; do sleep 0.05; done"),
          container("side", "sleep", "600"));
  private static Machine machine;
  private static PodSupervisor pods;
  private static GrpcServer server;

  @BeforeAll
  static void start() {
    machine = Machine.create("runner2", directory);
    pods = machine.supervisor(API);
    server =
        GrpcServer.start(
            GrpcServer.Settings.listening(new HostPort("127.0.0.1", 0)),
            List.of(new PodRuntimeService(pods)),
            List.of(),
            new Metrics());
    API.apply(TICKS);
    Machine.await(
        "both run",
        () ->
            API.report(TICKS.uid())
                .filter(r ->
                    r.containers().stream()
                        .allMatch(c -> c.state() instanceof ContainerState.Running))
                .isPresent());
    Machine.await("it has printed", () -> run("logs", "ticks", "-c", "main").out().contains("two"));
  }

  @AfterAll
  static void stop() {
    if (machine != null) {
      server.close();
      pods.close();
      machine.close();
    }
  }

  record Ran(int code, String out, String err) {}

  private static Ran run(String... args) {
    return runWith(InputStream.nullInputStream(), args);
  }

  private static Ran runWith(InputStream stdin, String... args) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    int code = execute(stdin, out, err, args);
    return new Ran(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static int execute(
      InputStream stdin, ByteArrayOutputStream out, ByteArrayOutputStream err, String... args) {
    var console =
        new Console(
            stdin,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    var environment =
        Map.of("FAIRLEAD_POD_RUNTIME", "127.0.0.1:" + server.port(), "FAIRLEAD_NAMESPACE", "shop");
    return new Fairlead(console, environment, Time.system(), RandomSource.seeded(1))
        .commandLine()
        .execute(args);
  }

  @Test
  void printsWhatWasPrinted() {
    assertThat(run("logs", "pod/ticks", "-c", "main").out()).startsWith("one\ntwo\n");
    assertThat(run("logs", "ticks", "-c", "side")).isEqualTo(new Ran(0, "", ""));
    assertThat(run("logs", "ticks", "-c", "main", "--tail", "0").out()).isEmpty();
  }

  @Test
  void followsUntilTheEnd() throws Exception {
    var pod =
        pod(
            "short",
            Pod.RestartPolicy.NEVER,
            container(
                "main",
                "sh",
                "-c",
                "trap 'echo end; exit 0' USR1; echo begin; while :; do sleep 0.05; done"));
    API.apply(pod);
    Machine.await("begun", () -> run("logs", "short", "-c", "main").out().equals("begin\n"));
    var followed = new CompletableFuture<Ran>();
    Thread.ofPlatform().start(() -> followed.complete(run("logs", "-f", "short", "-c", "main")));
    assertThat(run("exec", "short", "-c", "main", "--", "kill", "-USR1", "1").code()).isZero();
    assertThat(followed.get()).isEqualTo(new Ran(0, "begin\nend\n", ""));
    // and later
    assertThat(run("logs", "short", "-c", "main", "--tail=1").out()).isEqualTo("end\n");
    Machine.await(
        "it has ended", () -> API.report(pod.uid()).orElseThrow().phase() == Pod.Phase.SUCCEEDED);
    assertThat(run("exec", "short", "-c", "main", "--", "true"))
        .isEqualTo(
            new Ran(
                1,
                "",
                "Error from server (BadRequest): container \"main\" in pod \"short\" has ended with exit code 0\n"));
  }

  @Test
  void runsAProgramAndEndsAsItDoes() {
    assertThat(
            run("exec", "ticks", "-c", "side", "--", "sh", "-c", "echo out; echo err >&2; exit 7"))
        .isEqualTo(new Ran(7, "out\n", "err\n"));
    assertThat(run("exec", "ticks", "-c", "side", "--", "cat", "/proc/1/comm"))
        .isEqualTo(new Ran(0, "sleep\n", ""));
    assertThat(run("exec", "ticks", "-c", "side", "--", "no-such-program").code()).isEqualTo(127);
  }

  @Test
  void handsStandardInputOn() {
    var text = "line\n".repeat(200_000); // more than all buffers on the way
    var ran =
        runWith(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
            "exec",
            "-i",
            "ticks",
            "-c",
            "side",
            "--",
            "cat");
    assertThat(ran.code()).isZero();
    assertThat(ran.out()).isEqualTo(text);
    // without -i there is none
    assertThat(run("exec", "ticks", "-c", "side", "--", "cat")).isEqualTo(new Ran(0, "", ""));
  }

  @Test
  void aProgramThatDoesNotReadItsInputStillEnds() throws IOException {
    try (var endless = new PipedInputStream();
        var _ = new PipedOutputStream(endless)) {
      assertThat(runWith(endless, "exec", "-i", "ticks", "-c", "side", "--", "echo", "done"))
          .isEqualTo(new Ran(0, "done\n", ""));
    }
  }

  @Test
  void doesNotWaitForWhatIsLeftInTheBackground() {
    assertThat(run("exec", "ticks", "-c", "side", "--", "sh", "-c", "sleep 600 & echo started"))
        .isEqualTo(new Ran(0, "started\n", ""));
  }

  @Test
  void endsTheProgramWhenTheClientGoes() throws Exception {
    var channel =
        io.fairlead.runtime.GrpcChannels.of(List.of(new HostPort("127.0.0.1", server.port())));
    var call =
        io.fairlead.v1.PodRuntimeGrpc.newStub(channel)
            .exec(
                new io.grpc.stub.StreamObserver<>() {
                  @Override
                  public void onNext(io.fairlead.v1.ExecReply reply) {}

                  @Override
                  public void onError(Throwable cause) {}

                  @Override
                  public void onCompleted() {}
                });
    call.onNext(
        io.fairlead.v1.ExecRequest.newBuilder()
            .setStart(
                io.fairlead.v1.ExecStart.newBuilder()
                    .setNamespace("shop")
                    .setPod("ticks")
                    .setContainer("side")
                    .addAllCommand(List.of("sleep", "765432")))
            .build());
    Machine.await("it runs", () -> isRunning("765432"));
    channel.shutdownNow();
    Machine.await("it has ended", () -> !isRunning("765432"));
  }

  private static ProbeResult probe(Duration timeout, String... command)
      throws InterruptedException {
    try (var commands = new RuntimeCommands(new HostPort("127.0.0.1", server.port()))) {
      return commands.run(TICKS, TICKS.spec().containers().getLast(), List.of(command), timeout);
    }
  }

  @Test
  void runsTheProgramOfAnAgentsProbeInThePlaceOfTheContainer() throws Exception {
    var limit = Duration.ofSeconds(30);
    assertThat(probe(limit, "sh", "-c", "test \"$HOSTNAME\" = ticks && test $(id -u) != 0"))
        .isEqualTo(new ProbeResult.Passed("exit code 0"));
    assertThat(probe(limit, "sh", "-c", "echo not yet >&2; exit 7"))
        .isEqualTo(new ProbeResult.Failed("exit code 7: not yet"));
    assertThat(probe(Duration.ofSeconds(3), "sleep", "876543"))
        .isEqualTo(new ProbeResult.Failed("timeout"));
    Machine.await("it was killed", () -> !isRunning("876543"));
  }

  private static boolean isRunning(String argument) {
    return ProcessHandle.allProcesses()
        .anyMatch(process ->
            process.info().arguments().filter(a -> List.of(a).contains(argument)).isPresent());
  }

  @Test
  void saysWhatIsWrong() {
    assertThat(run("logs", "none", "-c", "x").err())
        .isEqualTo("Error from server (NotFound): pods \"none\" not found\n");
    assertThat(run("logs", "ticks", "-c", "x").err())
        .isEqualTo("Error from server (BadRequest): container x is not valid for pod ticks\n");
    assertThat(run("logs", "ticks", "-c", "main", "-p").err())
        .isEqualTo(
            "Error from server (BadRequest): previous terminated container \"main\" in pod \"ticks\" not found\n");
    assertThat(run("exec", "ticks", "-c", "side", "true").err())
        .startsWith("error: exec POD COMMAND is not supported. Use exec POD -- COMMAND instead\n");
    assertThat(run("exec", "ticks", "-c", "side").err())
        .startsWith("error: you must specify at least one command for the container\n");
    assertThat(run("logs", "service/web").err())
        .startsWith("error: only pods have processes, not service\n");
    var refused = pod("nginx", image("main", "nginx", 80));
    API.apply(refused);
    Machine.await("refused", () -> API.report(refused.uid()).isPresent());
    assertThat(run("logs", "nginx", "-c", "main").err())
        .startsWith(
            "Error from server (BadRequest): container \"main\" in pod \"nginx\" is waiting");
    var elsewhere = pod("static", container("main", "true"));
    API.apply(
        new Pod(
            elsewhere.meta(),
            elsewhere.spec(),
            new Pod.Status(
                Pod.Phase.RUNNING, List.of(Address.of("10.9.9.9")), "", Optional.empty()),
            elsewhere.source()));
    Machine.await(
        "it is known",
        () -> !run("exec", "static", "-c", "main", "--", "true").err().contains("NotFound"));
    assertThat(run("exec", "static", "-c", "main", "--", "true").err())
        .startsWith("Error from server (BadRequest): pod \"static\" is not run by this machine");
  }
}
