package io.fairlead.core.model;

import java.util.UUID;

/** A namespace that somebody made. Others exist because they hold an object, and have no record. */
public record Namespace(ObjectMeta meta) implements DomainObject {
  @Override
  public ObjectKey key() {
    return ObjectKey.ofCluster(Kind.NAMESPACE, meta.name());
  }

  @Override
  public UUID uid() {
    return meta.uid();
  }
}
