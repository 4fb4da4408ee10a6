package io.fairlead.eventlog.file;

import com.google.protobuf.ByteString;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;

/**
 * An entry of the log as its bytes.
 *
 * @param appended when the log took it
 * @param record a serialized {@code fairlead.log.v1.Record}; empty = tombstone
 */
public record RawEntry(
    LogPartition partition,
    long offset,
    Instant appended,
    String key,
    Optional<ByteString> record) {
  /**
   * Empty for one of a kind that may be passed over.
   *
   * @throws UnreadableRecordException it cannot be read, and not be passed over
   */
  public Optional<LogEntry> decode() {
    try {
      return EventCodec.decode(
              key.getBytes(StandardCharsets.UTF_8),
              record.map(ByteString::toByteArray).orElse(null))
          .map(event -> new LogEntry(partition, offset, appended, event));
    } catch (UnreadableRecordException e) {
      throw new UnreadableRecordException(
          "entry %s:%d: %s".formatted(partition, offset, e.getMessage()), e);
    }
  }
}
