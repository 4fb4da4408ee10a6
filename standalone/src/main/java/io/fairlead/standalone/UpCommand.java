package io.fairlead.standalone;

import io.fairlead.cli.CliException;
import io.fairlead.cli.Fairlead;
import io.fairlead.cli.UsageException;
import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.cli.plane.ShellWord;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.ProcessLock;
import io.fairlead.standalone.plane.DataDirectory;
import io.fairlead.standalone.plane.Instance;
import io.fairlead.standalone.plane.Owner;
import io.fairlead.standalone.plane.PlaneConfig;
import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import io.fairlead.standalone.plane.Progress;
import io.fairlead.standalone.plane.Progress.Step;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/**
 * {@code fairlead up}: starts a plane, a process of its own, and shows how far it is. Exit codes: 0
 * = it ended in order, or with -d it is ready, now or already; 1 = it cannot start, ended by itself
 * or before it was ready, or one that was not asked for like this runs already; 2 = wrong usage.
 */
@Command(
    name = "up",
    description = {
      "Runs everything on this machine: Kafka, etcd, the services, and as root on Linux nodes with an agent in each.",
      "Ends with Ctrl-C, or from any shell with: fairlead down. Objects and their addresses are kept in the data directory."
    })
final class UpCommand implements Callable<Integer> {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(45);
  private static final Duration LOOK = Duration.ofMillis(50);
  private static final int TAIL = 20;

  @ParentCommand private Fairlead fairlead;

  @Option(
      names = {"-d", "--detach"},
      description =
          "Returns when everything is ready and leaves it running. Where it runs already, does nothing.")
  private boolean detach;

  @Option(
      names = "--nodes",
      paramLabel = "0..26",
      description =
          "How many nodes: node-a, node-b... (default 3). Other than 0 only as root on Linux; without, there are none.")
  private @Nullable Integer nodes;

  @Option(
      names = "--ports",
      paramLabel = "default|free",
      defaultValue = "${env:FAIRLEAD_PORTS:-default}",
      description =
          "Where the services, Kafka and etcd listen on 127.0.0.1: default = their well-known ports; free = any that are free, for several planes on one machine (FAIRLEAD_PORTS; default default).")
  private PortsChoice ports;

  @Override
  public Integer call() {
    var files = PlaneFiles.of(fairlead.environment());
    var config = config(files);
    var directory = config.dataDirectory();
    try {
      var right = Instance.tryStart(directory);
      // in this order: who gave the right back has started one
      var owner = Owner.live(directory);
      if (owner.isPresent()) {
        right.ifPresent(ProcessLock::close);
        return alreadyRuns(owner.get(), config);
      }
      try (var starting =
          right.orElseThrow(() ->
              new LaunchException(
                  "another fairlead up is starting or ending the plane with the data directory %s; try again"
                      .formatted(directory)))) {
        return start(config, files, starting);
      }
    } catch (LaunchException e) {
      throw new CliException("error: " + e.getMessage());
    }
  }

  private int start(PlaneConfig config, PlaneFiles files, ProcessLock starting) {
    fairlead
        .console()
        .out()
        .printf(
            "Starting %s, data in %s%n",
            config.nodes() == 0 ? "without nodes" : config.nodes() + " nodes",
            config.dataDirectory());
    return follow(
        PlaneProcess.start(config, files, detach ? PlaneProcess.Life.OWN : PlaneProcess.Life.OURS),
        starting);
  }

  private int alreadyRuns(Owner owner, PlaneConfig config) {
    var pid = owner.process().pid();
    var asAsked = owner.nodes() == config.nodes() && owner.ports() == config.ports();
    if (detach && asAsked) {
      fairlead
          .console()
          .out()
          .printf("Already up (pid %d), data in %s%n", pid, config.dataDirectory());
      return 0;
    }
    throw new CliException(
        "error: a plane with the data directory %s already runs (pid %d, --nodes %d, --ports %s); end it first: %s"
            .formatted(config.dataDirectory(), pid, owner.nodes(), owner.ports(), down(config)));
  }

