package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.model.Position;
import java.time.Duration;

/**
 * Where a loader goes on instead of at the start of the log.
 *
 * @param delta from the empty image to the one of the position
 * @param took until it was had
 */
public record Restored(ClusterDelta delta, Position position, Duration took) {}
