package io.fairlead.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The {@code fairlead} command in a JVM of its own, as its users run it. */
final class CommandRun {
  private static final Duration LIMIT = Duration.ofSeconds(240);

  private final Path directory;
  private final List<String> prefix;
  private int count;

  /**
   * @param directory for what the commands print
   */
  CommandRun(Path directory) {
    this(directory, List.of());
  }

  private CommandRun(Path directory, List<String> prefix) {
    this.directory = directory;
    this.prefix = prefix;
  }

  /** The same where root keeps everything that it makes to itself. */
  CommandRun underAStrictUmask() throws IOException {
    return new CommandRun(
        Files.createTempDirectory(directory, "strict"),
        List.of("sh", "-c", "umask 077; exec \"$0\" \"$@\""));
  }

  /** What came of a command; standard output and error together. */
  record Ran(int code, String output) {
    Ran succeeds() {
      assertThat(code).as(output).isZero();
      return this;
    }

    Ran fails() {
      assertThat(code).as(output).isEqualTo(1);
      return this;
    }
  }

  /** Starts it and does not wait. */
  Running start(String... arguments) {
    var output = directory.resolve("output-" + count++);
    var words = new ArrayList<>(prefix);
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName()));
    words.addAll(List.of(arguments));
    var builder = new ProcessBuilder(words);
    builder.environment().keySet().removeIf(name -> name.startsWith("FAIRLEAD_"));
    builder.redirectErrorStream(true).redirectOutput(output.toFile());
    try {
      return new Running(builder.start(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it to its end. */
  Ran run(String... arguments) {
    return start(arguments).await();
  }

  /** A command that runs. */
  record Running(Process process, Path file) {
    Ran await() {
      try {
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("did not end within " + LIMIT + ":\n" + output());
        }
        return new Ran(process.exitValue(), output());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }

    String output() {
      try {
        return Files.readString(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
