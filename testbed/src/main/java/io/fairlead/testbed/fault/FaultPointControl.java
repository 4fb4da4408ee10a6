package io.fairlead.testbed.fault;

import io.fairlead.core.run.FaultPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.awaitility.Awaitility;

/**
 * The other side of {@code --fault-points}: tells the processes that look into a directory where to
 * die or to wait, and sees that they came there.
 */
public final class FaultPointControl {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Path directory;

  private FaultPointControl(Path directory) {
    this.directory = directory;
  }

  /** Makes the directory. */
  public static FaultPointControl in(Path directory) {
    try {
      return new FaultPointControl(Files.createDirectories(directory));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The option for the processes. */
  public String option() {
    return "--fault-points=" + directory.toAbsolutePath();
  }

  /** The next process that comes there dies as by SIGKILL. */
  public void kill(FaultPoint point) {
    order(point, "kill");
  }

  /** The next thread that comes there waits until {@link #release}. */
  public void hold(FaultPoint point) {
    order(point, "hold");
  }

  private void order(FaultPoint point, String what) {
    try {
      Files.deleteIfExists(reachedFile(point));
      // complete before anybody can read it
      var file = Files.writeString(directory.resolve("." + point), what);
      Files.move(file, directory.resolve(point.toString()), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a process obeyed. */
  public boolean reached(FaultPoint point) {
    return Files.exists(reachedFile(point));
  }

  public void awaitReached(FaultPoint point) {
    Awaitility.await(point + " is reached")
        .atMost(LIMIT)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> reached(point));
  }

  /** Lets go who waits there. */
  public void release(FaultPoint point) {
    try {
      Files.deleteIfExists(reachedFile(point));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Nothing is asked for any more, nobody waits. */
  public void clear() {
    try {
      for (var point : FaultPoint.values()) {
        Files.deleteIfExists(directory.resolve(point.toString()));
        Files.deleteIfExists(reachedFile(point));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path reachedFile(FaultPoint point) {
    return directory.resolve(point + ".reached");
  }
}
