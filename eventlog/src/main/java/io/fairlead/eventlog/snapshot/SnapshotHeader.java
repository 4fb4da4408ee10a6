package io.fairlead.eventlog.snapshot;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.load.EntryMark;
import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a snapshot is of.
 *
 * @param codec how its objects are written
 * @param position how far the log is in it
 * @param confirmed nothing that the log took before this moment is missing in it
 * @param podsPartitions of the log
 * @param summaries of the followed partitions, each
 * @param lastEntries of the log, at the position or behind it, by which it is known again
 */
record SnapshotHeader(
    String codec,
    Position position,
    Instant confirmed,
    int podsPartitions,
    SortedMap<LogPartition, ClusterImage.Summary> summaries,
    SortedMap<LogPartition, EntryMark> lastEntries) {
  SnapshotHeader {
    summaries = Collections.unmodifiableSortedMap(new TreeMap<>(summaries));
    lastEntries = Collections.unmodifiableSortedMap(new TreeMap<>(lastEntries));
  }
}
