package io.fairlead.standalone.pods.run;

import io.fairlead.cli.plane.ProcessId;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.GatewayException;
import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One container of a Pod, run after run. {@link #run} is its thread; everything else may be called
 * from any. The lock guards whether it is to stop, and its process.
 */
final class ContainerLoop {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerLoop.class);
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** The exit code where a container could not be started at all, as containerd's. */
  private static final int NOT_STARTED = 128;

  /**
   * What it needs of its Pod.
   *
   * @param namespace as {@code ip netns} lists it
   * @param mounts that all containers have
   */
  record Place(Pod pod, String namespace, List<Program.Mount> mounts) {}

  /**
   * A program that runs, and what a second one beside it needs.
   *
   * @param outside the process that holds its namespaces
   */
  record Live(ProcessId outside, Map<String, String> environment, Optional<String> workingDir) {}

  private final Place place;
  private final Pod.Container container;
  private final Program.Runs program;
  private final Kit kit;
  private final ServiceVariables variables;
  private final Runnable changed;
  private final Backoff backoff = new Backoff();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition toStop = lock.newCondition();
  private boolean stopping;
  private Optional<ContainerProcess> process = Optional.empty();

  private volatile ContainerReport report;
  private volatile Optional<Live> live = Optional.empty();
  private volatile Optional<RunLog> log = Optional.empty();
  private volatile boolean finished;

  ContainerLoop(
      Place place,
      Pod.Container container,
      Program.Runs program,
      Optional<ContainerReport> earlier,
      Kit kit,
      ServiceVariables variables,
      Runnable changed) {
    this.place = place;
    this.container = container;
    this.program = program;
    this.kit = kit;
    this.variables = variables;
    this.changed = changed;
    this.report =
        new ContainerReport(
            container.name(),
            earlier.map(ContainerReport::restarts).orElse(0),
            new ContainerState.Waiting("ContainerCreating", ""),
            earlier.flatMap(ContainerLoop::lastEnd));
  }

  private static Optional<ContainerState.Terminated> lastEnd(ContainerReport earlier) {
    return earlier.state() instanceof ContainerState.Terminated end
        ? Optional.of(end)
        : earlier.last();
  }

  ContainerReport report() {
    return report;
  }

  Optional<Live> live() {
    return live;
  }

  /** What the last run printed. */
  Optional<RunLog> log() {
    return log;
  }

  /** Whether nothing of it runs or will run. */
  boolean isFinished() {
    return finished;
  }

  static Path logFile(Path directory, String container, int run) {
    return directory.resolve(container).resolve(run + ".log");
  }

  void run() {
    try {
      var again = true;
      while (again) {
        again = tryOnce();
      }
    } catch (InterruptedException _) {
      kill(); // nobody waits for it any more
    } finally {
      finished = true;
      changed.run();
    }
  }

  /** Whether there is another run; also where something unexpected came between. */
  private boolean tryOnce() throws InterruptedException {
    try {
      return runOnce();
    } catch (RuntimeException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("object", "Pod/" + place.pod().name())
          .addKeyValue("container", container.name())
          .log("Cannot go on with a container");
      running().ifPresent(ContainerProcess::kill);
      show(new ContainerState.Waiting("RunContainerError", e.toString()), report.last());
      return !stopsWithin(backoff.after(Duration.ZERO));
    }
  }

  /** Whether there is another run. */
  private boolean runOnce() throws InterruptedException {
    var services = services();
    if (services.isEmpty()) {
      return false;
    }
    var environment =
        ContainerEnvironment.of(place.pod(), container, kit.sandbox().user(), services.get());
    var began = kit.time().now();
    long beganNanos = kit.time().nanoTime();
    int code;
    var message = "";
    try {
      var started = start(environment);
      if (started.isEmpty()) {
        return false;
      }
      if (started.get().awaitInit().isPresent()) {
        live =
            started
                .get()
                .outside()
                .map(outside -> new Live(outside, environment, container.workingDir()));
        show(new ContainerState.Running(began), report.last());
      }
      code = started.get().awaitExit();
    } catch (LaunchException | IOException e) {
      code = NOT_STARTED;
      message = String.valueOf(e.getMessage());
    } finally {
      live = Optional.empty();
    }
    var end =
        new ContainerState.Terminated(
            code, code == 0 ? "Completed" : "Error", message, began, kit.time().now());
    LOG.atInfo()
        .addKeyValue("event", "container.ended")
        .addKeyValue("object", "Pod/" + place.pod().name())
        .addKeyValue("container", container.name())
        .addKeyValue("exitCode", code)
        .log("Container ended");
    var pause = backoff.after(Duration.ofNanos(kit.time().nanoTime() - beganNanos));
    if (PodReport.isFinal(place.pod().spec().restartPolicy(), code)) {
      show(end, report.last());
      return false;
    }
    show(pause.isZero() ? end : crashLoop(pause), Optional.of(end));
    if (stopsWithin(pause)) {
      return false;
    }
    report =
        new ContainerReport(container.name(), report.restarts() + 1, report.state(), report.last());
    return true;
  }

  private ContainerState crashLoop(Duration pause) {
    return new ContainerState.Waiting(
        "CrashLoopBackOff",
        "back-off %ds restarting failed container=%s pod=%s_%s(%s)"
            .formatted(
                pause.toSeconds(),
                container.name(),
                place.pod().meta().name(),
                place.pod().meta().namespace(),
                place.pod().uid()));
  }

  private void show(ContainerState state, Optional<ContainerState.Terminated> last) {
    report = new ContainerReport(container.name(), report.restarts(), state, last);
    changed.run();
  }

  /** The Services' variables, waited for; empty where it is to stop. */
  private Optional<Map<String, String>> services() throws InterruptedException {
    do {
      try {
        return Optional.of(variables.of(place.pod()));
      } catch (GatewayException e) {
        show(
            new ContainerState.Waiting(
                "CreateContainerConfigError", "the Services are not known yet: " + e.getMessage()),
            report.last());
      }
    } while (!stopsWithin(RETRY));
    return Optional.empty();
  }

  /** Empty where it is to stop. */
  private Optional<ContainerProcess> start(Map<String, String> environment) throws IOException {
    int run = report.restarts();
    var directory = kit.directoryOf(place.pod());
    forget(directory, run - 2);
    var fresh = RunLog.open(logFile(directory, container.name(), run), RunLog.FILE_LIMIT);
    log = Optional.of(fresh);
    container
        .workingDir()
        .filter(path -> !Files.isDirectory(Path.of(path)))
        .ifPresent(path -> {
          throw new LaunchException("workingDir " + path + " is no directory of this machine");
        });
    var mounts = new ArrayList<>(place.mounts());
    mounts.addAll(program.mounts());
    var command =
        kit.sandbox()
            .container(
                place.namespace(),
                ContainerEnvironment.hostname(place.pod()),
                mounts,
                new Sandbox.Task(
                    Expansion.words(program.words(), environment),
                    environment,
                    container.workingDir()));
    lock.lock();
    try {
      if (stopping) {
        fresh.close();
        return Optional.empty();
      }
      process =
          Optional.of(
              ContainerProcess.start(place.pod().name() + "/" + container.name(), command, fresh));
      return process;
    } finally {
      lock.unlock();
    }
  }

  private void forget(Path directory, int run) throws IOException {
    var file = logFile(directory, container.name(), run);
    Files.deleteIfExists(file);
    Files.deleteIfExists(file.resolveSibling(file.getFileName() + ".1"));
  }

  private boolean stopsWithin(Duration pause) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = pause.toNanos();
      while (!stopping && left > 0) {
        left = toStop.awaitNanos(left);
      }
      return stopping;
    } finally {
      lock.unlock();
    }
  }

  /** Asks it to end, and not to begin again. */
  void stop() {
    stopping().ifPresent(ContainerProcess::terminate);
  }

  /** Ends it. */
  void kill() {
    stopping().ifPresent(ContainerProcess::kill);
  }

  private Optional<ContainerProcess> stopping() {
    lock.lock();
    try {
      stopping = true;
      toStop.signalAll();
      return running();
    } finally {
      lock.unlock();
    }
  }

  private Optional<ContainerProcess> running() {
    lock.lock();
    try {
      return process.filter(ContainerProcess::isAlive);
    } finally {
      lock.unlock();
    }
  }
}