  /** What ends it, also from a shell without the variables of this one. */
  private String down(PlaneConfig config) {
    var byDefault = PlaneFiles.of(fairlead.environment()).standardDataDirectory();
    return PlaneFiles.instanceId(byDefault).equals(config.id())
        ? "fairlead down"
        : "fairlead down --data-dir " + ShellWord.of(config.dataDirectory().toString());
  }

  private PlaneConfig config(PlaneFiles files) {
    var canHaveNodes = files.isRoot() && System.getProperty("os.name", "").equals("Linux");
    var wanted = Optional.ofNullable(nodes);
    if (!canHaveNodes && wanted.orElse(0) > 0) {
      throw new CliException(
          "error: --nodes "
              + wanted.get()
              + ": nodes are network namespaces, which need root on Linux; start as root, or with --nodes 0");
    }
    if (!canHaveNodes && wanted.isEmpty()) {
      fairlead
          .console()
          .out()
          .println(
              "Nodes need root on Linux: starting the control plane and DNS only, without nodes");
    }
    var number = canHaveNodes ? wanted.orElse(PlaneConfig.DEFAULT_NODES) : 0;
    try {
      PlaneConfig.requireNodes(number);
    } catch (IllegalArgumentException e) {
      throw new UsageException("error: " + e.getMessage());
    }
    try {
      return new PlaneConfig(
          DataDirectory.prepare(fairlead.givenDataDirectory(), files), number, ports);
    } catch (LaunchException e) {
      throw new CliException("error: " + e.getMessage());
    }
  }

  private int follow(PlaneProcess plane, ProcessLock starting) {
    var out = fairlead.console().out();
    var view = new StartView(out, StartView.fitting(fairlead.environment()));
    // Ctrl-C and SIGTERM: the plane is in a session of its own and does not get them.
    var ending = Thread.ofPlatform().unstarted(() -> end(plane, view));
    Runtime.getRuntime().addShutdownHook(ending);
    Optional<Step> failure = Optional.empty();
    while (true) {
      // in this order: what it said before it ended is read
      var alive = plane.isAlive();
      var steps = plane.progress().next();
      view.show(steps);
      for (var step : steps) {
        if (step.part().equals(Progress.PLANE)) {
          switch (step.state()) {
            case READY -> {
              starting.close(); // from here on its own lock says enough
              out.println("Ready in " + step.text());
              if (detach) {
                takeBack(ending);
                return 0;
              }
              out.println("Ends with Ctrl-C, or from another shell: " + down(plane.config()));
            }
            case FAILED -> failure = Optional.of(step);
            case WAITING, STARTING, RESTARTING, STOPPING, STOPPED -> {
              // its parts say more
            }
          }
        }
      }
      if (!alive) {
        break;
      }
      plane.exitsWithin(LOOK);
    }
    takeBack(ending);
    plane.clear();
    if (plane.exitCode() == 0 && failure.isEmpty()) {
      if (detach) { // who asked for one that is ready has none
        throw new CliException("error: the plane was stopped before it was ready");
      }
      out.println("Stopped");
      return 0;
    }
    throw new CliException(
        "error: "
            + failure.map(Step::text).orElse("the plane ended with code " + plane.exitCode())
            + tail(plane));
  }

  /** Where the hook runs already, it ends this process. */
  private static void takeBack(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      try {
        hook.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static String tail(PlaneProcess plane) {
    var tail = plane.logTail(TAIL);
    return tail.isEmpty() ? "" : "\nEnd of %s:\n%s".formatted(plane.log(), tail);
  }

  /** On its own thread, while the JVM goes down. */
  private void end(PlaneProcess plane, StartView view) {
    plane.stop(STOP_LIMIT);
    view.show(plane.progress().next());
    plane.clear();
    var out = fairlead.console().out();
    out.println("Stopped");
    out.flush();
    // an end that was asked for, in order; but with -d it never was ready
    Runtime.getRuntime().halt(detach ? 1 : 0);
  }
}
