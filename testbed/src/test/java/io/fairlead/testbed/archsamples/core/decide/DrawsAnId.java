package io.fairlead.testbed.archsamples.core.decide;

import java.util.UUID;

/** Breaks the rule: an id is drawn where it is decided. */
final class DrawsAnId {
  private DrawsAnId() {}

  static UUID id() {
    return UUID.randomUUID();
  }
}
