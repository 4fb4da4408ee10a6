package io.fairlead.core.record;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.ObjectKey;
import java.util.UUID;

/** What one record of the log says. */
public sealed interface LogEvent {
  ObjectKey key();

  /** The whole object after the change. */
  record Stored(DomainObject object, Envelope envelope) implements LogEvent {
    @Override
    public ObjectKey key() {
      return object.key();
    }
  }

  /**
   * The object is gone. A {@link Tombstone} of the same key follows in the same transaction, so
   * that compaction can forget it.
   */
  record Deleted(ObjectKey key, UUID uid, Envelope envelope) implements LogEvent {}

  /** Kafka's null value: nothing lives under the key. Idempotent after {@link Deleted}. */
  record Tombstone(ObjectKey key) implements LogEvent {}
}
