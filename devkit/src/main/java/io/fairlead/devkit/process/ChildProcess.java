package io.fairlead.devkit.process;

import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.posix.PosixException;
import io.fairlead.devkit.posix.Signal;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * A child of this JVM that does not outlive it: with {@code setpriv} (util-linux) the kernel kills
 * it when this process dies in whatever way; without, a shutdown hook does, which a kill -9 of this
 * process escapes. The pid is that of the program itself. Any thread; owns one daemon thread that
 * lives as long as the child.
 */
public final class ChildProcess implements AutoCloseable {
  private final Command command;
  private final Process process;

  private ChildProcess(Command command, Process process) {
    this.command = command;
    this.process = process;
  }

  /**
   * Starts the program and returns at once.
   *
   * @throws LaunchException when the program cannot be executed or its log file not be written
   */
  public static ChildProcess start(Command command) {
    var started = new CompletableFuture<Process>();
    // The kernel's parent-death signal follows the *thread* that forked, so this thread has to live
    // as long as the child.
    Thread.ofPlatform()
        .daemon()
        .name("child-" + command.name())
        .start(() -> runOnOwnThread(command, started));
    try {
      return new ChildProcess(command, started.join());
    } catch (CompletionException e) {
      throw new LaunchException(
          "cannot start %s (%s): %s"
              .formatted(command.name(), command.words().getFirst(), e.getMessage()),
          e);
    }
  }

  private static void runOnOwnThread(Command command, CompletableFuture<Process> started) {
    Process process;
    try {
      process = spawn(command);
    } catch (IOException | RuntimeException e) {
      started.completeExceptionally(e);
      return;
    }
    var hook =
        Thread.ofPlatform().name("kill-" + command.name()).unstarted(process::destroyForcibly);
    addHook(hook, process);
    started.complete(process);
    while (true) {
      try {
        process.waitFor();
        break;
      } catch (InterruptedException _) {
        // nobody interrupts this thread; leaving would kill the child
      }
    }
    removeHook(hook);
  }

  private static Process spawn(Command command) throws IOException {
    var log = command.log().toAbsolutePath();
    Files.createDirectories(log.getParent());
    var words = new ArrayList<String>();
    Executables.find("setpriv")
        .ifPresent(
            setpriv -> words.addAll(List.of(setpriv.toString(), "--pdeathsig", "KILL", "--")));
    words.addAll(command.words());
    if (words.size() > command.words().size()) {
      requireExecutable(
          command.words().getFirst()); // setpriv's own complaint would end up in the log only
    }
    var builder = new ProcessBuilder(words);
    builder.environment().putAll(command.environment());
    builder.redirectInput(Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectError(Redirect.appendTo(log.toFile()));
    builder.redirectOutput(
        switch (command.stdout()) {
          case LOG -> Redirect.appendTo(log.toFile());
          case PIPE -> Redirect.PIPE;
        });
    return builder.start();
  }

  private static void requireExecutable(String program) throws IOException {
    var found =
        program.contains("/")
            ? Files.isExecutable(Path.of(program))
            : Executables.find(program).isPresent();
    if (!found) {
      throw new IOException("no such program");
    }
  }

  private static void addHook(Thread hook, Process process) {
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException _) {
      process.destroyForcibly(); // the JVM is already going down
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // the JVM is going down, the hook finds a dead process
    }
  }

  public Process process() {
    return process;
  }

  public long pid() {
    return process.pid();
  }

  public Path log() {
    return command.log();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** The exit status (128 + signal for a killed one), empty while it runs. */
  public OptionalInt exitStatus() {
    return process.isAlive() ? OptionalInt.empty() : OptionalInt.of(process.exitValue());
  }

  /** SIGKILL, and waits until the process is gone. Also ends a paused one. */
  public void kill() {
    process.destroyForcibly();
    awaitExit(Duration.ofSeconds(30));
  }

  /**
   * SIGTERM, and SIGKILL when the process is still there after the grace period; waits until it is
   * gone.
   */
  public void stop(Duration grace) {
    process.destroy();
    if (!exitsWithin(grace)) {
      kill();
    }
  }

  /**
   * SIGSTOP: keeps its sockets, does nothing.
   *
   * @throws PosixException when the process is gone
   */
  public void pause() {
    Libc.kill(pid(), Signal.STOP);
  }

  /**
   * SIGCONT.
   *
   * @throws PosixException when the process is gone
   */
  public void resume() {
    Libc.kill(pid(), Signal.CONT);
  }

  /** Whether it is gone before the time is over. */
  public boolean exitsWithin(Duration limit) {
    try {
      return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LaunchException("interrupted while waiting for the end of " + command.name(), e);
    }
  }

  private void awaitExit(Duration limit) {
    if (!exitsWithin(limit)) {
      throw new LaunchException(
          "%s (pid %d) did not end within %s".formatted(command.name(), pid(), limit));
    }
  }

  /** The last lines of the log, for messages; empty when there is none. */
  public String logTail(int lines) {
    try {
      var all = Files.readAllLines(command.log());
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException _) {
      return "";
    }
  }

  /** As {@link #stop} with ten seconds. */
  @Override
  public void close() {
    stop(Duration.ofSeconds(10));
  }

  @Override
  public String toString() {
    return command.name() + "[" + pid() + (isAlive() ? "]" : ", ended]");
  }
}
