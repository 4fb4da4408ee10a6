package io.fairlead.devkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    }
    ProcessLock.tryTake(file).orElseThrow().close();
  }

  @Test
  void namesTheFileThatCannotBeWritten() throws IOException {
    var file = Files.createFile(directory.resolve("file")).resolve("lock");
    assertThatThrownBy(() -> ProcessLock.tryTake(file))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining(file.toString());
  }
}
