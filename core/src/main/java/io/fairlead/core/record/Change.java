package io.fairlead.core.record;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.ObjectKey;
import java.util.UUID;

/**
 * One change to the log as a decider wants it. The owner of the partition adds envelope and
 * tombstone.
 */
public sealed interface Change {
  ObjectKey key();

  /** The whole object after the change. */
  record Put(DomainObject object) implements Change {
    @Override
    public ObjectKey key() {
      return object.key();
    }
  }

  record Remove(ObjectKey key, UUID uid) implements Change {}
}
