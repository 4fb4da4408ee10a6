package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import java.time.Duration;
import java.util.SortedMap;

/**
 * Where a loader goes on instead of at the start of the log.
 *
 * @param delta from the empty image to the one of the position
 * @param lastEntries of the partitions that had any, the last one before the position, or a later
 *     one
 * @param took until it was had
 */
public record Restored(
    ClusterDelta delta,
    Position position,
    SortedMap<LogPartition, EntryMark> lastEntries,
    Duration took) {}
