package io.fairlead.devkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.posix.PosixException;
import io.fairlead.devkit.posix.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ChildProcessTest {
  @TempDir Path directory;

  private ChildProcess sleeper() {
    return ChildProcess.start(
        Command.of("sleeper", List.of("sleep", "600"), directory.resolve("log")));
  }

  @Test
  void hasThePidOfTheProgramItself() throws IOException {
    try (var child = sleeper()) {
      await("exec happened")
          .untilAsserted(() ->
              assertThat(Files.readString(Path.of("/proc/" + child.pid() + "/cmdline")))
                  .startsWith("sleep"));
    }
  }

  @Test
  void isKilledAtOnce() {
    var child = sleeper();
    child.kill();
    assertThat(child.isAlive()).isFalse();
    assertThat(child.exitStatus()).hasValue(128 + 9);
  }

  @Test
  void isStoppedByTermAndThenByKill() {
    var polite = sleeper();
    polite.stop(Duration.ofSeconds(20));
    assertThat(polite.exitStatus()).hasValue(128 + 15);

    var log = directory.resolve("deaf.log");
    var deaf =
        ChildProcess.start(
            Command.of("deaf", List.of("sh", "-c", "trap '' TERM; echo on; exec sleep 600"), log));
    await("trap set").until(() -> Files.exists(log) && Files.readString(log).contains("on"));
    deaf.stop(Duration.ofMillis(100));
    assertThat(deaf.exitStatus()).hasValue(128 + 9);
  }

  @Test
  void pausesAndResumes() {
    try (var child = sleeper()) {
      child.pause();
      await("stopped").until(() -> state(child), state -> state == 'T');
      child.resume();
      await("running").until(() -> state(child), state -> state != 'T');
    }
  }

  private static char state(ChildProcess child) throws IOException {
    var stat = Files.readString(Path.of("/proc/" + child.pid() + "/stat"));
    return stat.charAt(stat.lastIndexOf(')') + 2);
  }

  @Test
  void appendsOutputToItsLogAndSeesItsEnvironment() {
    var log = directory.resolve("new/dir/log");
    for (var i = 0; i < 2; i++) {
      var child =
          ChildProcess.start(
              Command.of("echo", List.of("sh", "-c", "echo out $X; echo err >&2"), log)
                  .withEnvironment(Map.of("X", "value" + i)));
      assertThat(child.exitsWithin(Duration.ofSeconds(20))).isTrue();
      assertThat(child.logTail(2)).contains("out value" + i, "err");
    }
    assertThat(log).content().contains("value0", "value1");
  }

  @Test
  void namesAProgramThatIsNotThere() {
    assertThatThrownBy(() ->
            ChildProcess.start(
                Command.of("ghost", List.of("no-such-program"), directory.resolve("log"))))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("ghost")
        .hasMessageContaining("no-such-program");
  }

  @Test
  void diesWithTheJvmThatStartedIt() throws IOException {
    // a JVM of its own that starts a sleeper, prints its pid, and is then killed with -9: no hook
    // of it can run
    var parent =
        ChildProcess.start(
            Command.java(
                    "parent",
                    ParentMain.class,
                    List.of(),
                    List.of(directory.resolve("sleeper.log").toString()),
                    directory.resolve("parent.log"))
                .withStdout(Stdout.PIPE));
    long grandchild;
    try (var reader = parent.process().inputReader()) {
      grandchild = Long.parseLong(reader.readLine());
      assertThat(ProcessHandle.of(grandchild)).isPresent();
      parent.kill();
    }
    await("grandchild gone")
        .until(() -> ProcessHandle.of(grandchild).filter(ProcessHandle::isAlive).isEmpty());
  }

  @Test
  void aJavaProgramWithoutMemoryEnds() {
    try (var child =
        ChildProcess.start(
            Command.java(
                "glutton",
                GluttonMain.class,
                List.of("-Xmx16m"),
                List.of(),
                directory.resolve("glutton.log")))) {
      assertThat(child.exitsWithin(Duration.ofSeconds(50))).isTrue();
      assertThat(child.exitStatus()).isEqualTo(OptionalInt.of(3)); // java(1)
    }
  }

  /** One of its threads takes all memory, another one would go on. */
  static final class GluttonMain {
    public static void main(String[] words) throws InterruptedException {
      Thread.ofPlatform().start(() -> System.out.println(new long[1 << 30].length));
      new CountDownLatch(1).await();
    }
  }

  /** Starts a child and waits to be killed. */
  static final class ParentMain {
    static void main(String[] args) throws InterruptedException {
      var child =
          ChildProcess.start(Command.of("sleeper", List.of("sleep", "600"), Path.of(args[0])));
      System.out.println(child.pid());
      System.out.flush();
      Thread.sleep(Duration.ofMinutes(5));
    }
  }

  @Test
  void saysWhySignallingFailed() {
    var child = sleeper();
    child.kill();
    assertThatThrownBy(child::pause)
        .isInstanceOf(PosixException.class)
        .hasMessageContaining("SIGSTOP")
        .hasMessageContaining("No such process");
    assertThatThrownBy(() -> Libc.kill(-1, Signal.KILL))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
