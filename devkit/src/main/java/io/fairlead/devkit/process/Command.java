package io.fairlead.devkit.process;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What to run.
 *
 * @param name short, for messages and thread names
 * @param words the program and its arguments, not empty
 * @param environment added to this process' own
 * @param log file that standard error (and output, if so said) is appended to; its directory is
 *     made
 */
public record Command(
    String name, List<String> words, Map<String, String> environment, Path log, Stdout stdout) {
  public Command {
    words = List.copyOf(words);
    environment = Map.copyOf(environment);
    if (words.isEmpty()) {
      throw new IllegalArgumentException("command " + name + ": no program given");
    }
  }

  public static Command of(String name, List<String> words, Path log) {
    return new Command(name, words, Map.of(), log, Stdout.LOG);
  }

  public Command withEnvironment(Map<String, String> added) {
    return new Command(name, words, added, log, stdout);
  }

  public Command withStdout(Stdout target) {
    return new Command(name, words, environment, log, target);
  }

  /**
   * The same, run through a program that executes its last arguments in its own place, e.g. {@code
   * ip netns exec}.
   */
  public Command through(List<String> prefix) {
    return new Command(
        name, Stream.concat(prefix.stream(), words.stream()).toList(), environment, log, stdout);
  }

  /**
   * A Java program on this JVM's own Java and class path, quick to start and small.
   *
   * @param jvmOptions after the ones that every launcher carries, so that they win
   */
  public static Command java(
      String name, Class<?> main, List<String> jvmOptions, List<String> arguments, Path log) {
    var words = new ArrayList<String>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError", // half a program helps nobody; its end is seen
            "-Xshare:auto"));
    words.addAll(jvmOptions);
    words.add("-cp");
    words.add(System.getProperty("java.class.path"));
    words.add(main.getName());
    words.addAll(arguments);
    return of(name, words, log);
  }
}
