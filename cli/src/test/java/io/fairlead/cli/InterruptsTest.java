package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In a process of its own: only that has signals and an exit code. */
@Timeout(60)
class InterruptsTest {
  private static Process start(LocalControlPlane plane, String... args) throws IOException {
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
}
