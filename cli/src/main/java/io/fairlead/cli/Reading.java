package io.fairlead.cli;

import io.fairlead.v1.Freshness;

/**
 * From when on a read must know everything. An enum of its own: for the options of a command all
 * types are loaded, and that of the API would bring protobuf along, also for {@code version}.
 */
enum Reading {
  LATEST,
  LOCAL;

  Freshness freshness() {
    return switch (this) {
      case LATEST -> Freshness.LATEST;
      case LOCAL -> Freshness.LOCAL;
    };
  }
}
