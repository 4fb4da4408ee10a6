package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Position;

/** An image and how far the log is applied in it. */
public record Snapshot(ClusterImage image, Position position) {}
