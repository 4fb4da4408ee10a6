package io.fairlead.testbed.archsamples.core.model;

import org.pcollections.PVector;
import org.pcollections.TreePVector;

/** Keeps all rules. */
final class UsesPersistentCollections {
  private UsesPersistentCollections() {}

  static PVector<String> empty() {
    return TreePVector.empty();
  }
}
