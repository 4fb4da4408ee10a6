package io.fairlead.core.view;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A Pod behind a Service, with one of its addresses. Fields as in {@code discovery.k8s.io/v1}.
 *
 * @param hostname its name below a headless Service, where it has one there
 * @param zone of its node
 * @param hints who should prefer it
 */
public record Endpoint(
    ObjectName pod,
    UUID podUid,
    Address address,
    Conditions conditions,
    Optional<String> hostname,
    Optional<String> node,
    Optional<String> zone,
    Hints hints) {
  /**
   * Whether it may be used.
   *
   * @param ready new connections go there; also without {@code serving} where the Service publishes
   *     addresses that are not ready
   * @param serving it answers its probes, whether or not it is being deleted
   * @param terminating it is being deleted
   */
  public record Conditions(boolean ready, boolean serving, boolean terminating) {}

  /** Zones and nodes whose traffic should prefer an endpoint; sorted, unmodifiable. */
  public record Hints(SortedSet<String> zones, SortedSet<String> nodes) {
    public static final Hints NONE = new Hints(new TreeSet<>(), new TreeSet<>());

    public Hints {
      zones = copy(zones);
      nodes = copy(nodes);
    }

    /** Most have none: these share one. */
    private static SortedSet<String> copy(SortedSet<String> names) {
      return names.isEmpty()
          ? Collections.emptySortedSet()
          : Collections.unmodifiableSortedSet(new TreeSet<>(names));
    }
  }
}
