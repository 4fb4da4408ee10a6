package io.fairlead.devkit.fabric;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Keeps an id or a number for one fabric at a time, over all processes of the machine. Soft: the
 * kernel lets go when its process dies. The empty files stay in /run, since deleting a locked file
 * would let a second owner in.
 */
final class FabricLock implements AutoCloseable {
  private static final Path DIRECTORY = Path.of("/run/fairlead");

  private final FileChannel channel;

  private FabricLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Empty when a live process, perhaps this one, has it. */
  static Optional<FabricLock> tryTake(String name) {
    try {
      Files.createDirectories(DIRECTORY);
      var channel =
          FileChannel.open(
              DIRECTORY.resolve(name + ".lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE);
      try {
        if (channel.tryLock() != null) {
          return Optional.of(new FabricLock(channel));
        }
      } catch (OverlappingFileLockException _) {
        // this JVM has it
      }
      channel.close();
      return Optional.empty();
    } catch (IOException e) {
      throw new FabricException("cannot lock " + DIRECTORY.resolve(name + ".lock"), e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new FabricException("cannot close a lock file", e);
    }
  }
}
