package io.fairlead.endpoints.stream;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.Time;
import io.fairlead.v1.NamespacedReadiness;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReadinessReport;
import io.fairlead.v1.ReadinessReports;
import io.fairlead.v1.ReconcileSourceRequest;
import io.fairlead.v1.RefusedPod;
import io.fairlead.v1.ReportReadinessRequest;
import io.fairlead.v1.SourceResult;
import io.fairlead.v1.SourceState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's stream, upwards: what the agent reports goes to the owners of the namespaces, under
 * its session. Only the last word on each Pod and each source waits, so what is held is bounded by
 * the Pods of the node; what an owner cannot take now is tried again until it is, or until a later
 * word replaces it, or the stream ends. One virtual thread for each stream.
 */
final class Upward implements AutoCloseable {
  /** More sources than this on one node are a mistake. */
  static final int MAX_SOURCES = 64;

  /** More Pods with unsent reports than this on one node are a mistake. */
  static final int MAX_REPORTS = 100_000;

  private static final Logger log = LoggerFactory.getLogger(Upward.class);

  private record Said(long sequence, PodReadinessReport report) {}

  private final NodeStream stream;
  private final Uplink uplink;
  private final Supplier<ClusterImage> image;
  private final Supplier<UUID> ids;
  private final StreamSettings settings;
  private final StreamStats stats;
  private final Time time;
  private final Thread thread;
  private final Semaphore wake = new Semaphore(0);

