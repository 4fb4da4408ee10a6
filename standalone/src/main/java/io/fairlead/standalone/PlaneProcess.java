package io.fairlead.standalone;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.devkit.process.Executables;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.standalone.plane.Instance;
import io.fairlead.standalone.plane.PlaneConfig;
import io.fairlead.standalone.plane.PlaneMain;
import io.fairlead.standalone.plane.Progress;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The process of a plane, as seen by the command that starts it: in a session of its own, so that a
 * terminal's signals and end do not reach it. Started by one thread that lives as long as the
 * process is ours.
 */
final class PlaneProcess {
  private static final List<String> JVM =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:+ExitOnOutOfMemoryError",
          "-XX:+UseCompactObjectHeaders",
          "-Xshare:auto",
          "-Xss512k",
          "-Xmx512m");

  /** Variables of whoever starts a plane that hold for all of its processes. */
  private static final String HOME = "FAIRLEAD_HOME";

  private static final Set<String> OF_RUNTIMES =
      Set.of(
          "JAVA_TOOL_OPTIONS",
          "JDK_JAVA_OPTIONS",
          "_JAVA_OPTIONS",
          "LD_PRELOAD",
          "LD_LIBRARY_PATH");

  private final PlaneConfig config;
  private final PlaneFiles files;
  private final Process process;
  private final Progress.Reader progress;

  /** Whom it belongs to. */
  enum Life {
    /** It ends with this process, in whatever way that ends. */
    OURS,
    OWN
  }

  private PlaneProcess(
      PlaneConfig config, PlaneFiles files, Process process, Progress.Reader progress) {
    this.config = config;
    this.files = files;
    this.process = process;
    this.progress = progress;
  }

  /**
   * Starts it and returns at once.
   *
   * @throws LaunchException it cannot be started
   */
  static PlaneProcess start(PlaneConfig config, PlaneFiles files, Life life) {
    var progress = config.dataDirectory().resolve("plane.progress");
    var log = log(config);
    try {
      Files.createDirectories(config.logs());
      Files.deleteIfExists(progress);
      if (Files.exists(log)) {
        Files.move(log, log.resolveSibling("plane.log.1"), StandardCopyOption.REPLACE_EXISTING);
      }
      var builder = new ProcessBuilder(words(config, life, progress));
      scrub(builder.environment());
      builder.environment().put(Instance.MARK, config.id());
      builder.directory(config.dataDirectory().toFile()); // holds on to no directory of others
      builder.redirectInput(Redirect.from(Path.of("/dev/null").toFile()));
      builder.redirectErrorStream(true);
      builder.redirectOutput(Redirect.appendTo(log.toFile()));
      return new PlaneProcess(config, files, builder.start(), new Progress.Reader(progress));
    } catch (IOException e) {
      throw new LaunchException("cannot start the plane: " + e, e);
    }
  }

  private static Path log(PlaneConfig config) {
    return config.planeLog();
  }

  /**
   * What is meant for the command, such as its namespace, would be unknown to the services; what
   * etcd, the JVM or the dynamic linker take from the environment would change them, such as where
   * they listen.
   */
  static void scrub(Map<String, String> environment) {
    environment
        .keySet()
        .removeIf(name ->
            (name.startsWith("FAIRLEAD_") && !name.equals(HOME))
                || name.startsWith("ETCD_")
                || OF_RUNTIMES.contains(name));
  }

  private static List<String> words(PlaneConfig config, Life life, Path progress) {
    var words = new ArrayList<String>();
    Executables.find("setsid").ifPresent(setsid -> words.add(setsid.toString()));
    switch (life) {
      case OWN -> {
        // outlives us
      }
      case OURS ->
          Executables.find("setpriv")
              .ifPresent(setpriv ->
                  words.addAll(
                      List.of(setpriv.toString(), "--pdeathsig", PlaneMain.PARENT_ENDED, "--")));
    }
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(JVM);
    var dist = System.getProperty("fairlead.dist");
    if (dist != null) {
      words.add("-Dfairlead.dist=" + dist);
    }
    words.add("-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener");
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), PlaneMain.class.getName()));
    words.addAll(
        List.of(
            "--data-dir",
            config.dataDirectory().toString(),
            "--nodes",
            Integer.toString(config.nodes()),
            "--ports",
            config.ports().toString(),
            "--progress",
            progress.toString()));
    return words;
  }

  PlaneConfig config() {
    return config;
  }

  Progress.Reader progress() {
    return progress;
  }

  Path log() {
    return log(config);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  int exitCode() {
    return process.exitValue();
  }

  boolean exitsWithin(Duration limit) {
    try {
      return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LaunchException("interrupted while waiting for the plane", e);
    }
  }

  /** SIGTERM, and SIGKILL when it is still there after the limit. */
  void stop(Duration limit) {
    process.destroy();
    if (!exitsWithin(limit)) {
      process.destroyForcibly();
      exitsWithin(limit);
    }
  }

  /** Removes what it left; nothing after an end in order. */
  void clear() {
    Instance.clear(config.dataDirectory(), files);
  }

  /** The last lines of its log; empty when there is none. */
  String logTail(int lines) {
    try {
      var all = Files.readAllLines(log());
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException _) {
      return "";
    }
  }
}
