package io.fairlead.devkit.process;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Files and directories that every user of the machine is to read, whatever the umask of this
 * process keeps from others. Stateless. Needs a POSIX file system.
 */
public final class PublicFiles {
  private static final Set<PosixFilePermission> DIRECTORY =
      PosixFilePermissions.fromString("rwxr-xr-x");
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-r--r--");

  private PublicFiles() {}

  /**
   * Makes a directory, and those above it that are missing; one that is there is opened to all,
   * those above it stay as they are.
   *
   * @param directory this process' own
   */
  public static void directory(Path directory) throws IOException {
    make(directory.toAbsolutePath());
    Files.setPosixFilePermissions(directory, DIRECTORY);
  }

  private static void make(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    var parent = directory.getParent();
    if (parent != null) {
      make(parent);
    }
    try {
      Files.createDirectory(directory);
      Files.setPosixFilePermissions(directory, DIRECTORY);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory)) { // else somebody was faster
        throw e;
      }
    }
  }

  /** Writes a file, in place of what was there. */
  public static void write(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, FILE);
  }

  /** Opens a file to all. */
  public static void open(Path file) throws IOException {
    Files.setPosixFilePermissions(file, FILE);
  }
}
