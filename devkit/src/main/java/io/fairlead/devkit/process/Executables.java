package io.fairlead.devkit.process;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Programs of the machine. */
public final class Executables {
  private Executables() {}

  /**
   * Looks through PATH, then through the directories for root's programs, which a user's PATH often
   * lacks.
   */
  public static Optional<Path> find(String name) {
    var path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(
            Stream.of(path.split(File.pathSeparator, -1)),
            Stream.of(
                "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"))
        .filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * The program's file.
   *
   * @param debianPackage named in the message, since that is what helps
   * @throws LaunchException when it is not installed
   */
  public static Path require(String name, String debianPackage) {
    return find(name)
        .orElseThrow(() ->
            new LaunchException(
                "program '%s' is not on PATH; Debian and Ubuntu have it in the package '%s'"
                    .formatted(name, debianPackage)));
  }
}
