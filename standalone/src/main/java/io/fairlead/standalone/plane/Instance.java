package io.fairlead.standalone.plane;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.ProcessId;
import io.fairlead.cli.plane.RunFile;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.ProcessLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The right to be the plane of a data directory: a lock that the kernel takes back when its owner
 * dies. What an owner that died has left is cleared by the next one, or by {@link #clear}; never
 * while an owner lives.
 */
public final class Instance implements AutoCloseable {
  /** The environment variable by which processes of an instance are known. */
  public static final String MARK = "FAIRLEAD_INSTANCE";

  private static final Duration LOCK_LIMIT = Duration.ofSeconds(10);

  private final PlaneConfig config;
  private final PlaneFiles files;
  private final ProcessLock lock;

  private Instance(PlaneConfig config, PlaneFiles files, ProcessLock lock) {
    this.config = config;
    this.files = files;
    this.lock = lock;
  }

  /**
   * Takes the directory for this process and clears what the last owner left.
   *
   * @throws LaunchException a live plane has it
   */
  public static Instance take(PlaneConfig config, PlaneFiles files) {
    var directory = config.dataDirectory();
    var lock = tryLock(directory).orElseThrow(() -> new LaunchException(isTaken(directory)));
    try {
      Leftovers.clear(config.id(), files);
      delete(directory, config.id(), files);
      new Owner(ProcessId.self(), config.nodes(), config.ports()).write(directory);
      return new Instance(config, files, lock);
    } catch (IOException e) {
      lock.close();
      throw new LaunchException("cannot write " + Owner.file(directory) + ": " + e, e);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** In every directory that is or was a plane's. */
  static Path lockFile(Path directory) {
    return directory.resolve("plane.lock");
  }

  /**
   * The right to start the plane of a directory, until it is ready: who starts it empties files
   * before the plane itself can have its lock. Empty where another command has it.
   */
  public static Optional<ProcessLock> tryStart(Path directory) {
    return ProcessLock.tryTake(directory.resolve("plane.starting"));
  }

  private static Optional<ProcessLock> tryLock(Path directory) {
    return ProcessLock.tryTake(lockFile(directory));
  }

  private static String isTaken(Path directory) {
    return "a plane with the data directory %s already runs%s"
        .formatted(
            directory,
            Owner.live(directory).map(owner -> " (pid " + owner.process().pid() + ")").orElse(""));
  }

  /**
   * Removes what an owner that is dead has left: processes, namespaces, interfaces, its run file.
   * The data stays.
   *
   * @throws LaunchException a live plane has it
   */
  public static void clear(Path directory, PlaneFiles files) {
    var id = PlaneFiles.instanceId(directory);
    if (!Files.isDirectory(directory)) { // somebody deleted it; a lock would bring it back
      Leftovers.clear(id, files);
      delete(directory, id, files);
      return;
    }
    try (var _ = lockSoon(directory)) {
      Leftovers.clear(id, files);
      delete(directory, id, files);
    }
  }

  /** The lock of a process that was just killed is free a moment later. */
  private static ProcessLock lockSoon(Path directory) {
    var end = System.nanoTime() + LOCK_LIMIT.toNanos();
    while (true) {
      var lock = tryLock(directory);
      if (lock.isPresent()) {
        return lock.get();
      }
      if (Owner.live(directory).isPresent() || System.nanoTime() - end > 0) {
        throw new LaunchException(isTaken(directory));
      }
      Pause.of(Duration.ofMillis(50));
    }
  }

  private static void delete(Path directory, String id, PlaneFiles files) {
    try {
      Files.deleteIfExists(RunFile.file(files, id));
      Files.deleteIfExists(Owner.file(directory));
    } catch (IOException e) {
      throw new LaunchException("cannot remove what an earlier plane left: " + e, e);
    }
  }

  /** Tells the commands of this machine where the plane is. */
  void publish(RunFile file) {
    try {
      file.write(RunFile.file(files, config.id()));
    } catch (IOException e) {
      throw new LaunchException("cannot write the run file of the plane: " + e, e);
    }
  }

  /** Nothing of it is left but the data. */
  @Override
  public void close() {
    try {
      delete(config.dataDirectory(), config.id(), files);
    } finally {
      lock.close();
    }
  }
}
