package io.fairlead.testbed.archsamples.core.decide;

import java.util.Random;

/** Breaks the rule: chance comes from a seed outside. */
final class RollsDice {
  private RollsDice() {}

  static int pick(int bound) {
    return new Random().nextInt(bound);
  }
}
