package io.fairlead.agent.probe;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes the Pods of this node: one virtual thread for each probed container, in the network
 * namespace of this process. Owned by the loop, which the threads tell when a verdict turned. Soft:
 * after a restart what is on record holds until the probes found something else.
 */
public final class Prober implements AutoCloseable {
  /** Begins the reason of a Pod of which there is no outcome, with why. */
  private static final String NOT_PROBED = "not probed yet: ";

  private static final Logger LOG = LoggerFactory.getLogger(Prober.class);

  /** First probes of many new Pods spread over about that much each, at most over a period. */
  private static final Duration SPREAD = Duration.ofMillis(10);

  /** However short the period is: a probe is no load test. */
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(50);

  /** How often a probe is tried that cannot be made, as by the kubelet. */
  private static final int TRIES = 3;

  private final Time time;
  private final RandomSource random;
  private final Probes probes;
  private final ProbeMetrics metrics;
  private final Consumer<Finding> findings;
  private final Map<ObjectName, Map<String, Worker>> pods = new HashMap<>();

  /** A verdict that turned; to be given to {@link #take} on the loop. */
  public record Finding(Worker worker, Verdict verdict) {}

  /**
   * What decides how a container is probed: while it is equal, its worker goes on.
   *
   * @param run when the run that goes on began; empty where nobody told
   */
  private record Shape(
      UUID uid, List<Address> ips, Pod.Container container, Optional<Instant> run) {}

  /** How a worker begins. */
  private enum Begin {
    /** It is not known yet whether the container has started. */
    NEW,
    /** The record says that this very run was ready: it has started. */
    STARTED
  }

  /**
   * @param findings called by the probes' threads
   */
  public Prober(
      Time time,
      RandomSource random,
      ProbeMetrics metrics,
      Commands commands,
      Consumer<Finding> findings) {
    this.time = time;
    this.random = random;
    this.probes = new Probes(time, HostLookup.ofSystem(), commands);
    this.metrics = metrics;
    this.findings = findings;
  }

  /**
   * Probes that Pod from now on, as it is now. Cheap where nothing of its probes changed. A
   * container that was started again is probed anew.
   *
   * @param recorded what is on record of exactly this Pod
   */
  public void put(Pod pod, Optional<PodReadiness> recorded) {
    var before = Optional.ofNullable(pods.get(pod.name())).orElse(Map.of());
    var now = new LinkedHashMap<String, Worker>();
    var fresh = new LinkedHashMap<String, Worker>();
    if (pod.status().phase() == Pod.Phase.RUNNING) {
      for (var container : pod.spec().lasting()) {
        var shape = container.isProbed() ? shape(pod, container) : Optional.<Shape>empty();
        if (shape.isPresent()) {
          var running =
              Optional.ofNullable(before.get(container.name()))
                  .filter(worker -> worker.shape.equals(shape.get()));
          var worker = running.orElseGet(() -> new Worker(pod, shape.get(), recorded));
          now.put(container.name(), worker);
          if (running.isEmpty()) {
            fresh.put(container.name(), worker);
          }
        }
      }
    }
    before.values().stream()
        .filter(worker -> !now.containsValue(worker))
        .forEach(worker -> worker.thread.interrupt());
    if (now.isEmpty()) {
      pods.remove(pod.name());
    } else {
      pods.put(pod.name(), now);
    }
    fresh.values().forEach(worker -> worker.thread.start());
  }

  /** Empty where whatever runs the Pod says that the container does not run. */
  private static Optional<Shape> shape(Pod pod, Pod.Container container) {
    var status =
        pod.status().containers().stream().filter(s -> s.name().equals(container.name())).findAny();
    Optional<Instant> run =
        status.flatMap(s ->
            s.state() instanceof ContainerStatus.Running(var started)
                ? Optional.of(started)
                : Optional.empty());
    return status.isPresent() && run.isEmpty()
        ? Optional.empty()
        : Optional.of(new Shape(pod.uid(), pod.status().ips(), container, run));
  }

