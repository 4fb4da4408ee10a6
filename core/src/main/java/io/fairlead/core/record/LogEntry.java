package io.fairlead.core.record;

import io.fairlead.core.model.LogPartition;
import java.time.Instant;

/**
 * An event where it stands in the log.
 *
 * @param offset also the {@code resourceVersion} of the object it stores
 * @param timestamp when the log accepted it (LogAppendTime, milliseconds)
 */
public record LogEntry(LogPartition partition, long offset, Instant timestamp, LogEvent event) {}
