package io.fairlead.standalone;

import io.fairlead.cli.CliException;
import io.fairlead.cli.Fairlead;
import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.ProcessId;
import io.fairlead.cli.plane.RunFile;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.standalone.plane.DataDirectory;
import io.fairlead.standalone.plane.Instance;
import io.fairlead.standalone.plane.Owner;
import io.fairlead.standalone.plane.Progress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/**
 * {@code fairlead down}: ends a plane and removes every process, namespace and interface of it,
 * also after a crash. The data stays.
 */
@Command(
    name = "down",
    description = {
      "Ends what fairlead up runs with the data directory that is meant, --data-dir or the default one, and removes all of it but the data, also after a crash. A plane with another one, whether it runs or crashed, is named and left alone.",
      "Says so where nothing runs, and is no error then."
    })
final class DownCommand implements Callable<Integer> {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(45);
  private static final Duration KILL_LIMIT = Duration.ofSeconds(10);
  private static final Duration LOOK = Duration.ofMillis(50);

  @ParentCommand private Fairlead fairlead;

  /**
   * What is to end.
   *
   * @param process the plane, dead or alive; empty where nobody knows
   */
  private record Target(Path directory, Optional<ProcessId> process) {
    boolean isLive() {
      return process.filter(ProcessId::isAlive).isPresent();
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    var files = PlaneFiles.of(fairlead.environment());
    var out = fairlead.console().out();
    try {
      var found = target(files);
      if (found.isEmpty()) {
        out.println("Nothing to stop: no plane runs here");
        return 0;
      }
      var target = found.get();
      DataDirectory.requireOwn(target.directory(), files.user());
      if (target.isLive()) {
        out.println("Stopping the plane with data in " + target.directory());
        stop(target.directory(), target.process().orElseThrow());
      } else {
        out.println("Clearing what a plane that crashed has left, data in " + target.directory());
      }
      Instance.clear(target.directory(), files);
    } catch (LaunchException e) {
      throw new CliException("error: " + e.getMessage());
    }
    out.println("Stopped");
    return 0;
  }

  /** The plane that is meant: one that runs, or one of this user that crashed. */
  private Optional<Target> target(PlaneFiles files) {
    var planes =
        RunFile.all(files).stream()
            .filter(plane -> plane.isLive() || Files.exists(RunFile.file(files, plane.id())))
            .toList();
    var given = fairlead.givenDataDirectory();
    var named = given.orElseGet(files::dataDirectory).toAbsolutePath().normalize();
    given.ifPresent(directory -> DataDirectory.requireOwn(directory, files.user()));
    var owner = Owner.of(named); // also of one that is not ready yet, and has no run file
    if (owner.isPresent()) {
      return Optional.of(new Target(named, owner.map(Owner::process)));
    }
    var live = planes.stream().filter(RunFile::isLive).toList();
    return switch (RunFile.chooseNamed(files, given, live.isEmpty() ? planes : live)) {
      case RunFile.Found.One(var plane) ->
          Optional.of(new Target(plane.dataDirectory(), Optional.of(plane.process())));
      case RunFile.Found.Nothing _ -> Optional.empty();
      case RunFile.Found.Several several -> throw new CliException(several.words());
    };
  }

  private void stop(Path directory, ProcessId plane) throws InterruptedException {
    var running = ProcessHandle.of(plane.pid());
    if (running.isEmpty()) {
      return; // it ended just now
    }
    var process = running.get();
    var out = fairlead.console().out();
    var view = new StartView(out, StartView.fitting(fairlead.environment()));
    var progress = new Progress.Reader(directory.resolve("plane.progress"));
    var _ = progress.next(); // its start is no news
    if (!process.destroy() && plane.isAlive()) { // not where it ended just now
      throw new CliException(
          "error: the plane with data in %s (pid %d) is not yours to stop; run this as its user"
              .formatted(directory, process.pid()));
    }
    if (!ends(plane, STOP_LIMIT, () -> view.show(progress.next()))) {
      out.printf("Not ended within %d s, killing it%n", STOP_LIMIT.toSeconds());
      var _ = process.destroyForcibly();
      if (!ends(plane, KILL_LIMIT, () -> {})) {
        throw new LaunchException("process " + process.pid() + " did not end after SIGKILL");
      }
    }
  }

  private boolean ends(ProcessId plane, Duration limit, Runnable meanwhile)
      throws InterruptedException {
    var time = fairlead.time();
    long end = time.nanoTime() + limit.toNanos();
    while (plane.isAlive()) {
      meanwhile.run();
      if (time.nanoTime() - end > 0) {
        return false;
      }
      time.sleep(LOOK);
    }
    meanwhile.run();
    return true;
  }
}
