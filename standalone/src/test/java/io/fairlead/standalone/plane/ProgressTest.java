package io.fairlead.standalone.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.standalone.plane.Progress.State;
import io.fairlead.standalone.plane.Progress.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ProgressTest {
  @TempDir Path directory;

  @Test
  void isReadAsItIsSaid() {
    var file = directory.resolve("progress");
    var reader = new Progress.Reader(file);
    assertThat(reader.next()).isEmpty();

    var progress = Progress.begin(file);
    progress.say("kafka", State.STARTING, "");
    progress.say("plane", State.FAILED, "two\nlines, a\ttab, a \\n, größer");

    assertThat(reader.next())
        .containsExactly(
            new Step("kafka", State.STARTING, ""),
            new Step("plane", State.FAILED, "two\nlines, a\ttab, a \\n, größer"));
    assertThat(reader.next()).isEmpty();
    progress.say("kafka", State.READY, "x");
    assertThat(reader.next()).containsExactly(new Step("kafka", State.READY, "x"));
  }

  @Test
  void isLostWhereItCannotBeWritten() throws IOException {
    var file = directory.resolve("progress");
    var progress = Progress.begin(file);
    Files.delete(file);

    progress.say("etcd", State.STOPPING, "");

    assertThat(new Progress.Reader(file).next()).isEmpty();
  }

  @Test
  void waitsForTheEndOfALine() throws IOException {
    var file = Files.writeString(directory.resolve("progress"), "etcd\tREADY\t127");
    var reader = new Progress.Reader(file);

    assertThat(reader.next()).isEmpty();
    Files.writeString(file, ".0.0.1\nnonsense\n", StandardOpenOption.APPEND);
    assertThat(reader.next()).containsExactly(new Step("etcd", State.READY, "127.0.0.1"));
  }
}