  public void remove(ObjectName pod) {
    Optional.ofNullable(pods.remove(pod))
        .ifPresent(workers -> workers.values().forEach(worker -> worker.thread.interrupt()));
  }

  /** Remembers a finding; the Pod it is about, or empty where it is out of date. */
  public Optional<ObjectName> take(Finding finding) {
    var worker = finding.worker();
    var name = worker.pod.name();
    var current = Optional.ofNullable(pods.get(name)).orElse(Map.of());
    if (!worker.equals(current.get(worker.shape.container().name()))) {
      return Optional.empty();
    }
    worker.verdict = Optional.of(finding.verdict());
    return Optional.of(name);
  }

  /**
   * Of a Pod with probes: ready where all its containers are, not ready where one is not; else not
   * known yet.
   */
  public Optional<Verdict> verdict(Pod pod) {
    var workers = Optional.ofNullable(pods.get(pod.name())).orElse(Map.of());
    var probed = pod.spec().lasting().stream().filter(Pod.Container::isProbed).toList();
    if (workers.values().stream().anyMatch(w -> !w.shape.uid().equals(pod.uid()))) {
      return Optional.empty();
    }
    for (var worker : workers.values()) {
      var verdict = worker.verdict.filter(v -> !v.ready());
      if (verdict.isPresent()) {
        return probed.size() == 1
            ? verdict
            : Optional.of(
                new Verdict(
                    false, worker.shape.container().name() + ": " + verdict.get().reason()));
      }
    }
    return !probed.isEmpty()
            && probed.stream()
                .allMatch(c ->
                    Optional.ofNullable(workers.get(c.name()))
                        .filter(worker -> worker.verdict.isPresent())
                        .isPresent())
        ? Optional.ofNullable(workers.get(probed.getFirst().name())).flatMap(w -> w.verdict)
        : Optional.empty();
  }

  /** How many containers are probed. */
  public int running() {
    return pods.values().stream().mapToInt(Map::size).sum();
  }

  @Override
  public void close() {
    List.copyOf(pods.keySet()).forEach(this::remove);
  }

  /** The probes of one container. */
  public final class Worker {
    private final Pod pod;
    private final Shape shape;
    private final Begin begin;
    private final Duration firstAfter;
    private final Thread thread;

    /** What the loop knows. */
    private Optional<Verdict> verdict = Optional.empty();

    private boolean complained;

    /** Whether something stands on record of this run, or is about to. */
    private boolean told;

    private Worker(Pod pod, Shape shape, Optional<PodReadiness> recorded) {
      this.pod = pod;
      this.shape = shape;
      var ofThisRun = recorded.filter(r -> shape.run().equals(run(r)));
      this.begin = ofThisRun.filter(PodReadiness::ready).isPresent() ? Begin.STARTED : Begin.NEW;
      this.told = ofThisRun.isPresent();
      this.firstAfter =
          firstAfter(
              ofThisRun.filter(r -> !r.reason().startsWith(NOT_PROBED)).isPresent()
                  && !pods.containsKey(pod.name()));
      this.thread =
          Thread.ofVirtual()
              .name("probe-" + pod.name() + "-" + shape.container().name())
              .unstarted(this::run);
    }

    private Optional<Instant> run(PodReadiness recorded) {
      return Optional.ofNullable(recorded.runs().get(shape.container().name()));
    }

    private Pod.Probe first() {
      var container = shape.container();
      return container
          .startupProbe()
          .filter(_ -> begin == Begin.NEW)
          .or(container::readinessProbe)
          .or(container::startupProbe)
          .orElseThrow();
    }

    /**
     * A Pod of which an outcome is on record was probed before: after a restart of this process
     * there are many such, and nobody waits, so they spread over a whole period. New ones begin
     * soon.
     */
    private Duration firstAfter(boolean known) {
      var probe = first();
      long period = probe.period().toNanos();
      long spread = known ? period : Math.min(SPREAD.toNanos() * (pods.size() + 1L), period);
      return leftOf(probe.initialDelay())
          .plusNanos(random.generator().nextLong(Math.max(1, spread)));
    }

