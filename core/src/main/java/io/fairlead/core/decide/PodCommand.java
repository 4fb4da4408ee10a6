package io.fairlead.core.decide;

import io.fairlead.core.decide.PodStatusDraft.ConditionDraft;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodDrain;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * What can be asked of {@link PodsDecider}: commands on Nodes in the partition of the Nodes, all
 * others in that of their namespace.
 *
 * <p>A session is the offset of the Node record that opened it; sequences grow within a session.
 */
public sealed interface PodCommand {
  /** Creates the Pod, or changes what differs. */
  record ApplyPod(PodDraft draft) implements PodCommand {}

  /**
   * @param uid "" = whatever is there
   * @param graceSeconds 0: at once. Otherwise the Pod is terminating until what runs it deletes it,
   *     or that long. Empty: as its spec says where something runs it, else at once
   */
  record DeletePod(ObjectName name, String uid, OptionalInt graceSeconds) implements PodCommand {}

  /**
   * Marks the Pod so that it gets no new connections, or takes the mark away.
   *
   * @param uid "" = whatever is there
   */
  record DrainPod(ObjectName name, String uid, PodDrain.Drain drain) implements PodCommand {}

  /**
   * Its lease ran out: it goes at once. Whether somebody applied it again meanwhile is for whoever
   * counts the leases to say, when it is decided.
   */
  record ExpirePod(ObjectName name, UUID uid) implements PodCommand {}

  /**
   * What runs the Pod says what became of it; or anybody says something of it.
   *
   * @param uid of the Pod that is meant
   * @param nodeName "" = stays where it is; binds a Pod that is on no node
   * @param status empty: only conditions change, of whatever source the Pod is
   * @param conditions take the place of those of their types; others stay
   */
  record UpdatePodStatus(
      ObjectName name,
      String uid,
      String nodeName,
      Optional<PodStatusDraft> status,
      List<ConditionDraft> conditions)
      implements PodCommand {
    public UpdatePodStatus {
      conditions = List.copyOf(conditions);
    }

    /** Without conditions. */
    public UpdatePodStatus(ObjectName name, String uid, String nodeName, PodStatusDraft status) {
      this(name, uid, nodeName, Optional.of(status), List.of());
    }
  }

  /**
   * What the probes of one node said of Pods of one namespace.
   *
   * @param node "" = reported by the source of Pods that are on no node; session is 0 then
   */
  record ReportReadiness(
      String namespace, String node, long session, long sequence, List<Report> reports)
      implements PodCommand {
    public ReportReadiness {
      reports = List.copyOf(reports);
    }
  }

  /**
   * @param reason for people, e.g. {@code http 503}
   * @param runs when the runs of its probed containers began that this is about, by name; empty
   *     where the reporter does not know
   */
  record Report(
      String name, String podUid, boolean ready, String reason, Map<String, Instant> runs) {
    public Report {
      runs = Map.copyOf(runs);
    }

    /** Of no particular run. */
    public Report(String name, String podUid, boolean ready, String reason) {
      this(name, podUid, ready, reason, Map.of());
    }
  }

  /** A node's stream was opened: the record that this writes is the session. */
  record OpenNode(NodeDraft draft) implements PodCommand {}

  /** A node's lease ran out. Changes nothing where it opened a later session. */
  record LoseNode(String node, long session, String reason) implements PodCommand {}

  /**
   * Takes a node off the record that is lost for good. Refused while it lives.
   *
   * @param uid "" = whatever is there
   * @param resourceVersion as it was sent; "" = whatever is there
   * @param streamAt which replica holds its stream, or keeps its lease; empty where none does
   */
  record DeleteNode(
      String name, String uid, String resourceVersion, DryRun dryRun, Optional<String> streamAt)
      implements PodCommand {}

  /**
   * The Pods of a lost node in one namespace are not ready any more. Nothing where it opened a
   * later session.
   */
  record NodeLostPods(String namespace, String node, long session) implements PodCommand {}

  /**
   * Deletes the Pods of a node in one namespace that nobody reports any more. Nothing where that is
   * not so any more.
   */
  record CollectPods(String namespace, String node, Orphaning why) implements PodCommand {
    /** Whether a Pod of the node is meant. */
    boolean concerns(Pod pod) {
      return why.concerns(pod);
    }
  }

  /** Creates the EndpointSlice, or changes what differs. */
  record ApplySlice(SliceDraft draft, DryRun dryRun) implements PodCommand {}

  /** Creates it; refused where there is one of that name. */
  record CreateSlice(SliceDraft draft, DryRun dryRun) implements PodCommand {}

  /**
   * @param uid "" = whatever is there
   * @param resourceVersion as it was sent; "" = whatever is there
   */
  record DeleteSlice(ObjectName name, String uid, String resourceVersion, DryRun dryRun)
      implements PodCommand {}

  /**
   * All Pods that one source knows in one namespace: what it does not name any more is deleted. Is
   * decided on an image that has every session that was opened before it was asked for.
   *
   * @param node where the source is
   */
  record ReconcileSource(
      String namespace,
      String source,
      String node,
      long session,
      long sequence,
      List<PodDraft> pods)
      implements PodCommand {
    public ReconcileSource {
      pods = List.copyOf(pods);
    }
  }
}
