package io.fairlead.standalone.pods.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whom the processes of Pods run as; never root.
 *
 * @param home {@code /} where the user has none
 */
public record RunUser(int uid, int gid, String home) {
  private static final int NOBODY = 65534;

  public RunUser {
    if (uid <= 0 || gid <= 0) {
      throw new IllegalArgumentException(
          "uid %d, gid %d: processes of Pods do not run as root".formatted(uid, gid));
    }
  }

  /**
   * Who called sudo, else {@code nobody}.
   *
   * @param environment of this process
   */
  public static RunUser of(Map<String, String> environment) {
    return of(environment, Path.of("/etc/passwd"));
  }

  static RunUser of(Map<String, String> environment, Path passwd) {
    var uid = number(environment.get("SUDO_UID"));
    var gid = number(environment.get("SUDO_GID"));
    return uid.isPresent() && gid.isPresent()
        ? new RunUser(uid.get(), gid.get(), home(passwd, 2, uid.get().toString()))
        : nobody(passwd);
  }

  private static RunUser nobody(Path passwd) {
    return lines(passwd)
        .filter(fields -> fields[0].equals("nobody"))
        .findFirst()
        .flatMap(fields ->
            number(fields[2])
                .flatMap(uid -> number(fields[3]).map(gid -> new RunUser(uid, gid, "/"))))
        .orElse(new RunUser(NOBODY, NOBODY, "/"));
  }

  private static String home(Path passwd, int field, String value) {
    return lines(passwd)
        .filter(fields -> fields[field].equals(value))
        .map(fields -> fields[5])
        .filter(home -> !home.isEmpty() && Files.isDirectory(Path.of(home)))
        .findFirst()
        .orElse("/");
  }

  private static Stream<String[]> lines(Path passwd) {
    try {
      return Files.readAllLines(passwd).stream()
          .map(line -> line.split(":", -1))
          .filter(fields -> fields.length >= 6);
    } catch (IOException _) {
      return Stream.empty(); // a machine without local users still has the number
    }
  }

  /** A number that is not root's. */
  private static Optional<Integer> number(@org.jspecify.annotations.Nullable String text) {
    try {
      return Optional.ofNullable(text).map(Integer::parseInt).filter(n -> n > 0);
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }
}
