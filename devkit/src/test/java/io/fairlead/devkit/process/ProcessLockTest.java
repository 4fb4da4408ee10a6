package io.fairlead.devkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ProcessLockTest {
  @TempDir Path directory;

  @Test
  void hasOneHolderAtATime() {
    var file = directory.resolve("new/lock");
    try (var _ = ProcessLock.tryTake(file).orElseThrow()) {
      assertThat(ProcessLock.tryTake(file)).isEmpty();
      assertThat(ProcessLock.tryTake(directory.resolve("new/../new/lock"))).isEmpty();
    }
    ProcessLock.tryTake(file).orElseThrow().close();
  }

  @Test
  void isNotLostWhenItsOwnProcessAsksAgain() throws IOException {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/locks")), "needs /proc/locks");
    var file = directory.resolve("lock");
    try (var _ = ProcessLock.tryTake(file).orElseThrow()) {
      assertThat(ProcessLock.tryTake(file)).isEmpty();
      var inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
      assertThat(Files.readAllLines(Path.of("/proc/locks")))
          .anyMatch(line ->
              line.contains(inode) && line.contains(" " + ProcessHandle.current().pid() + " "));
    }
  }

  @Test
  void onlyItsOwnerOpensTheFile() throws IOException {
    var file = Files.createFile(directory.resolve("lock"));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    try (var _ = ProcessLock.tryTake(file).orElseThrow()) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
    }
    assertThat(file).exists();
  }

  @Test
  void leavesNoFileWhereItIsTakenForAWhile() {
    var file = directory.resolve("lock");
    var lock = ProcessLock.tryTakeForAWhile(file).orElseThrow();
    assertThat(ProcessLock.tryTakeForAWhile(file)).isEmpty();
    lock.close();
    assertThat(file).doesNotExist();

    try (var _ = ProcessLock.tryTakeForAWhile(file).orElseThrow()) {
      lock.close(); // once more, and nothing of the next one's
      assertThat(file).exists();
    }
  }

  @Test
  @Tag("slow")
  void hasOneHolderAlsoWhileItsFileComesAndGoes() {
    var workers =
        IntStream.range(0, 3)
            .mapToObj(i ->
                ChildProcess.start(
                    Command.java(
                        "taker",
                        Taker.class,
                        List.of("-Xmx32m"),
                        List.of(directory.toString()),
                        directory.resolve("log-" + i))))
            .toList();
    for (var worker : workers) {
      assertThat(worker.exitsWithin(Duration.ofSeconds(50))).isTrue();
      assertThat(worker.exitStatus()).as(worker.logTail(20)).isEqualTo(OptionalInt.of(0));
    }
    assertThat(directory.resolve("lock")).doesNotExist();
  }

  /** Takes and gives back, and has something to itself meanwhile. */
  static final class Taker {
    private static final int TIMES = 3_000;

    public static void main(String[] words) throws IOException {
      var directory = Path.of(words[0]);
      for (int taken = 0; taken < TIMES; ) {
        var lock = ProcessLock.tryTakeForAWhile(directory.resolve("lock"));
        if (lock.isPresent()) {
          var mine = Files.createFile(directory.resolve("mine")); // fails where there is another
          Files.delete(mine);
          lock.get().close();
          taken++;
        }
      }
    }
  }

  @Test
  void namesTheFileThatCannotBeWritten() throws IOException {
    var file = Files.createFile(directory.resolve("file")).resolve("lock");
    assertThatThrownBy(() -> ProcessLock.tryTake(file))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining(file.toString());
  }
}
