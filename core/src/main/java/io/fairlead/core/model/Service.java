package io.fairlead.core.model;

import java.util.UUID;

/** A Service as decided: defaults applied, addresses assigned. */
public record Service(ObjectMeta meta, ServiceSpec spec) implements DomainObject {
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
