package io.fairlead.standalone.plane;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.process.Executables;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.standalone.pods.PodRunnerConfig;
import io.fairlead.standalone.pods.run.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is left of an instance whose owner died: processes in its namespaces and the namespaces,
 * found by the id in their names; processes outside, found by the mark in their environment.
 */
final class Leftovers {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private Leftovers() {}

  /**
   * Removes all of it. Call it only with the instance's lock, or when nobody can have it.
   *
   * @throws LaunchException a process does not go away
   */
  static void clear(String id, PlaneFiles files) {
    killMarked(id);
    if (files.isRoot() && Executables.find("ip").isPresent()) {
      Fabric.clear(id);
      Images.remove(PodRunnerConfig.images(id));
    }
  }

  private static void killMarked(String id) {
    var end = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      var left = marked(id);
      if (left.isEmpty()) {
        return;
      }
      if (System.nanoTime() - end > 0) {
        throw new LaunchException(
            "processes %s of instance %s did not end within %s of SIGKILL"
                .formatted(left, id, LIMIT));
      }
      // again and again: one may just have forked
      left.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
      Pause.of(Duration.ofMillis(20));
    }
  }

  /** Processes of the instance but this one and those that started it. Empty without /proc. */
  static List<Long> marked(String id) {
    var own = ancestors();
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> !own.contains(pid) && isMarked(pid, id))
        .toList();
  }

  private static Set<Long> ancestors() {
    var pids = new HashSet<Long>();
    for (var process = Optional.of(ProcessHandle.current());
        process.isPresent();
        process = process.get().parent()) {
      pids.add(process.get().pid());
    }
    return pids;
  }

  private static boolean isMarked(long pid, String id) {
    try {
      var environment =
          new String(
              Files.readAllBytes(Path.of("/proc", Long.toString(pid), "environ")),
              StandardCharsets.ISO_8859_1);
      return ("\0" + environment + "\0").contains("\0" + Instance.MARK + "=" + id + "\0");
    } catch (IOException _) {
      return false; // ended, another user's, or no Linux
    }
  }
}
