package io.fairlead.cli;

import io.fairlead.core.run.RandomSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the tokens of reservations are kept, by which they are renewed and released: never on a
 * command line, which all users of a machine can read. In order: the file that an option names; the
 * environment; a file of the user's own for each reservation, so that whoever reserved something
 * renews and releases it without further ado.
 */
final class ReservationTokens {
  static final String VARIABLE = "FAIRLEAD_RESERVATION_TOKEN";
  private static final int BYTES = 32;

  /** What a file that holds a secret grants to its owner only. */
  private static final Set<PosixFilePermission> OF_OTHERS =
      PosixFilePermissions.fromString("---rw-rw-");

  private final Map<String, String> environment;
  private final Optional<Path> file;

  /**
   * @param file what {@code --token-file} says
   */
  ReservationTokens(Map<String, String> environment, Optional<Path> file) {
    this.environment = environment;
    this.file = file;
  }

  /** Of a new reservation: what the environment says, or what an existing file says, or made up. */
  String forNew(RandomSource random) {
    var given = file.filter(Files::exists).map(ReservationTokens::read).or(this::ofEnvironment);
    if (given.isPresent()) {
      return given.get();
    }
    var octets = new byte[BYTES];
    random.generator().nextBytes(octets);
    return HexFormat.of().formatHex(octets);
  }

  private Optional<String> ofEnvironment() {
    return Optional.ofNullable(environment.get(VARIABLE)).filter(text -> !text.isBlank());
  }

  /**
   * Keeps it, readable by its owner only.
   *
   * @return where; empty = the environment has it
   * @throws CliException it cannot be written
   */
  Optional<Path> keep(String id, String token) {
    if (file.isEmpty() && ofEnvironment().isPresent()) {
      return Optional.empty();
    }
    var target = file.orElseGet(() -> own(id));
    try {
      if (file.isPresent() && Files.exists(target)) {
        return file; // that is where it is from
      }
      if (file.isEmpty()) {
        Files.createDirectories(
            folder(),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      Files.createFile(
          target,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(target, token + "\n", StandardCharsets.UTF_8);
      return Optional.of(target);
    } catch (IOException e) {
      throw new CliException("error: the token cannot be kept in " + target + ": " + e);
    }
  }

  /**
   * Of a reservation that there is.
   *
   * @throws CliException it is nowhere
   */
  String of(String id) {
    if (file.isPresent()) {
      return read(file.get());
    }
    return ofEnvironment()
        .orElseGet(() -> {
          var own = own(id);
          if (!Files.exists(own)) {
            throw new CliException(
                "error: the token of reservation %s is not in %s: name the file that has it by --token-file, or set %s"
                    .formatted(id, own, VARIABLE));
          }
          return read(own);
        });
  }

  /** The reservation is over. */
  void forget(String id) {
    try {
      Files.deleteIfExists(own(id));
    } catch (IOException _) {
      // a token of nothing
    }
  }

  private static String read(Path file) {
    try {
      var permissions = Files.getPosixFilePermissions(file);
      if (OF_OTHERS.stream().anyMatch(permissions::contains)) {
        throw new CliException(
            "error: others can read or change %s (%s), so its token is no secret: chmod 600 it, or set %s instead"
                .formatted(file, PosixFilePermissions.toString(permissions), VARIABLE));
      }
      var token = Files.readString(file, StandardCharsets.UTF_8).strip();
      if (token.isEmpty()) {
        throw new CliException("error: " + file + " holds no token");
      }
      return token;
    } catch (NoSuchFileException _) {
      throw new CliException("error: there is no file " + file);
    } catch (IOException e) {
      throw new CliException("error: " + file + " cannot be read: " + e);
    }
  }

  /** Ids come from the command line: none leads out of the folder. */
  private Path own(String id) {
    if (!id.matches("[0-9A-Za-z-]{1,64}")) {
      throw new UsageException("error: \"" + id + "\" is not the id of a reservation");
    }
    return folder().resolve(id);
  }

  private Path folder() {
    var home = environment.getOrDefault("HOME", ".");
    return Optional.ofNullable(environment.get("XDG_STATE_HOME"))
        .filter(directory -> directory.startsWith("/"))
        .map(Path::of)
        .orElseGet(() -> Path.of(home, ".local", "state"))
        .resolve("fairlead-reservations"); // beside what planes keep, which they remove themselves
  }
}
