package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.ProcessId;
import io.fairlead.cli.plane.RunFile;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class InstanceTest {
  private static final long SOMEBODY = 4711; // no root: no namespaces to look for

  @TempDir Path directory;
  private PlaneConfig config;
  private PlaneFiles files;

  @BeforeEach
  void choose() throws IOException {
    config = new PlaneConfig(directory.toRealPath().resolve("data"), 2, PortsChoice.FREE);
    Files.createDirectory(config.dataDirectory());
    files = new PlaneFiles(Map.of("XDG_RUNTIME_DIR", directory.toString()), SOMEBODY);
  }

  private RunFile runFile(ProcessId process) {
    return new RunFile(
        config.id(),
        config.dataDirectory(),
        process,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void isTakenOnce() {
    try (var _ = Instance.take(config, files)) {
      assertThat(Owner.live(config.dataDirectory()))
          .contains(new Owner(ProcessId.self(), 2, PortsChoice.FREE));
      assertThatThrownBy(() -> Instance.take(config, files))
          .isInstanceOf(LaunchException.class)
          .hasMessage(
              "a plane with the data directory %s already runs (pid %d)",
              config.dataDirectory(), ProcessHandle.current().pid());
    }
    assertThat(Owner.of(config.dataDirectory())).isEmpty();
    Instance.take(config, files).close();
  }

  @Test
  void isStartedByOneCommandAtATime() {
    var starting = Instance.tryStart(config.dataDirectory()).orElseThrow();

    assertThat(Instance.tryStart(config.dataDirectory())).isEmpty();
    Instance.take(config, files).close(); // the plane itself is another matter
    starting.close();
    starting.close(); // at READY and at the end
    Instance.tryStart(config.dataDirectory()).orElseThrow().close();
  }

  @Test
  void isNotClearedWhileItsOwnerLives() {
    try (var instance = Instance.take(config, files)) {
      instance.publish(runFile(ProcessId.self()));

      assertThatThrownBy(() -> Instance.clear(config.dataDirectory(), files))
          .isInstanceOf(LaunchException.class);
      assertThat(RunFile.file(files, config.id())).exists();
    }
    assertThat(RunFile.file(files, config.id())).doesNotExist();
  }

  @Test
  void clearsTheProcessesAndFilesOfADeadOwner() throws Exception {
    Assumptions.assumeTrue(System.getProperty("os.name").equals("Linux"), "needs /proc");
    var dead = new ProcessId(ProcessId.self().pid(), "before");
    new Owner(dead, 2, PortsChoice.FREE).write(config.dataDirectory());
    runFile(dead).write(RunFile.file(files, config.id()));
    var left = sleep(config.id());
    var other = sleep("another1");
    try {
      Instance.clear(config.dataDirectory(), files);

      assertThat(left.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(other.isAlive()).isTrue();
      assertThat(RunFile.file(files, config.id())).doesNotExist();
      assertThat(Owner.of(config.dataDirectory())).isEmpty();
    } finally {
      left.destroyForcibly();
      other.destroyForcibly();
    }
  }

  private static Process sleep(String id) throws IOException {
    var builder = new ProcessBuilder("sleep", "120");
    builder.environment().put(Instance.MARK, id);
    return builder.start();
  }

  @Test
  void clearsAlsoWhereTheDataIsGone() throws IOException {
    var dead = new ProcessId(ProcessId.self().pid(), "before");
    runFile(dead).write(RunFile.file(files, config.id()));
    Files.delete(config.dataDirectory());

    Instance.clear(config.dataDirectory(), files);

    assertThat(RunFile.file(files, config.id())).doesNotExist();
    assertThat(config.dataDirectory()).doesNotExist();
  }
}
