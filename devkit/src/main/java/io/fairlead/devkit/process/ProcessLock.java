package io.fairlead.devkit.process;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Keeps something for one holder at a time, over all processes of the machine. Soft: the kernel
 * lets go when the process dies. Only its owner may open the file: whoever reads it could lock it,
 * too, and keep everybody else out. Any thread.
 */
public final class ProcessLock implements AutoCloseable {
  /**
   * What this process holds. The kernel's locks belong to the process and not to a channel: to
   * close another channel of the file would give the lock up, so none is ever opened. Shared by all
   * of the process, as the locks are.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private static final Set<PosixFilePermission> OWNER =
      PosixFilePermissions.fromString("rw-------");
  private static final int TRIES = 100;

  private final Path file;
  private final AfterUse afterUse;
  private final FileChannel channel;

  /** Shows that the file still has its name; open as long as the lock, see {@link #HELD}. */
  private final Optional<FileChannel> witness;

  private final AtomicBoolean closed = new AtomicBoolean();

  /** What becomes of the file. */
  private enum AfterUse {
    STAYS,
    IS_REMOVED
  }

  private ProcessLock(
      Path file, AfterUse afterUse, FileChannel channel, Optional<FileChannel> witness) {
    this.file = file;
    this.afterUse = afterUse;
    this.channel = channel;
    this.witness = witness;
  }

  /**
   * Takes it, or says at once by an empty result that a live process, perhaps this one, has it. The
   * empty file stays.
   *
   * @param file made with its directories when it is new
   * @throws LaunchException when it cannot be written
   */
  public static Optional<ProcessLock> tryTake(Path file) {
    return tryTake(file, AfterUse.STAYS);
  }

  /**
   * As {@link #tryTake}, and the file is removed when it is given back; a crash leaves it. All
   * holders of one file must take it in this way.
   */
  public static Optional<ProcessLock> tryTakeForAWhile(Path file) {
    return tryTake(file, AfterUse.IS_REMOVED);
  }

  private static Optional<ProcessLock> tryTake(Path file, AfterUse afterUse) {
    try {
      var absolute = file.toAbsolutePath();
      Files.createDirectories(absolute.getParent());
      var real = absolute.resolveSibling(".").toRealPath().resolve(file.getFileName());
      if (!HELD.add(real)) {
        return Optional.empty();
      }
      Optional<ProcessLock> lock = Optional.empty();
      try {
        lock = take(real, afterUse);
        return lock;
      } finally {
        if (lock.isEmpty()) {
          HELD.remove(real);
        }
      }
    } catch (IOException e) {
      throw new LaunchException("cannot lock %s: %s".formatted(file, e), e);
    }
  }

  private static Optional<ProcessLock> take(Path file, AfterUse afterUse) throws IOException {
    for (int i = 0; i < TRIES; i++) {
      var channel =
          FileChannel.open(
              file,
              Set.of(
                  StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
              PosixFilePermissions.asFileAttribute(OWNER));
      Optional<FileChannel> witness = Optional.empty();
      var taken = false;
      try {
        if (channel.tryLock() == null) {
          return Optional.empty();
        }
        switch (afterUse) {
          case STAYS -> taken = true;
          case IS_REMOVED -> {
            // Between opening and locking, the last holder may have removed it: then this is the
            // lock of a file without a name, and others lock a new one.
            witness = witness(channel, file);
            taken = witness.isPresent();
          }
        }
        if (taken) {
          Files.setPosixFilePermissions(file, OWNER); // also of one made before
          return Optional.of(new ProcessLock(file, afterUse, channel, witness));
        }
      } finally {
        if (!taken) {
          channel.close();
        }
      }
    }
    return Optional.empty(); // removed again and again by those who hold it
  }

  /** A channel of the file that has the name, where what is written through the other shows. */
  private static Optional<FileChannel> witness(FileChannel channel, Path file) throws IOException {
    var mark =
        ByteBuffer.wrap(
            (ProcessHandle.current().pid() + " " + UUID.randomUUID() + "\n")
                .getBytes(StandardCharsets.US_ASCII));
    channel.truncate(0);
    while (mark.hasRemaining()) {
      channel.write(mark);
    }
    mark.flip();
    FileChannel other;
    try {
      other = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
    var found = ByteBuffer.allocate(mark.remaining() + 1);
    while (found.hasRemaining() && other.read(found) >= 0) {
      // until the end
    }
    found.flip();
    if (found.equals(mark)) {
      return Optional.of(other);
    }
    other.close();
    return Optional.empty();
  }

  /** Gives it back; once. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      if (afterUse == AfterUse.IS_REMOVED) {
        Files.deleteIfExists(file); // while nobody else can have it
      }
      channel.close();
      if (witness.isPresent()) {
        witness.get().close();
      }
    } catch (IOException e) {
      throw new LaunchException("cannot close " + file, e);
    } finally {
      HELD.remove(file);
    }
  }
}
