package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import io.fairlead.core.run.GatewayException;
import io.fairlead.devkit.fabric.FabricException;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.FabricPod;
import io.fairlead.devkit.fabric.ResolvConf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Pod from its placing to its end, on a thread of its own: its network namespace, its
 * containers, what is told of it. Soft: all of it is made anew from the API's record. The lock
 * guards how it is to end.
 */
public final class PodWorker {
  private static final Logger LOG = LoggerFactory.getLogger(PodWorker.class);
  private static final Duration RETRY = Duration.ofSeconds(2);
  private static final Duration KILL_LIMIT = Duration.ofSeconds(10);

  /** How a Pod ends here; a later one of these overrides an earlier one. */
  enum Ending {
    NONE,
    /** Its deletion was asked for: its record goes when its processes have gone. */
    DELETION,
    /** This process ends; the record stays, the next process runs the Pod again. */
    SHUTDOWN,
    /** Its record is gone. */
    VANISHED
  }

  private final Pod pod;
  private final List<ContainerReport> told;
  private final FabricNode node;
  private final Kit kit;
  private final ServiceVariables variables;
  private final StatusReporter reporter;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Backoff backoff = new Backoff();
  private boolean hasRun;
  private Ending ending = Ending.NONE;
  private long deadlineNanos = Long.MAX_VALUE;
  private volatile List<ContainerLoop> loops = List.of();
  private volatile String address = "";

  PodWorker(KnownPod known, FabricNode node, Kit kit, ServiceVariables variables) {
    this.pod = known.pod();
    this.told = known.told();
    this.node = node;
    this.kit = kit;
    this.variables = variables;
    this.reporter = new StatusReporter(kit.api(), pod);
    this.thread = Thread.ofVirtual().name("pod-" + pod.name()).unstarted(this::run);
  }

  void start() {
    reporter.start();
    thread.start();
  }

  public Pod pod() {
    return pod;
  }

  String node() {
    return node.name();
  }

  /** Tells the API again what is known. */
  void tellAgain() {
    reporter.again();
  }

