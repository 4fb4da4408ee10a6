package io.fairlead.core.model;

import java.time.Instant;
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
 */
public record PodReadiness(
    ObjectName pod,
    UUID podUid,
    boolean ready,
    String node,
    long session,
    long sequence,
    String reason,
    Instant since)
    implements DomainObject {
  @Override
  public ObjectKey key() {
    return ObjectKey.of(Kind.POD_READINESS, pod);
  }

  @Override
  public UUID uid() {
    return podUid;
  }
}
