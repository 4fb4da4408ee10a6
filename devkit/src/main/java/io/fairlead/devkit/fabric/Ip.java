package io.fairlead.devkit.fabric;

import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.process.Executables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The program {@code ip} of iproute2, fed many commands at a time. Stateless, any thread. */
final class Ip {
  private static final long LIMIT_SECONDS = 60;

  private final String program;

  private Ip(String program) {
    this.program = program;
  }

  /** Refuses what can only fail later: no Linux, not root, no iproute2. */
  static Ip require() {
    if (!System.getProperty("os.name").equals("Linux")) {
      throw new FabricException(
          "network namespaces need Linux; this is " + System.getProperty("os.name"));
    }
    var user = Libc.effectiveUserId();
    if (user != 0) {
      throw new FabricException(
          "network namespaces need root; this process runs as user id " + user);
    }
    return Executables.find("ip")
        .map(program -> new Ip(program.toString()))
        .orElseThrow(() ->
            new FabricException(
                "program 'ip' is not on PATH; Debian and Ubuntu have it in the package 'iproute2'"));
  }

  String program() {
    return program;
  }

  /** Runs the commands in order in the namespace of this process; stops at the first that fails. */
  void here(List<String> commands) {
    run(List.of(program, "-batch", "-"), commands);
  }

  /** Runs the commands in order in a namespace; stops at the first that fails. */
  void in(String namespace, List<String> commands) {
    run(List.of(program, "-n", namespace, "-batch", "-"), commands);
  }

  /**
   * Runs all the commands, also after one that failed (which is said in the end): for clearing
   * away.
   */
  void allOf(List<String> commands) {
    run(List.of(program, "-force", "-batch", "-"), commands);
  }

  /** The same in a namespace, where what fails is not there any more. */
  void allowingFailure(String namespace, List<String> commands) {
    try {
      in(namespace, commands);
    } catch (FabricException _) {
      // said by the caller to be no trouble
    }
  }

  /** What it prints. */
  String ask(List<String> words) {
    var command = new ArrayList<String>();
    command.add(program);
    command.addAll(words);
    return run(command, List.of());
  }

  private static String run(List<String> words, List<String> input) {
    try {
      var process = new ProcessBuilder(words).start();
      var errors = read(process.errorReader(StandardCharsets.UTF_8));
      var output = read(process.inputReader(StandardCharsets.UTF_8));
      try (var stdin = process.outputWriter(StandardCharsets.UTF_8)) {
        for (var line : input) {
          stdin.write(line);
          stdin.write('\n');
        }
      } catch (IOException _) {
        // it ended early and says why on standard error
      }
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new FabricException("%s did not end within %d s".formatted(words, LIMIT_SECONDS));
      }
      if (process.exitValue() != 0) {
        throw new FabricException(explain(words, input, errors.join()));
      }
      return output.join();
    } catch (IOException e) {
      throw new FabricException("cannot run " + words, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FabricException("interrupted during " + words, e);
    }
  }

  private static CompletableFuture<String> read(java.io.BufferedReader reader) {
    var text = new CompletableFuture<String>();
    Thread.ofPlatform()
        .daemon()
        .name("ip-output")
        .start(() -> {
          try (reader) {
            text.complete(reader.readAllAsString());
          } catch (IOException | UncheckedIOException e) {
            text.completeExceptionally(e);
          }
        });
    return text;
  }

  /** {@code ip -batch} names the failed command only by its number. */
  private static String explain(List<String> words, List<String> input, String errors) {
    var number = errors.replaceAll("(?s).*Command failed -:(\\d+).*", "$1");
    var failed =
        number.chars().allMatch(Character::isDigit) && !number.isEmpty()
            ? input.get(Integer.parseInt(number) - 1)
            : String.join("; ", input);
    return "'%s' refused '%s': %s".formatted(String.join(" ", words), failed, errors.strip());
  }
}