  /**
   * Ends the Pod. May be called again, with an earlier end.
   *
   * @param grace between SIGTERM and SIGKILL
   */
  void end(Ending how, Duration grace) {
    lock.lock();
    try {
      if (how.compareTo(ending) > 0) {
        ending = how;
      }
      deadlineNanos = Math.min(deadlineNanos, kit.time().nanoTime() + grace.toNanos());
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing of it is left here. */
  boolean isDone() {
    return !thread.isAlive();
  }

  /** Waits until nothing of it is left here; gives up after the time. */
  boolean join(Duration limit) throws InterruptedException {
    if (thread.join(limit)) {
      return true;
    }
    thread.interrupt();
    return thread.join(RETRY);
  }

  private void run() {
    try {
      while (!hasLived()) {
        var pause = backoff.after(Duration.ZERO);
        if (current() == Ending.NONE) {
          var _ = endsWithin(pause);
        } else {
          kit.time().sleep(RETRY);
        }
      }
    } catch (InterruptedException _) {
      loops.forEach(ContainerLoop::kill);
    }
  }

  /** Whether it came to its end; where something unexpected came first, it is to be begun anew. */
  private boolean hasLived() throws InterruptedException {
    try {
      live();
      return true;
    } catch (RuntimeException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("object", "Pod/" + pod.name())
          .log("Cannot go on with a Pod");
      loops.forEach(ContainerLoop::kill);
      loops = List.of();
      leave();
      if (current() == Ending.NONE) {
        pending("RunPodError", e.toString(), allWaiting("RunPodError"));
      }
      return false;
    }
  }

  private void live() throws InterruptedException {
    if (!hasRun && !isOver() && current() == Ending.NONE) {
      var programs = programs();
      if (programs.isPresent()) {
        var place = settle();
        if (place.isPresent()) {
          runContainers(place.get(), programs.get());
          hasRun = true;
          leave();
        }
      }
    }
    awaitEnding();
    reporter.close();
    if (current() == Ending.DELETION) {
      deleteRecord();
    }
    if (current() != Ending.SHUTDOWN) {
      Trees.delete(kit.directoryOf(pod));
    }
  }

  private boolean isOver() {
    return switch (pod.status().phase()) {
      case SUCCEEDED, FAILED -> true;
      case PENDING, RUNNING -> false;
    };
  }

  /** Of all containers; where one cannot run, the API is told, and there is none. */
  private Optional<List<Program.Runs>> programs() {
    var programs = new ArrayList<Program.Runs>();
    var reports = new ArrayList<ContainerReport>();
    Optional<Program.Refused> fault = Optional.empty();
    for (int i = 0; i < pod.spec().containers().size(); i++) {
      var name = pod.spec().containers().get(i).name();
      switch (kit.images().program(pod, i, node.name())) {
        case Program.Runs runs -> {
          programs.add(runs);
          reports.add(waiting(name, "PodInitializing", ""));
        }
        case Program.Refused refused -> {
          fault = fault.or(() -> Optional.of(refused));
          reports.add(waiting(name, refused.reason(), refused.message()));
        }
      }
    }
    fault.ifPresent(refused -> pending(refused.reason(), refused.message(), reports));
    return fault.isPresent() ? Optional.empty() : Optional.of(programs);
  }

  private static ContainerReport waiting(String name, String reason, String message) {
    return new ContainerReport(
        name, 0, new ContainerState.Waiting(reason, message), Optional.empty());
  }

  private List<ContainerReport> allWaiting(String reason) {
    return pod.spec().containers().stream()
        .map(container -> waiting(container.name(), reason, ""))
        .toList();
  }

  private void pending(String reason, String message, List<ContainerReport> reports) {
    LOG.atWarn()
        .addKeyValue("object", "Pod/" + pod.name())
        .addKeyValue("reason", reason)
        .addKeyValue("cause", message)
        .log("Pod cannot start");
    reporter.offer(
        new PodReport(node.name(), Pod.Phase.PENDING, reason, message, Optional.empty(), reports));
  }

  /** A namespace and an address, its old one where that is free; empty where the Pod is to end. */
  private Optional<FabricPod> settle() throws InterruptedException {
    var before = pod.status().ips().stream().map(Object::toString).findFirst();
    do {
      try {
        var place = node.addPod(fabricName(), before);
        address = place.address();
        return Optional.of(place);
      } catch (FabricException | IllegalArgumentException e) {
        pending(
            "FailedCreatePodSandBox",
            String.valueOf(e.getMessage()),
            allWaiting("ContainerCreating"));
      }
    } while (!endsWithin(RETRY));
    return Optional.empty();
  }

  /** One label, different for each Pod that ever was. */
  private String fabricName() {
    var name = pod.meta().name().replace('.', '-');
    return name.substring(0, Math.min(name.length(), 40))
        + "-"
        + pod.uid().toString().replace("-", "").substring(20);
  }

  private void runContainers(FabricPod place, List<Program.Runs> programs)
      throws InterruptedException {
    kit.fabric()
        .useResolvConf(
            place.namespace(),
            ResolvConf.ofPod(kit.nameserver(), pod.meta().namespace(), kit.clusterDomain()));
    var here = new ContainerLoop.Place(pod, place.namespace(), hosts());
    var made = new ArrayList<ContainerLoop>();
    for (int i = 0; i < programs.size(); i++) {
      var container = pod.spec().containers().get(i);
      var earlier = told.stream().filter(r -> r.name().equals(container.name())).findFirst();
      made.add(
          new ContainerLoop(here, container, programs.get(i), earlier, kit, variables, this::tell));
    }
    loops = List.copyOf(made);
    tell();
    var threads =
        loops.stream()
            .map(loop ->
                Thread.ofVirtual()
                    .name("container-" + pod.name() + "/" + loop.report().name())
                    .start(loop::run))
            .toList();
    awaitContainers();
    for (var each : threads) {
      if (!each.join(KILL_LIMIT)) {
        each.interrupt(); // its processes go with the namespace
      }
    }
  }

  /** Binds /etc/hosts, where this machine has one, to one that knows the Pod's name. */
  private List<Program.Mount> hosts() {
    var target = Path.of("/etc/hosts");
    if (!Files.isRegularFile(target)) {
      return List.of();
    }
    var file = kit.directoryOf(pod).resolve("hosts");
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(
          file,
          "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n%s\t%s\n"
              .formatted(address, ContainerEnvironment.hostname(pod)));
      Files.setPosixFilePermissions(
          file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
      return List.of(new Program.Mount(file, target));
    } catch (IOException e) {
      LOG.atWarn().setCause(e).addKeyValue("object", "Pod/" + pod.name()).log("Cannot write hosts");
      return List.of();
    }
  }

  /** Of a container's thread: something of it has changed. */
  private void tell() {
    lock.lock();
    try {
      if (ending == Ending.NONE) { // what happens at the end is not worth a record
        reporter.offer(
            PodReport.running(
                node.name(),
                address,
                pod.spec().restartPolicy(),
                loops.stream().map(ContainerLoop::report).toList()));
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Until all containers have finished: by themselves, or because the Pod is to end. */
  private void awaitContainers() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (ending == Ending.NONE && !allFinished()) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
    loops.forEach(ContainerLoop::stop);
    lock.lockInterruptibly();
    try {
      while (!allFinished()) {
        long left = deadlineNanos - kit.time().nanoTime();
        if (left <= 0) {
          break;
        }
        var _ = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
    loops.forEach(ContainerLoop::kill);
  }

  private boolean allFinished() {
    return loops.stream().allMatch(ContainerLoop::isFinished);
  }

  private boolean endsWithin(Duration pause) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = pause.toNanos();
      while (ending == Ending.NONE && left > 0) {
        left = changed.awaitNanos(left);
      }
      return ending != Ending.NONE;
    } finally {
      lock.unlock();
    }
  }

  private void awaitEnding() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (ending == Ending.NONE) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private Ending current() {
    lock.lock();
    try {
      return ending;
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    try {
      node.removePod(fabricName());
    } catch (RuntimeException e) { // the Pod's end must not depend on it
      LOG.atWarn()
          .setCause(e)
          .addKeyValue("object", "Pod/" + pod.name())
          .log("Cannot remove a Pod's namespace");
    }
  }

  private void deleteRecord() throws InterruptedException {
    var pause = Duration.ofMillis(100);
    while (current() == Ending.DELETION) {
      try {
        kit.api().delete(pod);
        return;
      } catch (GatewayException _) {
        pause = StatusReporter.longer(pause);
        awaitOverride(pause);
      }
    }
  }

  private void awaitOverride(Duration pause) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = pause.toNanos();
      while (ending == Ending.DELETION && left > 0) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** What the API is told of its containers; empty before they were begun. */
  public List<ContainerReport> containers() {
    return loops.stream().map(ContainerLoop::report).toList();
  }

  /**
   * Runs a program beside a container's own, as the same user, in the same namespaces and with the
   * same environment; empty where the container does not run.
   *
   * @throws io.fairlead.devkit.process.LaunchException it cannot be started
   */
  public Optional<ExecProcess> exec(String container, List<String> command) {
    return loop(container)
        .flatMap(ContainerLoop::live)
        .map(live ->
            ExecProcess.start(
                pod.name() + "/" + container,
                kit.sandbox()
                    .beside(
                        live.outside(),
                        new Sandbox.Task(command, live.environment(), live.workingDir()))));
  }

  private Optional<ContainerLoop> loop(String container) {
    return loops.stream().filter(l -> l.report().name().equals(container)).findFirst();
  }

  /**
   * What a container printed.
   *
   * @param back how many runs ago, 0 for the last one
   * @return empty where there was no such run, or nothing of it is kept
   */
  public Optional<RunLog> log(String container, int back) throws IOException {
    var loop = loop(container);
    if (loop.isPresent() && back == 0 && loop.get().log().isPresent()) {
      return loop.get().log();
    }
    int restarts =
        loop.map(ContainerLoop::report)
            .or(() -> told.stream().filter(r -> r.name().equals(container)).findFirst())
            .map(ContainerReport::restarts)
            .orElse(0);
    var file = ContainerLoop.logFile(kit.directoryOf(pod), container, restarts - back);
    return Files.exists(file) ? Optional.of(RunLog.ended(file)) : Optional.empty();
  }
}
