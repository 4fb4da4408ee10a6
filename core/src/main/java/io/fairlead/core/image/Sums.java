package io.fairlead.core.image;

import io.fairlead.core.image.ClusterImage.Summary;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Summaries of partitions while objects come and go. Scratch of one step. */
final class Sums {
  private final Map<LogPartition, Summary> base;
  private final Map<LogPartition, Summary> changed = new HashMap<>();
  private final Digest.Maker digests = new Digest.Maker();

  Sums(Map<LogPartition, Summary> base) {
    this.base = base;
  }

  /** An object of that partition takes the place of another; empty = there is none. */
  void change(
      LogPartition partition,
      Optional<? extends Versioned<? extends DomainObject>> before,
      Optional<? extends Versioned<? extends DomainObject>> after) {
    var summary = changed.get(partition);
    if (summary == null) {
      summary = base.getOrDefault(partition, Summary.NONE);
    }
    if (before.isPresent()) {
      summary = summary.minus(digests.of(before.get().object()));
    }
    if (after.isPresent()) {
      summary = summary.plus(digests.of(after.get().object()));
    }
    changed.put(partition, summary);
  }

  /** Of the partitions that were named. */
  Map<LogPartition, Summary> result() {
    return changed;
  }
}
