package io.fairlead.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is there whole, or as it was before: written beside it, readable by its owner only,
 * and renamed. What was begun and not committed is removed, also when the process is told to end.
 */
final class ReplacedFile implements AutoCloseable {
  private final Path target;
  private final Path written;
  private final FileChannel channel;
  private final Thread cleaner;

  private ReplacedFile(Path target, Path written, FileChannel channel) {
    this.target = target;
    this.written = written;
    this.channel = channel;
    this.cleaner = Thread.ofPlatform().name("cleaner").unstarted(() -> delete(written));
    Runtime.getRuntime().addShutdownHook(cleaner);
  }

  /**
   * Begins to write.
   *
   * @throws CliException it is there and no file
   */
  static ReplacedFile of(Path file) throws IOException {
    var target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new CliException(
          "error: "
              + file
              + (Files.isDirectory(target)
                  ? " is a directory"
                  : " is no file; - is standard output"));
    }
    var folder = target.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new CliException("error: the directory of " + file + " does not exist");
    }
    var written = Files.createTempFile(folder, "." + target.getFileName() + ".", ".part");
    return new ReplacedFile(target, written, FileChannel.open(written, StandardOpenOption.WRITE));
  }

  OutputStream out() {
    return Channels.newOutputStream(channel);
  }

  /** All was written. */
  void commit() throws IOException {
    channel.force(true);
    channel.close();
    Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void delete(Path written) {
    try {
      Files.deleteIfExists(written);
    } catch (IOException _) {
      // it stays beside the file, under a name that says what it is
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    delete(written);
    try {
      Runtime.getRuntime().removeShutdownHook(cleaner);
    } catch (IllegalStateException _) {
      // the process is ending
    }
  }
}
