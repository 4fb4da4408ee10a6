package io.fairlead.core.record;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import java.util.function.ToIntFunction;

/**
 * What a version of the program knows of the log's feature level.
 *
 * @param supported the highest level that it can follow; it can follow all below, too
 * @param needed the level that the log must have before an object may be written
 */
public record FeatureLevels(int supported, ToIntFunction<DomainObject> needed) {
  /**
   * Of this version. To be raised with the first kind, or field, that the one before cannot read.
   */
  public static final FeatureLevels CURRENT =
      new FeatureLevels(FeatureLevel.FIRST, FeatureLevels::neededFor);

  private static int neededFor(DomainObject object) {
    return switch (object) { // no default: whoever adds a kind says what it needs
      case PartitionHeader _,
          Service _,
          ServiceCidr _,
          Namespace _,
          Reservation _,
          Pod _,
          PodReadiness _,
          Node _,
          ManualSlice _,
          FeatureLevel _ ->
          FeatureLevel.FIRST;
    };
  }

  /**
   * That a log is of a level that this version cannot follow.
   *
   * @throws UnsupportedFeatureLevelException where it is
   */
  public void check(int level) {
    if (level > supported) {
      throw new UnsupportedFeatureLevelException(level, supported);
    }
  }
}
