package io.fairlead.agent.probe;

import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.view.Entry.PodEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.UUID;
import java.util.function.Function;

/**
 * Which reports are due: what this node found, held against what is on record. Says a thing again
 * when the record still differs. Owned by the loop; derived from the stream and the probes.
 */
public final class ReadinessDesk {
  /**
   * What the node has to say of a Pod.
   *
   * @param runs of its containers that this is about, see {@link Pod#runs}
   */
  public record Report(
      ObjectName pod, UUID uid, Verdict verdict, SortedMap<String, Instant> runs) {}

  private final Function<Pod, Optional<Verdict>> verdicts;
  private final Map<ObjectName, PodEntry> pods = new HashMap<>();
  private final Map<ObjectName, Report> said = new HashMap<>();
  private final Set<ObjectName> open = new LinkedHashSet<>();

  /**
   * @param verdicts of Pods with probes; empty = not known yet
   */
  public ReadinessDesk(Function<Pod, Optional<Verdict>> verdicts) {
    this.verdicts = verdicts;
  }

  /** The stream said something of a Pod of this node. */
  public void put(PodEntry entry) {
    var name = entry.pod().name();
    pods.put(name, entry);
    said.remove(name);
    open.add(name);
  }

  public void remove(ObjectName pod) {
    pods.remove(pod);
    said.remove(pod);
    open.remove(pod);
  }

  /** The probes found something new of a Pod. */
  public void found(ObjectName pod) {
    open.add(pod);
  }

  /** Looks at every Pod again: a new session, or what was said may have been lost. */
  public void again() {
    said.clear();
    open.addAll(pods.keySet());
  }

  /** What is to be reported now, once. */
  public List<Report> due(long session) {
    var due = new ArrayList<Report>();
    for (var name : open) {
      Optional.ofNullable(pods.get(name))
          .flatMap(entry -> due(entry, session))
          .filter(report -> !report.equals(said.put(name, report)))
          .ifPresent(due::add);
    }
    open.clear();
    return due;
  }

  private Optional<Report> due(PodEntry entry, long session) {
    var pod = entry.pod();
    var record = entry.readiness();
    if (!pod.isProbed()) {
      // Ready by itself; only the loss of its node says otherwise, and this session ends that.
      return record
          .filter(r -> !r.ready() && r.session() < session)
          .filter(_ -> pod.status().phase() == Pod.Phase.RUNNING && !pod.status().ips().isEmpty())
          .map(_ -> report(pod, new Verdict(true, "running")));
    }
    return verdicts
        .apply(pod)
        .filter(verdict ->
            record.isEmpty()
                || record.get().ready() != verdict.ready()
                || (verdict.ready() && !record.get().runs().equals(pod.runs()))
                || (!verdict.ready()
                    && record.get().session() < session
                    && !record.get().reason().equals(verdict.reason())))
        .map(verdict -> report(pod, verdict));
  }

  private static Report report(Pod pod, Verdict verdict) {
    return new Report(pod.name(), pod.uid(), verdict, pod.runs());
  }
}
