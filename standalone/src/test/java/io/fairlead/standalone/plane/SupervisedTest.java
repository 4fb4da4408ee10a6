package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.run.Time;
import io.fairlead.standalone.plane.Progress.State;
import io.fairlead.standalone.plane.Progress.Step;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SupervisedTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir Path directory;
  private final List<Process> started = new CopyOnWriteArrayList<>();

  private record Sleep(Process process) implements Supervised.Child {
    @Override
    public long pid() {
      return process.pid();
    }

    @Override
    public boolean isAlive() {
      return process.isAlive();
    }

    @Override
    public void stop() {
      process.destroyForcibly().onExit().join();
    }
  }

  private Supervised.Child sleep() {
    try {
      var process = new ProcessBuilder("sleep", "120").start();
      started.add(process);
      return new Sleep(process);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void isStartedAgainUntilItIsClosed() {
    var file = directory.resolve("progress");
    var reader = new Progress.Reader(file);
    var steps = new ArrayList<Step>();
    var supervised = Supervised.start("etcd", this::sleep, Progress.begin(file), Time.system());
    try {
      started.getFirst().destroyForcibly();

      await("it is said to run again")
          .atMost(LIMIT)
          .until(() -> {
            steps.addAll(reader.next());
            return steps.size() == 2;
          });
      assertThat(started).hasSize(2);
      assertThat(supervised.isAlive()).isTrue();
      assertThat(steps)
          .containsExactly(
              new Step("etcd", State.RESTARTING, "ended by itself"),
              new Step("etcd", State.READY, "started again, pid " + started.getLast().pid()));
    } finally {
      supervised.close();
    }
    assertThat(started).noneMatch(Process::isAlive);
  }
}
