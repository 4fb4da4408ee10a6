package io.fairlead.standalone.pods.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(20)
final class RunLogTest {
  @TempDir Path directory;

  private RunLog log(long limit) throws IOException {
    return RunLog.open(directory.resolve("main/0.log"), limit);
  }

  private static void print(RunLog log, String text) throws IOException {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    log.append(bytes, bytes.length);
  }

  private static String read(RunLog.Reader reader, RunLog.Reader.AtEnd atEnd)
      throws IOException, InterruptedException {
    var text = new StringBuilder();
    for (var bytes = reader.next(atEnd); bytes.length > 0; bytes = reader.next(atEnd)) {
      text.append(new String(bytes, StandardCharsets.UTF_8));
    }
    return text.toString();
  }

  private static String read(RunLog log, OptionalLong tail)
      throws IOException, InterruptedException {
    try (var reader = log.read(tail)) {
      return read(reader, RunLog.Reader.AtEnd.STOP);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, ''", "1, c|", "2, b|c|", "3, a|b|c|", "4, a|b|c|", "1000, a|b|c|"})
  void tellsTheLastLines(long lines, String expected) throws Exception {
    try (var log = log(1 << 20)) {
      print(log, "a\nb\nc\n");
      assertThat(read(log, OptionalLong.of(lines))).isEqualTo(expected.replace('|', '\n'));
    }
  }

  @Test
  void aLineWithoutAnEndIsALine() throws Exception {
    try (var log = log(1 << 20)) {
      print(log, "a\nb");
      assertThat(read(log, OptionalLong.of(1))).isEqualTo("b");
      assertThat(read(log, OptionalLong.of(2))).isEqualTo("a\nb");
    }
  }

  @Test
  void findsLinesThatAreLongerThanABlock() throws Exception {
    try (var log = log(1 << 20)) {
      var line = "x".repeat(50_000) + "\n";
      print(log, "first\n" + line + line);
      assertThat(read(log, OptionalLong.of(2))).isEqualTo(line + line);
      assertThat(read(log, OptionalLong.of(3))).startsWith("first\n");
    }
  }

  @Test
  void keepsTwoFilesAndForgetsTheOldest() throws Exception {
    try (var log = log(10)) {
      print(log, "one one one\n");
      print(log, "two two two\n");
      print(log, "three\n");
      assertThat(read(log, OptionalLong.empty())).isEqualTo("two two two\nthree\n");
      assertThat(read(log, OptionalLong.of(1))).isEqualTo("three\n");
      assertThat(read(log, OptionalLong.of(2))).isEqualTo("two two two\nthree\n");
      assertThat(directory.resolve("main").toFile().list()).hasSize(2);
    }
  }

  @Test
  void goesOnWhereTheLastOneStopped() throws Exception {
    try (var log = log(1 << 20)) {
      print(log, "before\n");
    }
    try (var log = log(1 << 20)) {
      print(log, "after\n");
      assertThat(read(log, OptionalLong.empty())).isEqualTo("before\nafter\n");
    }
  }

  @Test
  void followsOverFilesToTheEnd() throws Exception {
    var log = log(10);
    try (var reader = log.read(OptionalLong.empty())) {
      var followed = new CompletableFuture<String>();
      Thread.ofVirtual()
          .start(() -> {
            try {
              followed.complete(read(reader, RunLog.Reader.AtEnd.WAIT));
            } catch (IOException | InterruptedException e) {
              followed.completeExceptionally(e);
            }
          });
      print(log, "one\n");
      print(log, "two two two\n"); // full: the next file
      print(log, "three\n");
      log.close();
      assertThat(followed.get()).isEqualTo("one\ntwo two two\nthree\n");
    }
  }

  @Test
  void oneThatWasForgottenMeanwhileIsSkipped() throws Exception {
    try (var log = log(10);
        var reader = log.read(OptionalLong.empty())) {
      print(log, "one one one\n");
      print(log, "two two two\n");
      print(log, "three three\n");
      print(log, "end\n");
      assertThat(read(reader, RunLog.Reader.AtEnd.STOP))
          .isEqualTo("one one one\nthree three\nend\n"); // the first was open already
    }
  }
}
