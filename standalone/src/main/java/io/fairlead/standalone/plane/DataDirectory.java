package io.fairlead.standalone.plane;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which directory a plane may have: one of its own user. What another user has put into a directory
 * is not believed, and nothing is written there: it could name any process or link to any file.
 * Stateless.
 */
public final class DataDirectory {
  private DataDirectory() {}

  /**
   * Makes it, for its owner's eyes only; never takes over a directory of something else.
   *
   * @param option what the command line says, before the environment and the default
   * @return without links
   * @throws LaunchException it cannot be used, is another user's, or holds something else
   */
  public static Path prepare(Optional<Path> option, PlaneFiles files) {
    var directory = option.orElseGet(files::dataDirectory).toAbsolutePath().normalize();
    try {
      Files.createDirectories(directory);
      requireOwn(directory, files.user());
      var real = directory.toRealPath();
      // The default one may hold the run files already; no variable can make another one of it.
      if (!directory.equals(builtIn(files)) && !isPlanes(real, files.user()) && !isEmpty(real)) {
        throw new LaunchException(
            "%s %s: is not empty and not a data directory of fairlead; name a new one"
                .formatted(source(option, files), directory));
      }
      Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwx------"));
      return real;
    } catch (IOException e) {
      throw new LaunchException(
          "%s %s: cannot be used: %s".formatted(source(option, files), directory, e), e);
    }
  }

  /**
   * Refuses the directory of another user, also behind a link; one that is not there is nobody's.
   *
   * @param user the caller
   * @throws LaunchException it is another user's, or that cannot be seen
   */
  public static void requireOwn(Path directory, long user) {
    try {
      requireOwner(directory, directory, user);
      requireOwner(directory, directory.toRealPath(), user);
    } catch (NoSuchFileException _) {
      // nobody's
    } catch (IOException e) {
      throw new LaunchException("data directory %s: cannot be used: %s".formatted(directory, e), e);
    }
  }

  private static void requireOwner(Path directory, Path file, long user) throws IOException {
    var owner = owner(file);
    if (owner != user) {
      throw new LaunchException(
          "data directory %s: belongs to the user with id %d, not to you (id %d); run this as its user or name another one"
              .formatted(directory, owner, user));
    }
  }

  /** Whether the file itself, not what it may link to, is this user's. False where it is not. */
  static boolean isOwn(Path file, long user) {
    try {
      return owner(file) == user;
    } catch (IOException _) {
      return false;
    }
  }

  /** The user that this process is. */
  static long caller() {
    return PlaneFiles.of(Map.of()).user();
  }

  private static long owner(Path file) throws IOException {
    return ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue();
  }

  /** What is used where neither option nor variable names one. */
  private static Path builtIn(PlaneFiles files) {
    var environment = new HashMap<>(files.environment());
    environment.remove(PlaneFiles.DATA_DIR);
    return new PlaneFiles(environment, files.user()).dataDirectory().toAbsolutePath().normalize();
  }

  private static boolean isPlanes(Path directory, long user) {
    return isOwn(Instance.lockFile(directory), user);
  }

  private static String source(Optional<Path> option, PlaneFiles files) {
    if (option.isPresent()) {
      return "--data-dir";
    }
    return files.environment().getOrDefault(PlaneFiles.DATA_DIR, "").isBlank()
        ? "data directory"
        : PlaneFiles.DATA_DIR;
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.findAny().isEmpty();
    }
  }
}
