package io.fairlead.core.model;

import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Whether a Pod answered its probes: written by the decider of its namespace from what the node's
 * agent reported. Counts only for the Pod with that uid.
 *
 * @param podUid the Pod it is about; a later Pod of the same name is not ready by it
 * @param node who reported
 * @param session offset of the Node record that opened the reporter's stream; reports of older
 *     sessions are dropped
 * @param sequence number of the report within its session
 * @param reason for people, e.g. {@code http 503}, {@code node lost}
 * @param since when the Pod last changed between ready and unready
 * @param runs of which runs of its containers this was said, see {@link Pod#runs}
 * @param turns how often it changed between ready and unready, the first report included
 * @param latest of these, oldest first, at most {@link #LATEST}
 */
public record PodReadiness(
    ObjectName pod,
    UUID podUid,
    boolean ready,
    String node,
    long session,
    long sequence,
    String reason,
    Instant since,
    SortedMap<String, Instant> runs,
    long turns,
    List<Turn> latest)
    implements DomainObject {
  /** How many turns are kept: whole objects stand in the log. */
  public static final int LATEST = 8;

  public PodReadiness {
    runs =
        runs.isEmpty() // of most Pods nobody tells, and there are many
            ? Collections.emptySortedMap()
            : Collections.unmodifiableSortedMap(new TreeMap<>(runs));
    latest = List.copyOf(latest);
  }

  /**
   * That it changed.
   *
   * @param ready what it was from then on
   */
  public record Turn(boolean ready, String reason, Instant at) {}

  /** Of a Pod whose runs nobody tells, with no memory of what was before. */
  public PodReadiness(
      ObjectName pod,
      UUID podUid,
      boolean ready,
      String node,
      long session,
      long sequence,
      String reason,
      Instant since) {
    this(
        pod,
        podUid,
        ready,
        node,
        session,
        sequence,
        reason,
        since,
        Collections.emptySortedMap(),
        0,
        List.of());
  }

  /** What counts now: what was before is of no use to a node. */
  public PodReadiness withoutPast() {
    return new PodReadiness(
        pod, podUid, ready, node, session, sequence, reason, since, runs, 0, List.of());
  }

  @Override
  public ObjectKey key() {
    return ObjectKey.of(Kind.POD_READINESS, pod);
  }

  @Override
  public UUID uid() {
    return podUid;
  }
}
