package io.fairlead.core.model;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * A node with an agent. Written when its stream opens, and when it is lost.
 *
 * @param addresses of the node itself, primary first
 * @param podCidrs what its Pods' addresses come from; may be empty
 * @param instance which process of an agent opened the session; "" = it did not say
 * @param session empty in the record that opens a session: its own offset is the session. Later
 *     records of that session repeat it
 * @param state LOST: its lease ran out, its Pods are not ready
 * @param reason why it is in that state; "" where there is nothing to say
 * @param sources of Pods that its agent has, as {@code manifests/node-a}; empty = it did not say
 */
public record Node(
    ObjectMeta meta,
    Optional<String> zone,
    List<Address> addresses,
    List<Cidr> podCidrs,
    String agentVersion,
    String instance,
    OptionalLong session,
    State state,
    String reason,
    List<String> sources)
    implements DomainObject {
  /** Label that names a node's zone. */
  public static final String ZONE_LABEL = "topology.kubernetes.io/zone";

  public Node {
    addresses = List.copyOf(addresses);
    podCidrs = List.copyOf(podCidrs);
    sources = List.copyOf(sources);
  }

  /** Of an agent that does not say which sources it has. */
  public Node(
      ObjectMeta meta,
      Optional<String> zone,
      List<Address> addresses,
      List<Cidr> podCidrs,
      String agentVersion,
      String instance,
      OptionalLong session,
      State state,
      String reason) {
    this(
        meta, zone, addresses, podCidrs, agentVersion, instance, session, state, reason, List.of());
  }

  public enum State {
    READY("Ready"),
    LOST("Lost");

    private final String text;

    State(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  @Override
  public ObjectKey key() {
    return ObjectKey.ofCluster(Kind.NODE, meta.name());
  }

  @Override
  public UUID uid() {
    return meta.uid();
  }

  public String name() {
    return meta.name();
  }

  /** The session this record belongs to, given the record's own offset. */
  public long session(long ownOffset) {
    return session.orElse(ownOffset);
  }
}
