package io.fairlead.standalone.pods.run;

import io.fairlead.cli.plane.ProcessId;
import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of a container: its first process, what that prints, and how it ends. Owns a platform
 * thread that starts it, keeps its log and lives as long as it does: the kernel kills it when that
 * thread's process is gone. Any thread.
 */
final class ContainerProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerProcess.class);
  private static final long START_LIMIT_NANOS = 30_000_000_000L;
  private static final long LOOK_NANOS = 2_000_000;
  private static final long TERM_BIT = 1L << (15 - 1);

  private final Process outside;
  private final Optional<ProcessId> outsideId;
  private final CompletableFuture<Integer> exit;

  private ContainerProcess(Process outside, CompletableFuture<Integer> exit) {
    this.outside = outside;
    this.outsideId = ProcessId.of(outside.pid());
    this.exit = exit;
  }

  /**
   * Starts it and returns at once.
   *
   * @param name for threads and messages
   * @param command see {@link Sandbox#container}
   * @param log is closed when it ends
   * @throws LaunchException the command cannot be executed; the log is closed
   */
  static ContainerProcess start(String name, Sandbox.Command command, RunLog log) {
    var started = new CompletableFuture<Process>();
    var exit = new CompletableFuture<Integer>();
    Thread.ofPlatform()
        .daemon()
        .name("container-" + name)
        .start(() -> run(command, log, started, exit));
    try {
      return new ContainerProcess(started.join(), exit);
    } catch (CompletionException e) {
      throw new LaunchException("cannot start " + name + ": " + e.getMessage(), e);
    }
  }

  private static void run(
      Sandbox.Command command,
      RunLog log,
      CompletableFuture<Process> started,
      CompletableFuture<Integer> exit) {
    try (log) {
      Process process;
      try {
        process = builder(command).redirectErrorStream(true).start();
      } catch (IOException | RuntimeException e) {
        started.completeExceptionally(e);
        return;
      }
      started.complete(process);
      keep(process.getInputStream(), log);
      exit.complete(awaitEnd(process));
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("Cannot close a container's log");
    }
  }

  /**
   * A process without input, and without anything of this process' environment but a PATH, and the
   * command's.
   */
  static ProcessBuilder builder(Sandbox.Command command) {
    var builder = new ProcessBuilder(command.words()).directory(Path.of("/").toFile());
    builder.environment().clear();
    builder.environment().put("PATH", ContainerEnvironment.PATH);
    builder.environment().putAll(command.environment());
    builder.redirectInput(Redirect.from(Path.of("/dev/null").toFile()));
    return builder;
  }

  private static void keep(InputStream output, RunLog log) {
    var block = new byte[16 << 10];
    var said = false;
    try {
      for (int count = output.read(block); count >= 0; count = output.read(block)) {
        try {
          log.append(block, count);
        } catch (IOException e) { // a full disk must not stop the program: what it prints is lost
          if (!said) {
            LOG.atWarn().setCause(e).log("Cannot keep what a container prints");
            said = true;
          }
        }
      }
    } catch (IOException _) {
      // the pipe is gone with the process
    }
  }

  /** Waits for a process' end; nobody interrupts the threads that own processes. */
  static int awaitEnd(Process process) {
    while (true) {
      try {
        return process.waitFor();
      } catch (InterruptedException _) {
        // leaving would kill the process
      }
    }
  }

  /**
   * Waits for the end.
   *
   * @return 0 to 255, 128 + number where a signal ended it
   */
  int awaitExit() throws InterruptedException {
    try {
      return exit.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the end of a container never fails", e);
    }
  }

  /** Root's process in its namespaces, except that of process ids; empty where it ended at once. */
  Optional<ProcessId> outside() {
    return outsideId;
  }

  boolean isAlive() {
    return !exit.isDone();
  }

  /**
   * Waits until the first process is its user's own, hence the program itself or about to be; empty
   * where it has ended before.
   *
   * @return its process id as this process sees it
   */
  OptionalLong awaitInit() {
    long deadline = System.nanoTime() + START_LIMIT_NANOS;
    while (outside.isAlive() && System.nanoTime() - deadline < 0) {
      var init = init();
      if (init.isPresent() && isUnprivileged(init.getAsLong())) {
        return init;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return OptionalLong.empty();
  }

  /** The first process, empty while there is none yet or none any more. */
  OptionalLong init() {
    if (!outside.isAlive()) {
      return OptionalLong.empty();
    }
    var pid = Long.toString(outside.pid());
    try {
      var children = Files.readString(Path.of("/proc", pid, "task", pid, "children")).strip();
      return children.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(Long.parseLong(children.split(" ", 2)[0]));
    } catch (IOException _) { // gone, or a kernel without these files
      return outside.children().mapToLong(ProcessHandle::pid).findFirst();
    }
  }

  private static boolean isUnprivileged(long pid) {
    return status(pid, "Uid:").filter(ids -> !ids.split("\\s+", 2)[0].equals("0")).isPresent();
  }

  private static Optional<String> status(long pid, String field) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
          .filter(line -> line.startsWith(field))
          .map(line -> line.substring(field.length()).strip())
          .findFirst();
    } catch (IOException _) {
      return Optional.empty(); // gone
    }
  }

  /**
   * Asks it to end. The kernel keeps SIGTERM from a namespace's first process unless that has a
   * handler, so where it has none, and does not ignore the signal on purpose either, what the
   * signal does everywhere else is done: it ends at once. (In Kubernetes it would go on until the
   * grace period is over.)
   */
  void terminate() {
    var init = init();
    if (init.isEmpty()) {
      return; // about to start, or gone: kill() ends it when the time is over
    }
    if (has(init.getAsLong(), "SigCgt:") || has(init.getAsLong(), "SigIgn:")) {
      inside(init.getAsLong()).ifPresent(ProcessHandle::destroy);
    } else {
      kill();
    }
  }

  private static boolean has(long pid, String mask) {
    return status(pid, mask)
        .map(text -> (Long.parseUnsignedLong(text, 16) & TERM_BIT) != 0)
        .orElse(false);
  }

  /** SIGKILL to the first process: the kernel ends all others of its namespace with it. */
  void kill() {
    var init = init();
    if (init.isPresent()) {
      inside(init.getAsLong()).ifPresent(ProcessHandle::destroyForcibly);
    } else {
      outside.destroyForcibly();
    }
  }

  /**
   * As something to send signals to, which only the process gets that has this number now: it may
   * end meanwhile, and another one of this machine be given its number.
   */
  private Optional<ProcessHandle> inside(long pid) {
    return ProcessHandle.of(pid)
        .filter(process ->
            process.parent().filter(parent -> parent.pid() == outside.pid()).isPresent());
  }
}
