package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ShutdownTest {
  @Test
  void closesInReverseAndGoesOnAfterAFailure() {
    var closed = new ArrayList<String>();
    try (var shutdown = new Shutdown()) {
      shutdown.onClose("first", () -> closed.add("first"));
      shutdown.onClose(
          "second",
          () -> {
            throw new IOException("cannot");
          });
      shutdown.onClose("third", () -> closed.add("third"));
    }
    assertThat(closed).containsExactly("third", "first");
  }

  @Test
  void stopEndsTheWait() throws Exception {
    try (var shutdown = new Shutdown()) {
      assertThat(shutdown.isStopping()).isFalse();
      var waiting = new CountDownLatch(1);
      Thread.ofVirtual()
          .start(() -> {
            waiting.countDown();
            shutdown.stop();
          });
      waiting.await();
      shutdown.awaitStopped();
      assertThat(shutdown.isStopping()).isTrue();
    }
  }

  /** A process that drains for as long as it may. */
  static final class Drainer {
    public static void main(String[] args) throws InterruptedException {
      try (var shutdown = new Shutdown()) {
        shutdown.onClose(
            "drain",
            () -> {
              System.out.println("draining");
              if (args.length > 0) {
                new CountDownLatch(1).await();
              }
            });
        shutdown.handleSignals();
        System.out.println("started");
        shutdown.awaitStopped();
      }
      System.out.println("closed");
    }
  }

  private static Process drainer(String... args) throws IOException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
    command.add(Drainer.class.getName());
    command.addAll(List.of(args));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static void awaitLine(BufferedReader out, String wanted) throws IOException {
    for (var line = out.readLine(); !wanted.equals(line); line = out.readLine()) {
      assertThat(line).as("output before \"" + wanted + "\"").isNotNull();
    }
  }

  @Test
  void aSignalLetsMainClose() throws Exception {
    var process = drainer();
    try (var out = process.inputReader(StandardCharsets.UTF_8)) {
      awaitLine(out, "started");
      process.toHandle().destroy(); // SIGTERM, and unlike Process.destroy the streams stay open
      awaitLine(out, "draining");
      awaitLine(out, "closed");
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aSecondSignalEndsAtOnce() throws Exception {
    var process = drainer("for ever");
    try (var out = process.inputReader(StandardCharsets.UTF_8)) {
      awaitLine(out, "started");
      process.toHandle().destroy();
      awaitLine(out, "draining");
      process.toHandle().destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(143);
    } finally {
      process.destroyForcibly();
    }
  }
}
