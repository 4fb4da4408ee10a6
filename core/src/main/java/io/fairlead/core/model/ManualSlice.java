package io.fairlead.core.model;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * An EndpointSlice that somebody wrote, for a Service without a selector. The slices of Services
 * with one are derived and have no record.
 *
 * @param ports may be empty: a headless Service's names need none
 * @param endpoints in the order that they were given; no address twice
 */
public record ManualSlice(
    ObjectMeta meta, Family family, List<Port> ports, List<Endpoint> endpoints)
    implements DomainObject {
  /** The label that says whose endpoints they are. */
  public static final String SERVICE_NAME_LABEL = "kubernetes.io/service-name";

  /** The label that says who looks after a slice. */
  public static final String MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";

  /** The same, of those that are derived. */
  public static final String DERIVED = "endpoints.fairlead.io";

  public ManualSlice {
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
  }

  /**
   * @param name of the Service's port that leads here; may be ""
   * @param port where the endpoints listen
   */
  public record Port(String name, Protocol protocol, int port, Optional<String> appProtocol) {}

  /**
   * Defaults are applied: who says nothing is ready, serves and does not end.
   *
   * @param hostname its name below a headless Service
   * @param zones that should prefer it, as they were given
   * @param nodes that should prefer it, as they were given
   */
  public record Endpoint(
      Address address,
      boolean ready,
      boolean serving,
      boolean terminating,
      Optional<String> hostname,
      Optional<String> nodeName,
      Optional<String> zone,
      List<String> zones,
      List<String> nodes) {
    public Endpoint {
      zones = List.copyOf(zones);
      nodes = List.copyOf(nodes);
    }
  }

  public ObjectName name() {
    return meta.objectName();
  }

  @Override
  public ObjectKey key() {
    return ObjectKey.of(Kind.ENDPOINT_SLICE, name());
  }

  @Override
  public UUID uid() {
    return meta.uid();
  }

  /** Whose endpoints these are, whether or not there is such a Service. */
  public ObjectName service() {
    return new ObjectName(meta.namespace(), meta.labels().getOrDefault(SERVICE_NAME_LABEL, ""));
  }

  /**
   * What tells an endpoint from all others, as a Pod's uid does: the same as long as the slice has
   * that address, so that whatever else changes of it, connections that stick to it stay.
   */
  public UUID uid(Endpoint endpoint) {
    return UUID.nameUUIDFromBytes(
        (uid() + "/" + endpoint.address()).getBytes(StandardCharsets.UTF_8));
  }
}
