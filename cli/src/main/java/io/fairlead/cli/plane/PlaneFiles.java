package io.fairlead.cli.plane;

import io.fairlead.runtime.CommonOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where planes of this machine keep what others may find.
 *
 * @param environment of the process that asks
 * @param user its user id, as {@link #userId} says
 */
public record PlaneFiles(Map<String, String> environment, long user) {
  /** The variable that names a data directory. */
  public static final String DATA_DIR = "FAIRLEAD_DATA_DIR";

  private static final long ROOT = 0;
  private static final Path OF_ROOT = Path.of("/run/fairlead");
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final int ID_LENGTH = 8;

  public PlaneFiles {
    environment = Map.copyOf(environment);
  }

  /** For this process. */
  public static PlaneFiles of(Map<String, String> environment) {
    return new PlaneFiles(environment, userId());
  }

  /** The user id of this process; where that cannot be told, an own one for each user name. */
  private static long userId() {
    try {
      return owner(Path.of("/proc/self")).orElseThrow();
    } catch (java.util.NoSuchElementException _) {
      return System.getProperty("user.name", "").equals("root")
          ? ROOT
          : owner(Path.of(System.getProperty("user.home", "/"))).orElse(-1L);
    }
  }

  private static Optional<Long> owner(Path file) {
    try {
      return Optional.of(((Number) Files.getAttribute(file, "unix:uid")).longValue());
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  public boolean isRoot() {
    return user == ROOT;
  }

  /** The data directory of a plane where no option names one. */
  public Path dataDirectory() {
    return givenDataDirectory().orElseGet(this::home);
  }

  /** The same where the environment does not say either. */
  public Path standardDataDirectory() {
    return home();
  }

  /** What the environment says. */
  Optional<Path> givenDataDirectory() {
    return Optional.ofNullable(environment.get(DATA_DIR))
        .filter(text -> !text.isBlank())
        .map(Path::of);
  }

  private Path home() {
    return CommonOptions.dataHome(environment, isRoot() ? "root" : "");
  }

  /** Where this user's planes write their run files. */
  public Path runDirectory() {
    if (isRoot()) {
      return OF_ROOT;
    }
    return Optional.ofNullable(environment.get("XDG_RUNTIME_DIR"))
        .filter(text -> text.startsWith("/"))
        .map(text -> Path.of(text, "fairlead"))
        .orElseGet(() -> home().resolve("run"));
  }

  /** Where run files are looked for: this user's and root's. */
  List<Path> runDirectories() {
    return Stream.of(runDirectory(), OF_ROOT).distinct().toList();
  }

  /**
   * Whether nobody but this user and root says what is in the file: nobody else may say where
   * commands connect to, and which process is ended. So it is theirs, no link, and only they write
   * it and put files into its directory.
   */
  boolean isBelieved(Path file) {
    var directory = file.toAbsolutePath().getParent();
    return directory != null
        && isTrusted(directory)
        && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && isTrusted(file);
  }

  /** Of the file itself, not of what it may link to. */
  private boolean isTrusted(Path file) {
    try {
      var attributes =
          Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      long owner =
          ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue();
      return (owner == user || owner == ROOT)
          && !attributes.isSymbolicLink()
          && !attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)
          && !attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE);
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException _) {
      return false;
    }
  }

  /**
   * The id of the instance that has this data directory: 8 of a-z and 0-9, the same for every way
   * to write the path.
   */
  public static String instanceId(Path dataDirectory) {
    var path = realPath(dataDirectory.toAbsolutePath().normalize());
    try {
      var hash =
          MessageDigest.getInstance("SHA-256")
              .digest(path.toString().getBytes(StandardCharsets.UTF_8));
      var id = new StringBuilder();
      for (int i = 0; i < ID_LENGTH; i++) {
        id.append(ALPHABET.charAt(Byte.toUnsignedInt(hash[i]) % ALPHABET.length()));
      }
      return id.toString();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  /** Of what is there; what is not cannot be a link. */
  private static Path realPath(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException _) {
      var parent = path.getParent();
      return parent == null ? path : realPath(parent).resolve(path.getFileName());
    }
  }
}
