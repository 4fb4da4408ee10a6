package io.fairlead.agent.probe;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes the Pods of this node: one virtual thread for each probe, in the network namespace of this
 * process. Owned by the loop, which the threads tell when a verdict turned. Soft: after a restart
 * what is on record holds until the probes found something else.
 */
public final class Prober implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Prober.class);

  /** First probes of many Pods spread over about that much each, at most over a period. */
  private static final Duration SPREAD = Duration.ofMillis(10);

  /** However short the period is: a probe is no load test. */
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(50);

  private final Time time;
  private final RandomSource random;
  private final Probes probes;
  private final ProbeMetrics metrics;
  private final Consumer<Finding> findings;
  private final Map<ObjectName, Probed> pods = new HashMap<>();

  /** A verdict that turned; to be given to {@link #take} on the loop. */
  public record Finding(Worker worker, Verdict verdict) {}

  /** What decides how a Pod is probed: while it is equal, its workers go on. */
  private record Shape(UUID uid, List<Address> ips, List<Pod.Container> containers) {
    static Shape of(Pod pod) {
      return new Shape(pod.uid(), pod.status().ips(), pod.spec().containers());
    }
  }

  private record Probed(Shape shape, List<Worker> workers, Map<Worker, Verdict> verdicts) {}

  /**
   * @param findings called by the probes' threads
   */
  public Prober(Time time, RandomSource random, ProbeMetrics metrics, Consumer<Finding> findings) {
    this.time = time;
    this.random = random;
    this.probes = new Probes(time, HostLookup.ofSystem());
    this.metrics = metrics;
    this.findings = findings;
  }

  /** Probes that Pod from now on, as it is now. Cheap where nothing of its probes changed. */
  public void put(Pod pod) {
    var before = Optional.ofNullable(pods.get(pod.name()));
    boolean wanted = pod.hasReadinessProbe() && pod.status().phase() == Pod.Phase.RUNNING;
    var shape = Shape.of(pod);
    if (before.isPresent() && wanted && before.get().shape().equals(shape)) {
      return;
    }
    remove(pod.name());
    if (!wanted) {
      return;
    }
    var workers = new ArrayList<Worker>();
    for (var container : pod.spec().containers()) {
      container
          .readinessProbe()
          .ifPresent(probe -> workers.add(new Worker(pod, container, probe, firstAfter(probe))));
    }
    pods.put(pod.name(), new Probed(shape, List.copyOf(workers), new HashMap<>()));
    workers.forEach(worker -> worker.thread.start());
  }

  private Duration firstAfter(Pod.Probe probe) {
    long spread = Math.min(SPREAD.toNanos() * (pods.size() + 1L), probe.period().toNanos());
    return probe.initialDelay().plusNanos(random.generator().nextLong(Math.max(1, spread)));
  }

  public void remove(ObjectName pod) {
    Optional.ofNullable(pods.remove(pod))
        .ifPresent(probed -> probed.workers().forEach(worker -> worker.thread.interrupt()));
  }

  /** Remembers a finding; the Pod it is about, or empty where it is out of date. */
  public Optional<ObjectName> take(Finding finding) {
    var name = finding.worker().pod.name();
    var probed = Optional.ofNullable(pods.get(name));
    if (probed.isEmpty() || !probed.get().workers().contains(finding.worker())) {
      return Optional.empty();
    }
    probed.get().verdicts().put(finding.worker(), finding.verdict());
    return Optional.of(name);
  }

  /**
   * Of a Pod with probes: ready where all its containers are, not ready where one is not; else not
   * known yet.
   */
  public Optional<Verdict> verdict(Pod pod) {
    var probed = Optional.ofNullable(pods.get(pod.name()));
    if (probed.isEmpty() || !probed.get().shape().uid().equals(pod.uid())) {
      return Optional.empty();
    }
    var workers = probed.get().workers();
    var verdicts = probed.get().verdicts();
    for (var worker : workers) {
      var verdict = Optional.ofNullable(verdicts.get(worker)).filter(v -> !v.ready());
      if (verdict.isPresent()) {
        return workers.size() == 1
            ? verdict
            : Optional.of(
                new Verdict(false, worker.container.name() + ": " + verdict.get().reason()));
      }
    }
    return verdicts.size() == workers.size()
        ? Optional.of(verdicts.getOrDefault(workers.getFirst(), new Verdict(true, "ready")))
        : Optional.empty();
  }

  /** How many probes run. */
  public int running() {
    return pods.values().stream().mapToInt(p -> p.workers().size()).sum();
  }

  @Override
  public void close() {
    List.copyOf(pods.keySet()).forEach(this::remove);
  }

  /** One probe of one container. */
  public final class Worker {
    private final Pod pod;
    private final Pod.Container container;
    private final Pod.Probe probe;
    private final Duration firstAfter;
    private final Thread thread;

    private Worker(Pod pod, Pod.Container container, Pod.Probe probe, Duration firstAfter) {
      this.pod = pod;
      this.container = container;
      this.probe = probe;
      this.firstAfter = firstAfter;
      this.thread =
          Thread.ofVirtual()
              .name("probe-" + pod.name() + "-" + container.name())
              .unstarted(this::run);
    }

    private void run() {
      try {
        time.sleep(firstAfter);
        probeForEver();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt(); // the Pod went or changed
      }
    }

    /** A fault of ours says nothing about the Pod, and must not end its probes. */
    private ProbeResult make() {
      try {
        return probes.make(pod, container, probe);
      } catch (RuntimeException e) {
        LOG.atDebug().setCause(e).addKeyValue("pod", pod.name()).log("Fault of a probe");
        return new ProbeResult.NotMade(e.toString());
      }
    }

    private void probeForEver() throws InterruptedException {
      var counter = new ProbeCounter(probe.successThreshold(), probe.failureThreshold());
      boolean complained = false;
      while (!Thread.currentThread().isInterrupted()) {
        long startNanos = time.nanoTime();
        var result = make();
        metrics.made(result, Duration.ofNanos(time.nanoTime() - startNanos));
        if (result instanceof ProbeResult.NotMade(var words) && !complained) {
          complained = true;
          LOG.atWarn()
              .addKeyValue("pod", pod.name())
              .addKeyValue("container", container.name())
              .addKeyValue("words", words)
              .log("Probe cannot be made");
        }
        if (counter.count(result)) {
          counter
              .verdict()
              .ifPresent(verdict -> {
                LOG.atInfo()
                    .addKeyValue("event", "probe.turned")
                    .addKeyValue("pod", pod.name())
                    .addKeyValue("container", container.name())
                    .addKeyValue("ready", verdict.ready())
                    .addKeyValue("reason", verdict.reason())
                    .log("Probe says otherwise now");
                findings.accept(new Finding(this, verdict));
              });
        }
        long leftNanos = startNanos + probe.period().toNanos() - time.nanoTime();
        time.sleep(Duration.ofNanos(Math.max(SHORTEST_PAUSE.toNanos(), leftNanos)));
      }
    }
  }
}
