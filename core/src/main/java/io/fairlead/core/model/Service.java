package io.fairlead.core.model;

import java.util.UUID;

/** A Service as decided: defaults applied, addresses assigned. */
public record Service(ObjectMeta meta, ServiceSpec spec) implements DomainObject {
  /**
   * Annotation, {@code "true"} or {@code "false"}: whether connections over TCP to an endpoint that
   * is gone are reset, where else they hang until somebody gives up.
   */
  public static final String RESET_CONNECTIONS = "fairlead.io/reset-connections";

  /** What {@link #RESET_CONNECTIONS} says; without it, no. */
  public boolean resetsConnections() {
    return "true".equals(meta.annotations().get(RESET_CONNECTIONS));
  }

  @Override
  public ObjectKey key() {
    return ObjectKey.of(Kind.SERVICE, meta.objectName());
  }

  @Override
  public UUID uid() {
    return meta.uid();
  }

  public ObjectName name() {
    return meta.objectName();
  }

  public Service withSpec(ServiceSpec changed) {
    return new Service(meta, changed);
  }
}
