package io.fairlead.eventlog.load;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Position;
import java.util.List;

/** Is told every step of the image: what derives something from it, or remembers what led to it. */
@FunctionalInterface
public interface Publisher {
  /**
   * Called once and first of all, before the loader has a thread, where the loader goes on from an
   * image that was kept instead of the start of the log. Nothing is known of what led to it:
   * objects that are not in it may have been there just before.
   *
   * @param delta from the empty image to that one
   */
  default void onStart(ClusterDelta delta, ClusterImage image, Position position) {
    onUpdate(delta, image, new Manifest(position, List.of()));
  }

  /**
   * Called on the loader's thread, in the order of the log, with every step since the first image;
   * also where only the position moved, with an empty delta. Must not block, and must not wait for
   * the loader. What it throws is a fault and freezes the loader before this step.
   *
   * @param delta what this step changed; dies with the call
   * @param image after the step; {@link Loader#current} still answers the one before
   * @param manifest what the step is made of
   */
  void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest);
}
