package io.fairlead.cli.plane;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/**
 * One process of this machine, also after its number was given to another one.
 *
 * @param started when, in whatever unit the system counts; equal texts mean the same start
 */
public record ProcessId(long pid, String started) {
  /** The process that has this number now; empty = none, or one that only waits to be reaped. */
  public static Optional<ProcessId> of(long pid) {
    var stat = Path.of("/proc", Long.toString(pid), "stat");
    if (Files.exists(Path.of("/proc/self/stat"))) {
      try {
        var text = Files.readString(stat);
        // proc_pid_stat(5): the name may hold blanks and brackets, so count from the last bracket
        var fields = text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
        var state = fields[0];
        return state.equals("Z") || state.equals("X")
            ? Optional.empty()
            : Optional.of(new ProcessId(pid, fields[19]));
      } catch (IOException _) {
        return Optional.empty();
      }
    }
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .map(handle ->
            new ProcessId(
                pid,
                Long.toString(handle.info().startInstant().orElse(Instant.EPOCH).toEpochMilli())));
  }

  public static ProcessId self() {
    return of(ProcessHandle.current().pid()).orElseThrow();
  }

  public boolean isAlive() {
    return of(pid).filter(this::equals).isPresent();
  }
}
