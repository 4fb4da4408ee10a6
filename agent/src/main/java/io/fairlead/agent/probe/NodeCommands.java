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
 * PATH. A platform thread reads what each prints (reading from a pipe would hold a virtual one's
 * carrier), so only some run at a time. Any thread.
 */
public final class NodeCommands implements Commands {
  private static final int AT_ONCE = 16;
  private static final int BLOCK = 4 << 10;

  /** How long something that a program left behind may keep its output open. */
  private static final Duration LINGER = Duration.ofMillis(200);

  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final Semaphore places = new Semaphore(AT_ONCE, true);

  @Override
  public ProbeResult run(Pod pod, Pod.Container container, List<String> command, Duration timeout)
      throws InterruptedException {
    if (!places.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
      return new NotMade(
          AT_ONCE + " programs of probes run already, or left something that holds their output");
    }
    Process process;
    try {
      process = start(command, container);
    } catch (IOException e) {
      places.release();
      return new Failed("cannot be run: " + e.getMessage());
    }
    var output = new CommandOutput();
    var reader =
        Thread.ofPlatform()
            .daemon()
            .name("exec-" + pod.name())
            .start(() -> {
              try {
                copy(process.getInputStream(), output);
              } finally {
                places.release();
              }
            });
    try {
      if (!process.waitFor(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
        return new Failed("timeout");
      }
      var _ = reader.join(LINGER);
      return output.ended(process.exitValue());
    } finally {
      kill(process);
    }
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

  private static void copy(InputStream from, CommandOutput to) {
    var block = new byte[BLOCK];
    try (from) {
      for (int count = from.read(block); count >= 0; count = from.read(block)) {
        to.add(block, count);
      }
    } catch (IOException _) {
      // closed with the process
    }
  }
}
