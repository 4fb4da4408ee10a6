package io.fairlead.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Which part of a plane a process is, by its command line. Stateless. */
final class Role {
  static final String PLANE = "plane";

  private static final String PLANE_MAIN = "io.fairlead.standalone.plane.PlaneMain";
  private static final String AGENT = "io.fairlead.agent.Main";
  private static final String ECHO = "io.fairlead.devkit.echo.EchoServerMain";

  private Role() {}

  /**
   * {@value #PLANE}, {@code etcd}, {@code agent-NODE}, or {@code echo}, a Pod of the built-in image
   * of whichever plane; empty for others, above all for what only starts one of these and has its
   * words among its own.
   *
   * @param words of the process, with its program first
   * @param data directory of the plane that is meant
   */
  static Optional<String> of(List<String> words, Path data) {
    if (words.isEmpty() || words.getFirst().isEmpty()) {
      return Optional.empty();
    }
    return switch (String.valueOf(Path.of(words.getFirst()).getFileName())) {
      case "etcd" -> isOf(words, data) ? Optional.of("etcd") : Optional.empty();
      case "java" -> {
        if (words.contains(ECHO)) {
          yield Optional.of("echo");
        }
        if (!isOf(words, data)) {
          yield Optional.empty();
        }
        if (words.contains(PLANE_MAIN)) {
          yield Optional.of(PLANE);
        }
        yield words.contains(AGENT)
            ? words.stream()
                .filter(word -> word.startsWith("--node="))
                .map(word -> "agent-" + word.substring("--node=".length()))
                .findFirst()
            : Optional.empty();
      }
      default -> Optional.empty();
    };
  }

  /** Whether a word names the directory, or something in it. */
  private static boolean isOf(List<String> words, Path data) {
    return words.stream()
        .map(word -> word.substring(word.indexOf('=') + 1))
        .anyMatch(word -> word.equals(data.toString()) || word.startsWith(data + "/"));
  }
}
