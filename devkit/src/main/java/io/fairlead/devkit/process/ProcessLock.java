package io.fairlead.devkit.process;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Keeps something for one holder at a time, over all processes of the machine. Soft: the kernel
 * lets go when the process dies. The empty file stays, since deleting a locked one would let a
 * second holder in.
 */
public final class ProcessLock implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  private ProcessLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes it, or says at once by an empty result that a live process, perhaps this one, has it.
   *
   * @param file made with its directories when it is new
   * @throws LaunchException when it cannot be written
   */
  public static Optional<ProcessLock> tryTake(Path file) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        if (channel.tryLock() != null) {
          return Optional.of(new ProcessLock(file, channel));
        }
      } catch (OverlappingFileLockException _) {
        // this JVM has it
      }
      channel.close();
      return Optional.empty();
    } catch (IOException e) {
      throw new LaunchException("cannot lock %s: %s".formatted(file, e), e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new LaunchException("cannot close " + file, e);
    }
  }
}
