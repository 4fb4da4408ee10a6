package io.fairlead.standalone;

import io.fairlead.cli.CliException;
import io.fairlead.cli.Fairlead;
import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.RunFile;
import io.fairlead.devkit.process.LaunchException;
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
      "Ends what fairlead up runs on this machine and removes all of it but the data, also after a crash.",
      "Says so where nothing runs, and is no error then."
    })
final class DownCommand implements Callable<Integer> {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(45);
  private static final Duration KILL_LIMIT = Duration.ofSeconds(10);
  private static final Duration LOOK = Duration.ofMillis(50);

  @ParentCommand private Fairlead fairlead;

  @Override
  public Integer call() throws InterruptedException {
    var files = PlaneFiles.of(fairlead.environment());
    var out = fairlead.console().out();
    var found = directory(files);
    if (found.isEmpty()) {
      out.println("Nothing to stop: no plane runs here");
      return 0;
    }
    var directory = found.get();
    var owner = Owner.of(directory);
    try {
      if (owner.filter(o -> o.process().isAlive()).isPresent()) {
        out.println("Stopping the plane with data in " + directory);
        stop(directory, owner.get());
      } else {
        out.println("Clearing what a plane that crashed has left, data in " + directory);
      }
      Instance.clear(directory, files);
    } catch (LaunchException e) {
      throw new CliException("error: " + e.getMessage());
    }
    out.println("Stopped");
    return 0;
  }

  /** Of the plane that is meant: one that runs, or one that crashed. */
  private Optional<Path> directory(PlaneFiles files) {
    var given = fairlead.givenDataDirectory().map(path -> path.toAbsolutePath().normalize());
    var named = given.orElseGet(() -> files.dataDirectory().toAbsolutePath().normalize());
    var planes = RunFile.all(files);
    if (given.isPresent()
        || fairlead.environment().containsKey(PlaneFiles.DATA_DIR)
        || Owner.of(named).isPresent()) {
      return isKnown(named, planes) ? Optional.of(named) : Optional.empty();
    }
    var live = planes.stream().filter(RunFile::isLive).toList();
    return switch (RunFile.choose(files, Optional.empty(), live.isEmpty() ? planes : live)) {
      case RunFile.Found.One(var plane) -> Optional.of(plane.dataDirectory());
      case RunFile.Found.Nothing _ -> Optional.empty();
      case RunFile.Found.Several several -> throw new CliException(several.words());
    };
  }

  private static boolean isKnown(Path directory, java.util.List<RunFile> planes) {
    var id = PlaneFiles.instanceId(directory);
    return Files.exists(directory) && Owner.of(directory).isPresent()
        || planes.stream().anyMatch(plane -> plane.id().equals(id));
  }

  private void stop(Path directory, Owner owner) throws InterruptedException {
    var process =
        ProcessHandle.of(owner.process().pid())
            .orElseThrow(() -> new LaunchException("the plane just ended; try again"));
    var out = fairlead.console().out();
    var view = new StartView(out, StartView.fitting(fairlead.environment()));
    var progress = new Progress.Reader(directory.resolve("plane.progress"));
    var _ = progress.next(); // its start is no news
    if (!process.destroy()) {
      throw new CliException(
          "error: the plane with data in %s (pid %d) is not yours to stop; run this as its user"
              .formatted(directory, process.pid()));
    }
    if (!ends(owner, STOP_LIMIT, () -> view.show(progress.next()))) {
      out.printf("Not ended within %d s, killing it%n", STOP_LIMIT.toSeconds());
      var _ = process.destroyForcibly();
      if (!ends(owner, KILL_LIMIT, () -> {})) {
        throw new LaunchException("process " + process.pid() + " did not end after SIGKILL");
      }
    }
  }

  private boolean ends(Owner owner, Duration limit, Runnable meanwhile)
      throws InterruptedException {
    var time = fairlead.time();
    long end = time.nanoTime() + limit.toNanos();
    while (owner.process().isAlive()) {
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
