package io.fairlead.dns.zone;

import io.fairlead.core.dns.Zone;
import io.fairlead.core.dns.ZoneProjection;
import io.fairlead.core.dns.ZoneSettings;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;

/**
 * Keeps the zone in step with the image. Written by the loader's thread, read by every query.
 * Derived: rebuilt on start.
 */
public final class ZonePublisher implements Publisher {
  private volatile Zone zone;

  public ZonePublisher(ZoneSettings settings) {
    this.zone = ZoneProjection.empty(settings);
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    zone = ZoneProjection.update(zone, delta, image, serial(manifest.position()));
  }

  /** What is served now. */
  public Zone zone() {
    return zone;
  }

  /**
   * The sum of the offsets: grows with every change, and is the same on every replica at the same
   * position.
   */
  private static long serial(Position position) {
    return position.next().values().stream().mapToLong(Long::longValue).sum();
  }
}
