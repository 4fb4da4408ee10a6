package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In a process of its own: only that has signals and an exit code. */
@Timeout(60)
class InterruptsTest {
  private static Process start(LocalControlPlane plane, String... args) throws IOException {
    return start(plane, Map.of(), args);
  }

  private static Process start(
      LocalControlPlane plane, Map<String, String> environment, String... args) throws IOException {
    var words =
        new java.util.ArrayList<>(
            List.of(
                // whoever started the tests in the background had SIGINT ignored, by all its
                // children
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    words.addAll(List.of(args));
    var builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().put("FAIRLEAD_ALLOCATOR", plane.address().toString());
    builder.environment().put("FAIRLEAD_ENDPOINTS", plane.address().toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void aWatchThatIsInterruptedEndsWell(String signal) throws Exception {
    try (var plane = new LocalControlPlane("replica-1")) {
      var watch = start(plane, "log", "tail", "-f");
      try (var lines = watch.inputReader()) {
        assertThat(lines.readLine()).startsWith("TIME ");
        assertThat(lines.readLine()).contains("ServiceCIDR//default");
        new ProcessBuilder("kill", "-" + signal, Long.toString(watch.pid())).start().waitFor();
        assertThat(watch.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(watch.exitValue()).isZero();
        assertThat(lines.readLine()).isNull();
      } finally {
        watch.destroyForcibly();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void whoKeepsAReservationReleasesItWhenInterrupted(String signal, @TempDir Path state)
      throws Exception {
    try (var plane = new LocalControlPlane("replica-1")) {
      var reserve =
          start(
              plane,
              Map.of("XDG_STATE_HOME", state.toString()),
              "reserve",
              "10.96.0.10",
              "--for=kube-system/kube-dns",
              "--keep");
      try (var lines = reserve.inputReader()) {
        assertThat(lines.readLine()).contains("made: 10.96.0.10 for kube-system/kube-dns until ");
        new ProcessBuilder("kill", "-" + signal, Long.toString(reserve.pid())).start().waitFor();
        assertThat(reserve.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(lines.readLine()).endsWith(" released");
        assertThat(reserve.exitValue()).isZero();
        assertThat(plane.image().reservations().size()).isZero();
      } finally {
        reserve.destroyForcibly();
      }
    }
  }

  @Test
  void aCommandThatIsDoneEndsWithItsOwnCode() throws Exception {
    try (var plane = new LocalControlPlane("replica-1")) {
      var get = start(plane, "get", "svc", "web");
      try (var lines = get.inputReader()) {
        assertThat(lines.readLine())
            .isEqualTo("Error from server (NotFound): services \"web\" not found");
        assertThat(get.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(get.exitValue()).isEqualTo(1);
      } finally {
        get.destroyForcibly();
      }
    }
  }

  @Test
  void endsThoughNobodyReadsWhatItPrints() throws Exception {
    try (var plane = new LocalControlPlane("replica-1")) {
      plane.fillLog(2_000); // more than a pipe takes
      var tail = start(plane, "log", "tail", "-f");
      try {
        await("it prints").until(() -> tail.getInputStream().available() > 0);
        new ProcessBuilder("kill", "-TERM", Long.toString(tail.pid())).start().waitFor();
        assertThat(tail.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(tail.exitValue()).isZero();
      } finally {
        tail.destroyForcibly();
      }
    }
  }

  @Test
  void aProgramWhoseOutputIsNotReadIsEnded() throws Exception {
    try (var plane = new LocalControlPlane("replica-1");
        var runtime = new LocalPodRuntime()) {
      var exec =
          start(
              plane,
              Map.of("FAIRLEAD_POD_RUNTIME", runtime.address().toString()),
              "exec",
              "web-1",
              "-c",
              "main",
              "--",
              "yes");
      try {
        exec.getInputStream().close();
        assertThat(exec.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(exec.exitValue()).isEqualTo(1);
        await("the program is ended").until(runtime::wasCancelled);
      } finally {
        exec.destroyForcibly();
      }
    }
  }
}
