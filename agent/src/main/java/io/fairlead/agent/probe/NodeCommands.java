package io.fairlead.agent.probe;

import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.NotMade;
import io.fairlead.core.model.Pod;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Programs on the node itself, as the user of this process and with nothing of its environment but
 * PATH. Only some run at a time. What they print is looked at, not waited for: something that was
 * left behind may hold the output open for ever. Any thread.
 */
public final class NodeCommands implements Commands {
  private static final int AT_ONCE = 16;
  private static final int BLOCK = 4 << 10;

  /** Between two looks at what a program has printed; its pipe holds what comes between. */
  private static final Duration LOOK = Duration.ofMillis(10);

  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final Semaphore places = new Semaphore(AT_ONCE, true);

  @Override
  public ProbeResult run(Pod pod, Pod.Container container, List<String> command, Duration timeout)
      throws InterruptedException {
    long endNanos = System.nanoTime() + timeout.toNanos();
    if (!places.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      return new NotMade(AT_ONCE + " programs of probes run already");
    }
    try {
      Process process;
      try {
        process = start(command, container);
      } catch (IOException e) {
        return new Failed("cannot be run: " + e.getMessage());
      }
      try {
        return follow(process, endNanos);
      } finally {
        kill(process);
      }
    } finally {
      places.release();
    }
  }

  private static ProbeResult follow(Process process, long endNanos) throws InterruptedException {
    var output = new CommandOutput();
    try (var from = process.getInputStream()) {
      while (!process.waitFor(LOOK.toNanos(), TimeUnit.NANOSECONDS)) {
        copy(from, output);
        if (System.nanoTime() - endNanos >= 0) {
          return new Failed("timeout");
        }
      }
      copy(from, output); // all that it printed is there by now
    } catch (IOException _) {
      // no more is to be had of it
    }
    return output.ended(process.exitValue());
  }

  private static Process start(List<String> command, Pod.Container container) throws IOException {
    var builder =
        new ProcessBuilder(command)
            .directory(new File(container.workingDir().orElse("/")))
            .redirectErrorStream(true)
            .redirectInput(Redirect.from(new File("/dev/null")));
    builder.environment().clear();
    builder.environment().put("PATH", PATH);
    return builder.start();
  }

  /** With what it has started, as far as that is still below it. */
  private static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** What is there, without waiting for more. */
  private static void copy(InputStream from, CommandOutput to) throws IOException {
    var block = new byte[BLOCK];
    while (from.available() > 0) {
      int count = from.read(block, 0, Math.min(block.length, from.available()));
      if (count < 0) {
        return;
      }
      to.add(block, count);
    }
  }
}
