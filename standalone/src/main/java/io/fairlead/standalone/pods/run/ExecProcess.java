package io.fairlead.standalone.pods.run;

import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A program that somebody runs beside a container's own. A platform thread starts it and lives as
 * long as it does: the kernel kills it when this process dies. Any thread.
 */
public final class ExecProcess {
  private final Process process;

  private ExecProcess(Process process) {
    this.process = process;
  }

  /**
   * Starts it and returns at once.
   *
   * @throws LaunchException the command cannot be executed
   */
  static ExecProcess start(String name, Sandbox.Command command) {
    var started = new CompletableFuture<Process>();
    Thread.ofPlatform()
        .daemon()
        .name("exec-" + name)
        .start(() -> {
          try {
            var process = ContainerProcess.builder(command).redirectInput(Redirect.PIPE).start();
            started.complete(process);
            ContainerProcess.awaitEnd(process);
          } catch (IOException | RuntimeException e) {
            started.completeExceptionally(e);
          }
        });
    try {
      return new ExecProcess(started.join());
    } catch (CompletionException e) {
      throw new LaunchException("cannot run in " + name + ": " + e.getMessage(), e);
    }
  }

  public OutputStream stdin() {
    return process.getOutputStream();
  }

  public InputStream stdout() {
    return process.getInputStream();
  }

  public InputStream stderr() {
    return process.getErrorStream();
  }

  /**
   * Waits for its end.
   *
   * @return 0 to 255; 128 + number where a signal ended it, 126 and 127 where it could not be run
   */
  public int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Ends it with what it has started, as far as that is still below it. */
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
