package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;

/** Is told every step of the image: what derives something from it, or remembers what led to it. */
@FunctionalInterface
public interface Publisher {
  /**
   * Called on the loader's thread, in the order of the log, with every step since the empty image;
   * also where only the position moved, with an empty delta. Must not block, and must not wait for
   * the loader. What it throws is a fault and freezes the loader before this step.
   *
   * @param delta what this step changed; dies with the call
   * @param image after the step; {@link Loader#current} still answers the one before
   * @param manifest what the step is made of
   */
  void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest);
}