    /** It counts from the start of the container, where that is known. */
    private Duration leftOf(Duration initialDelay) {
      var left = shape.run().map(began -> initialDelay.minus(Duration.between(began, time.now())));
      return left.filter(l -> l.compareTo(initialDelay) < 0)
          .map(l -> l.isNegative() ? Duration.ZERO : l)
          .orElse(initialDelay);
    }

    private void run() {
      var container = shape.container();
      try {
        time.sleep(firstAfter);
        if (begin == Begin.NEW && container.startupProbe().isPresent()) {
          start(container.startupProbe().get());
          var readiness = container.readinessProbe();
          if (readiness.isPresent()) {
            time.sleep(leftOf(readiness.get().initialDelay()));
          }
        }
        if (container.readinessProbe().isPresent()) {
          probeForEver(container.readinessProbe().get());
        } else {
          tell(new Verdict(true, "started"));
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt(); // the Pod went or changed
      }
    }

    /** Returns when the container has started: nothing else is asked before. */
    private void start(Pod.Probe probe) throws InterruptedException {
      var counter = new ProbeCounter(1, probe.failureThreshold());
      while (true) {
        long startNanos = time.nanoTime();
        if (counter.count(make(probe))) {
          var found = counter.verdict().orElseThrow();
          if (found.ready()) {
            return;
          }
          tell(new Verdict(false, "not started: " + found.reason()));
        }
        pause(probe, startNanos);
      }
    }

    private void probeForEver(Pod.Probe probe) throws InterruptedException {
      var counter = new ProbeCounter(probe.successThreshold(), probe.failureThreshold());
      while (true) {
        long startNanos = time.nanoTime();
        if (counter.count(make(probe))) {
          counter.verdict().ifPresent(this::tell);
        }
        pause(probe, startNanos);
      }
    }

    private void tell(Verdict turned) {
      told = true;
      LOG.atInfo()
          .addKeyValue("event", "probe.turned")
          .addKeyValue("pod", pod.name())
          .addKeyValue("container", shape.container().name())
          .addKeyValue("ready", turned.ready())
          .addKeyValue("reason", turned.reason())
          .log("Probe says otherwise now");
      findings.accept(new Finding(this, turned));
    }

    private void pause(Pod.Probe probe, long startNanos) throws InterruptedException {
      long leftNanos = startNanos + probe.period().toNanos() - time.nanoTime();
      time.sleep(Duration.ofNanos(Math.max(SHORTEST_PAUSE.toNanos(), leftNanos)));
    }

    private ProbeResult make(Pod.Probe probe) throws InterruptedException {
      var result = tryOnce(probe);
      for (int tries = 1; tries < TRIES && result instanceof ProbeResult.NotMade; tries++) {
        result = tryOnce(probe);
      }
      if (result instanceof ProbeResult.NotMade(var words) && !complained) {
        complained = true;
        LOG.atWarn()
            .addKeyValue("pod", pod.name())
            .addKeyValue("container", shape.container().name())
            .addKeyValue("words", words)
            .log("Probe cannot be made");
        if (!told) { // else what is on record stays; nobody looks for it in this log
          tell(new Verdict(false, NOT_PROBED + words));
        }
      }
      return result;
    }

    /** A fault of ours says nothing about the Pod, and must not end its probes. */
    private ProbeResult tryOnce(Pod.Probe probe) throws InterruptedException {
      long startNanos = time.nanoTime();
      ProbeResult result;
      try {
        result = probes.make(pod, shape.container(), probe);
      } catch (RuntimeException e) {
        LOG.atDebug().setCause(e).addKeyValue("pod", pod.name()).log("Fault of a probe");
        result = new ProbeResult.NotMade(e.toString());
      }
      metrics.made(result, Duration.ofNanos(time.nanoTime() - startNanos));
      if (Thread.interrupted()) { // it may have broken off a connection
        throw new InterruptedException();
      }
      return result;
    }
  }
}
