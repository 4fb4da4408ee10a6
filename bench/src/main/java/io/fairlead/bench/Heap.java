package io.fairlead.bench;

import java.lang.management.ManagementFactory;

/** The heap of this process. */
final class Heap {
  private static final int COLLECTIONS = 5;

  private Heap() {}

  /** Bytes of what lives, as far as a few collections find out. */
  static long afterCollection() {
    var memory = ManagementFactory.getMemoryMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
      least = Math.min(least, memory.getHeapMemoryUsage().getUsed());
    }
    return least;
  }
}
