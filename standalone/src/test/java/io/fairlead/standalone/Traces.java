package io.fairlead.standalone;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.standalone.plane.Instance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What an instance leaves on this machine, looked for without its own code. */
final class Traces {
  private Traces() {}

  /** Namespaces, interfaces, processes, and what is in /run/fairlead; empty = nothing. */
  static List<String> of(Path dataDirectory) {
    var id = PlaneFiles.instanceId(dataDirectory);
    var traces = new ArrayList<String>();
    for (var place : List.of("/run/netns", "/etc/netns", "/sys/class/net")) {
      names(Path.of(place))
          .filter(name -> name.startsWith("fl-" + id + "-"))
          .forEach(name -> traces.add(place + "/" + name));
    }
    ProcessHandle.allProcesses()
        .filter(process -> isOf(process.pid(), id, dataDirectory))
        .forEach(process -> traces.add("process " + process.pid()));
    var runFiles = PlaneFiles.of(Map.of()).runDirectory();
    names(runFiles)
        .filter(name -> name.contains(id))
        .forEach(name -> traces.add(runFiles + "/" + name));
    return traces;
  }

  private static Stream<String> names(Path directory) {
    if (!Files.isDirectory(directory)) {
      return Stream.empty();
    }
    try (var entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isOf(long pid, String id, Path dataDirectory) {
    var proc = Path.of("/proc", Long.toString(pid));
    try {
      return text(proc.resolve("environ")).contains(Instance.MARK + "=" + id)
          || (pid != ProcessHandle.current().pid()
              && text(proc.resolve("cmdline")).contains(dataDirectory + "/"));
    } catch (IOException _) {
      return false; // it just ended
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }
}
