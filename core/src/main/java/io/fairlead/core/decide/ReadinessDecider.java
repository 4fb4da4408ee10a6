package io.fairlead.core.decide;

import io.fairlead.core.decide.PodCommand.NodeLostPods;
import io.fairlead.core.decide.PodCommand.Report;
import io.fairlead.core.decide.PodCommand.ReportReadiness;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.record.Change;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Decides which Pods are ready: from what their nodes report, and from the loss of nodes. Nothing
 * is written where nothing changes, because probes go on for ever.
 */
final class ReadinessDecider {
  /** What the loss of a node says comes after everything its last session said. */
  static final long AFTER_ALL = Long.MAX_VALUE;

  static final String NODE_LOST = "node lost";

  private static final int REASON_LENGTH = 256;

  private ReadinessDecider() {}

  static Decision<PodOutcome> report(
      ClusterImage image, ReportReadiness command, PodsContext context) {
    if (!command.node().isEmpty()) {
      var ended = Sessions.fault(image, command.node(), command.session());
      if (ended.isPresent()) {
        return Decision.answer(new PodOutcome.Refused(ended.get()));
      }
    }
    var changes = new ArrayList<Change>();
    var dropped = new ArrayList<PodOutcome.Dropped>();
    var seen = new HashSet<ObjectName>();
    for (var report : command.reports()) {
      var name = new ObjectName(command.namespace(), report.name());
      var fault = seen.add(name) ? fault(image, command, report, name) : "is reported twice";
      if (fault.isEmpty()) {
        change(image, command, report, name, context, changes);
      } else {
        dropped.add(new PodOutcome.Dropped(name, fault));
      }
    }
    return Decision.of(changes, new PodOutcome.Reported(dropped, OptionalLong.empty()));
  }

  /** Why a report does not count, or "". */
  private static String fault(
      ClusterImage image, ReportReadiness command, Report report, ObjectName name) {
    var pod = image.pods().get(name).map(Versioned::object);
    if (pod.isEmpty()) {
      return "there is no such Pod";
    }
    if (!pod.get().uid().toString().equals(report.podUid())) {
      return "the Pod of that name is another one, " + pod.get().uid();
    }
    var node = pod.get().spec().nodeName().orElse("");
    if (!node.equals(command.node())) {
      return node.isEmpty() ? "the Pod is on no node" : "the Pod is on node " + node;
    }
    var known = image.pods().readiness(pod.get());
    if (known.isPresent()
        && (known.get().session() > command.session()
            || (known.get().session() == command.session()
                && known.get().sequence() >= command.sequence()))) {
      return "a later report is known already";
    }
    return "";
  }

  private static void change(
      ClusterImage image,
      ReportReadiness command,
      Report report,
      ObjectName name,
      PodsContext context,
      List<Change> changes) {
    var pod = image.pods().get(name).orElseThrow().object();
    var known = image.pods().readiness(pod);
    var reason =
        report.reason().length() > REASON_LENGTH
            ? report.reason().substring(0, REASON_LENGTH)
            : report.reason();
    var runs = new TreeMap<>(report.runs());
    runs.keySet().retainAll(pod.spec().lasting().stream().map(Pod.Container::name).toList());
    boolean same =
        known
            .filter(r -> r.ready() == report.ready())
            // why it is ready is of no use, nor is of which run it is said that it is not
            .filter(r -> r.ready() ? r.runs().equals(runs) : r.reason().equals(reason))
            .isPresent();
    if (!same) {
      changes.add(
          new Change.Put(
              after(
                  pod,
                  known,
                  report.ready(),
                  new Reporter(command.node(), command.session(), command.sequence()),
                  reason,
                  runs,
                  context.now())));
    }
  }

  /** Who says it: see {@link PodReadiness}. */
  private record Reporter(String node, long session, long sequence) {}

  private static PodReadiness after(
      Pod pod,
      Optional<PodReadiness> known,
      boolean ready,
      Reporter reporter,
      String reason,
      SortedMap<String, Instant> runs,
      Instant now) {
    // of a Pod with probes nobody knows at first, and it is not ready; another run begins unready
    boolean before =
        known.map(r -> r.ready() && (!ready || r.runs().equals(runs))).orElse(!pod.isProbed());
    boolean turned = before != ready;
    var latest = new ArrayList<>(known.map(PodReadiness::latest).orElse(List.of()));
    if (turned) {
      latest.add(new PodReadiness.Turn(ready, reason, now));
    }
    return new PodReadiness(
        pod.name(),
        pod.uid(),
        ready,
        reporter.node(),
        reporter.session(),
        reporter.sequence(),
        reason,
        known.filter(_ -> !turned).map(PodReadiness::since).orElse(now),
        runs,
        known.map(PodReadiness::turns).orElse(0L) + (turned ? 1 : 0),
        latest.subList(Math.max(0, latest.size() - PodReadiness.LATEST), latest.size()));
  }

  /**
   * All Pods of the node in the namespace are unready, and what its session may still say does not
   * count.
   */
  static Decision<PodOutcome> lose(ClusterImage image, NodeLostPods command, PodsContext context) {
    var changes = new ArrayList<Change>();
    if (!laterSession(image, command)) {
      for (var name : image.pods().onNode(command.node())) {
        if (name.namespace().equals(command.namespace())) {
          image
              .pods()
              .get(name)
              .map(Versioned::object)
              .ifPresent(pod -> lose(image, pod, command, context, changes));
        }
      }
    }
    return Decision.of(changes, new PodOutcome.Reported(List.of(), OptionalLong.empty()));
  }

  private static boolean laterSession(ClusterImage image, NodeLostPods command) {
    return image
        .nodes()
        .get(command.node())
        .filter(
            node -> node.isPending() || node.object().session(node.offset()) > command.session())
        .isPresent();
  }

  private static void lose(
      ClusterImage image,
      Pod pod,
      NodeLostPods command,
      PodsContext context,
      List<Change> changes) {
    var known = image.pods().readiness(pod);
    boolean said =
        known
            .filter(r ->
                r.session() > command.session()
                    || (r.session() == command.session() && r.sequence() == AFTER_ALL))
            .isPresent();
    if (!said) {
      changes.add(
          new Change.Put(
              after(
                  pod,
                  known,
                  false,
                  new Reporter(command.node(), command.session(), AFTER_ALL),
                  NODE_LOST,
                  Collections.emptySortedMap(),
                  context.now())));
    }
  }
}
