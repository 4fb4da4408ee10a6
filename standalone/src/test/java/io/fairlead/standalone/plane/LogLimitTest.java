package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LogLimitTest {
  @TempDir Path directory;

  @Test
  void keepsWhatAFullLogSaidOnceAndItsWriterGoesOn() throws Exception {
    var log = directory.resolve("etcd.log");
    var writer =
        new ProcessBuilder("cat")
            .redirectOutput(Redirect.appendTo(log.toFile())) // as ChildProcess does
            .redirectErrorStream(true)
            .start();
    try (var in = writer.outputWriter()) {
      for (var round : new String[] {"first line\n", "second line\n", "third line\n"}) {
        in.write(round);
        in.flush();
        await().until(() -> Files.readString(log).equals(round));
        LogLimit.look(log, round.length() + 1L);
        assertThat(log).content().as("not full yet").isEqualTo(round);

        LogLimit.look(log, round.length());
        assertThat(log).isEmptyFile();
        assertThat(directory.resolve("etcd.log.1")).content().isEqualTo(round);
      }
    }
    assertThat(writer.waitFor()).isZero();
  }

  @Test
  void emptiesALogAlsoWhereItCannotBeKept() throws IOException {
    var log = Files.writeString(directory.resolve("plane.log"), "12345678");
    Files.createDirectories(directory.resolve("plane.log.1/in the way"));

    LogLimit.look(log, 8);

    assertThat(log).isEmptyFile();
  }

  @Test
  void waitsForALogThatIsNotThereYet() {
    LogLimit.look(directory.resolve("agent-node-a.log"), 8);
    assertThat(directory).isEmptyDirectory();
  }
}
