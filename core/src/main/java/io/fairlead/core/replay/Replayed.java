package io.fairlead.core.replay;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import java.time.Instant;
import java.util.Optional;

/** What came of a replay. */
public sealed interface Replayed {
  /**
   * What was then.
   *
   * @param time of the last entry that counts; empty where the log holds none
   * @param position behind the entries that count
   * @param completeSince from when on every moment can be replayed
   * @param next time of the first entry that does not count any more; empty where the log ends
   *     before
   */
  record State(
      ClusterImage image,
      Optional<Instant> time,
      Position position,
      Instant completeSince,
      Optional<Instant> next)
      implements Replayed {}

  /** The log, or what is left of it, begins later. */
  record NothingYet(Instant begin) implements Replayed {}

  /**
   * Compaction may have removed entries that counted then.
   *
   * @param asked the moment
   */
  record Incomplete(Instant asked, Instant completeSince) implements Replayed {}

  /** A position that the log has not reached. */
  record BehindTheEnd(LogPartition partition, long asked, long end) implements Replayed {}
}