  /** Guards what waits. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<ObjectName, Said> reports = new LinkedHashMap<>();
  private final Map<String, SourceState> sources = new LinkedHashMap<>();

  Upward(
      NodeStream stream,
      Uplink uplink,
      Supplier<ClusterImage> image,
      Supplier<UUID> ids,
      StreamSettings settings,
      StreamStats stats,
      Time time) {
    this.stream = stream;
    this.uplink = uplink;
    this.image = image;
    this.ids = ids;
    this.settings = settings;
    this.stats = stats;
    this.time = time;
    this.thread = Thread.ofVirtual().name("node-up-" + stream.node()).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Takes the agent's word; never blocks. */
  void report(ReadinessReports said) {
    lock.lock();
    try {
      for (var report : said.getReportsList()) {
        put(report, said.getSequence());
      }
      if (reports.size() > MAX_REPORTS) {
        stream.close(Errors.limitReached("readiness reports that wait, " + MAX_REPORTS));
      }
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  private void put(NamespacedReadiness report, long sequence) {
    var name = new ObjectName(report.getNamespace(), report.getReport().getName());
    reports.remove(name); // the latest goes last
    reports.put(name, new Said(sequence, report.getReport()));
  }

  /** Takes all Pods of a source; never blocks. */
  void source(SourceState state) {
    lock.lock();
    try {
      sources.remove(state.getSource());
      sources.put(state.getSource(), state);
      if (sources.size() > MAX_SOURCES) {
        stream.close(Errors.limitReached("sources of one node, " + MAX_SOURCES));
      }
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  private void run() {
    try {
      while (!stream.isOver()) {
        wake.acquire();
        wake.drainPermits();
        boolean sources = sendSources();
        boolean reports = sendReports();
        if (!sources || !reports) {
          stats.retries.increment();
          time.sleep(settings.retryPause());
          wake.release();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // the stream is over
    } catch (RuntimeException e) {
      stream.close(Errors.of(e));
    }
  }

  // --- sources

  private boolean sendSources() {
    List<SourceState> taken;
    lock.lock();
    try {
      taken = List.copyOf(sources.values());
      sources.clear();
    } finally {
      lock.unlock();
    }
    boolean all = true;
    for (var state : taken) {
      try {
        stream.result(reconcile(state));
      } catch (StatusRuntimeException e) {
        if (isFinal(e)) {
          continue;
        }
        all = false;
        lock.lock();
        try {
          sources.putIfAbsent(state.getSource(), state); // unless a later word waits
        } finally {
          lock.unlock();
        }
      }
    }
    return all;
  }

  /**
   * In every namespace that the source names, or where it has Pods on this node that it may have
   * dropped.
   */
  private SourceResult reconcile(SourceState state) {
    var pods = new TreeMap<String, List<Pod>>();
    for (var pod : state.getPodsList()) {
      var namespace = pod.getMetadata().getNamespace();
      pods.computeIfAbsent(
              namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace,
              _ -> new ArrayList<>())
          .add(pod);
    }
    var namespaces = new TreeSet<>(pods.keySet());
    var known = image.get().pods();
    for (var name : known.onNode(stream.node())) {
      known
          .get(name)
          .map(Versioned::object)
          .filter(pod -> pod.source().equals(state.getSource()))
          .ifPresent(pod -> namespaces.add(pod.name().namespace()));
    }
    var result =
        SourceResult.newBuilder().setSource(state.getSource()).setSequence(state.getSequence());
    for (var namespace : namespaces) {
      var named = pods.getOrDefault(namespace, List.of());
      try {
        var reply =
            uplink.reconcile(
                ReconcileSourceRequest.newBuilder()
                    .setRequestId(ids.get().toString())
                    .setNamespace(namespace)
                    .setSource(state.getSource())
                    .setNode(stream.node())
                    .setSession(stream.session())
                    .setSequence(state.getSequence())
                    .addAllPods(named)
                    .build());
        for (var refused : reply.getRefusedList()) {
          result.addRefused(refused(namespace, refused.getName(), refused.getReason()));
        }
      } catch (StatusRuntimeException e) {
        if (!isFinal(e) || stream.isOver()) {
          throw e;
        }
        // it concerns this namespace only: the others must not wait for it for ever
        var why = ErrorReport.of(e).message();
        named.forEach(
            pod -> result.addRefused(refused(namespace, pod.getMetadata().getName(), why)));
      }
    }
    return result.build();
  }

  private static RefusedPod.Builder refused(String namespace, String name, String why) {
    return RefusedPod.newBuilder().setNamespace(namespace).setName(name).setReason(why);
  }

  // --- readiness

  private boolean sendReports() {
    Map<ObjectName, Said> taken;
    lock.lock();
    try {
      taken = new LinkedHashMap<>(reports);
      reports.clear();
    } finally {
      lock.unlock();
    }
    var byNamespace = new TreeMap<String, Map<ObjectName, Said>>();
    taken.forEach((name, said) ->
        byNamespace.computeIfAbsent(name.namespace(), _ -> new LinkedHashMap<>()).put(name, said));
    boolean all = true;
    for (var part : byNamespace.entrySet()) {
      try {
        var reply = uplink.report(request(part.getKey(), part.getValue()));
        for (var dropped : reply.getDroppedList()) {
          log.atDebug()
              .addKeyValue("pod", part.getKey() + "/" + dropped.getName())
              .addKeyValue("reason", dropped.getReason())
              .log("Readiness report dropped");
        }
      } catch (StatusRuntimeException e) {
        if (isFinal(e)) {
          continue;
        }
        all = false;
        lock.lock();
        try {
          part.getValue().forEach(reports::putIfAbsent); // unless a later word waits
        } finally {
          lock.unlock();
        }
      }
    }
    return all;
  }

  private ReportReadinessRequest request(String namespace, Map<ObjectName, Said> said) {
    return ReportReadinessRequest.newBuilder()
        .setRequestId(ids.get().toString())
        .setNamespace(namespace)
        .setNode(stream.node())
        .setSession(stream.session())
        .setSequence(said.values().stream().mapToLong(Said::sequence).max().orElse(0))
        .addAllReports(said.values().stream().map(Said::report).toList())
        .build();
  }

  /** Whether trying again is of no use; where the session has ended, the stream ends too. */
  private boolean isFinal(StatusRuntimeException e) {
    if (Refusals.isSessionEnded(e)) {
      stream.close(e);
      return true;
    }
    var code = e.getStatus().getCode();
    if (code == Status.Code.UNAVAILABLE
        || code == Status.Code.DEADLINE_EXCEEDED
        || code == Status.Code.RESOURCE_EXHAUSTED
        || code == Status.Code.CANCELLED) {
      return false;
    }
    log.atWarn().setCause(e).addKeyValue("node", stream.node()).log("What a node said was refused");
    return true;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
