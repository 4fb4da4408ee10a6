package io.fairlead.standalone.plane;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Options;
import io.fairlead.runtime.Logging;
import io.fairlead.runtime.Shutdown;
import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import io.fairlead.standalone.plane.Progress.State;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The process of a plane, started by {@code fairlead up}. Logs to standard output, tells of its
 * progress in a file. Exit codes: 0 after SIGTERM, 1 = cannot start.
 */
public final class PlaneMain {
  /**
   * The signal that says that whoever started the plane is dead. The kernel may send it once for
   * each thread of the dead process, and a second SIGTERM would cut the end in order short.
   */
  public static final String PARENT_ENDED = "USR1";

  private PlaneMain() {}

  /** Runs until SIGTERM. */
  public static void main(String[] args) throws InterruptedException {
    var options = Options.parse(List.of(args), Set.of("data-dir", "nodes", "ports", "progress"));
    var config =
        new PlaneConfig(
            Path.of(options.required("data-dir")),
            Integer.parseInt(options.required("nodes")),
            PortsChoice.valueOf(options.required("ports").toUpperCase(Locale.ROOT)));
    var progress = Progress.begin(Path.of(options.required("progress")));
    Logging.configure(Logging.Format.TEXT, Level.INFO);
    int code = run(config, progress);
    System.out.flush();
    // what still starts, after a failure or a signal, has threads that nobody waits for
    Runtime.getRuntime().exit(code);
  }

  private static int run(PlaneConfig config, Progress progress) throws InterruptedException {
    var begin = Time.system().nanoTime();
    var shutdown = new Shutdown();
    shutdown.handleSignals();
    endWithParent(shutdown);
    try (var instance = Instance.take(config, PlaneFiles.of(System.getenv()))) {
      var started = new CompletableFuture<Plane>();
      // On a thread of its own: a signal during the start must not wait for it.
      Thread.ofPlatform()
          .daemon()
          .name("start")
          .start(() -> {
            try {
              started.complete(Plane.start(config, instance, progress));
            } catch (Throwable e) {
              started.completeExceptionally(e);
            }
          });
      Thread.ofVirtual()
          .start(() -> {
            var _ = started.exceptionally(_ -> null).join();
            if (started.isCompletedExceptionally()) {
              shutdown.stop();
            }
          });
      var _ =
          started.thenRun(() ->
              progress.say(
                  Progress.PLANE,
                  State.READY,
                  Parts.seconds(Duration.ofNanos(Time.system().nanoTime() - begin))));
      shutdown.awaitStopped();
      return end(started, progress);
    } catch (LaunchException e) {
      return failed(e, progress);
    }
  }

  /** By reflection, because the compiler warns of each mention of {@code sun.misc.Signal}. */
  private static void endWithParent(Shutdown shutdown) {
    try {
      var signal = Class.forName("sun.misc.Signal");
      var handler = Class.forName("sun.misc.SignalHandler");
      var stop =
          Proxy.newProxyInstance(
              PlaneMain.class.getClassLoader(),
              new Class<?>[] {handler},
              (_, method, _) -> {
                if (method.getName().equals("handle")) {
                  shutdown.stop();
                }
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(PARENT_ENDED), stop);
    } catch (ReflectiveOperationException e) {
      log().atWarn().setCause(e).log("Signal cannot be handled");
    }
  }

  private static int end(CompletableFuture<Plane> started, Progress progress) {
    if (started.isCompletedExceptionally()) {
      return failed(started.exceptionNow(), progress);
    }
    progress.say(Progress.PLANE, State.STOPPING, "");
    if (!started.isDone()) {
      // Parts are half started: this process ends without its farewell, and who started or ended it
      // clears away after it as after a crash.
      Runtime.getRuntime().exit(0);
    }
    started.join().close();
    progress.say(Progress.PLANE, State.STOPPED, "");
    return 0;
  }

  private static int failed(Throwable failure, Progress progress) {
    log().atError().setCause(failure).addKeyValue("event", "plane.failed").log("Plane cannot run");
    progress.say(Progress.PLANE, State.FAILED, Parts.words(failure));
    return 1;
  }

  private static Logger log() {
    return LoggerFactory.getLogger(PlaneMain.class);
  }
}
