package io.fairlead.testbed.up;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs lines as a user types them, in bash, with a bound on their time. Any thread. */
public final class Shell {
  private final Path directory;
  private final Map<String, String> environment;
  private final Duration limit;

  /**
   * @param directory where the lines are run
   * @param environment added to this process' own
   * @param limit after which a line is killed
   */
  public Shell(Path directory, Map<String, String> environment, Duration limit) {
    this.directory = directory;
    this.environment = Map.copyOf(environment);
    this.limit = limit;
  }

  /**
   * What a line did.
   *
   * @param out standard output, whole
   * @param err standard error, whole
   */
  public record Result(String line, int exitCode, String out, String err) {
    /**
     * Standard output.
     *
     * @throws AssertionError when the line failed
     */
    public String ok() {
      if (exitCode != 0) {
        throw new AssertionError(toString());
      }
      return out;
    }

    /** Both outputs, standard error last. */
    public String all() {
      return out + err;
    }

    @Override
    public String toString() {
      return "$ %s\nexit code %d\n%s%s".formatted(line, exitCode, out, err);
    }
  }

  /** Runs a line to its end. */
  public Result run(String line) {
    var builder = new ProcessBuilder("bash", "-o", "pipefail", "-c", line);
    builder.directory(directory.toFile());
    builder.environment().putAll(environment);
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    try {
      var process = builder.start();
      var out = read(process.getInputStream());
      var err = read(process.getErrorStream());
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new AssertionError(
            "$ %s\nstill running after %s\n%s%s".formatted(line, limit, out.join(), err.join()));
      }
      return new Result(line, process.exitValue(), out.join(), err.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** On a thread of the platform: who waits for a pipe in a virtual one holds its carrier. */
  private static CompletableFuture<String> read(InputStream stream) {
    var text = new CompletableFuture<String>();
    Thread.ofPlatform()
        .daemon()
        .name("shell-output")
        .start(() -> {
          try (stream) {
            text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
          } catch (IOException | RuntimeException e) {
            text.completeExceptionally(e);
          }
        });
    return text;
  }
}
