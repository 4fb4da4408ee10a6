package io.fairlead.core.run;

import java.util.UUID;
import java.util.random.RandomGenerator;

/** The only source of chance, so that a printed seed reproduces a run. */
public final class RandomSource {
  private final RandomGenerator generator;

  public RandomSource(RandomGenerator generator) {
    this.generator = generator;
  }

  /** Unpredictable; for production. */
  public static RandomSource secure() {
    return new RandomSource(new java.security.SecureRandom());
  }

  public static RandomSource seeded(long seed) {
    return new RandomSource(new java.util.Random(seed));
  }

  public RandomGenerator generator() {
    return generator;
  }

  /** Version 4 (RFC 9562). */
  public UUID uuid() {
    long high = (generator.nextLong() & ~0xf000L) | 0x4000L;
    long low = (generator.nextLong() & 0x3fffffffffffffffL) | 0x8000000000000000L;
    return new UUID(high, low);
  }

  /** Version 7 (RFC 9562): begins with the time, so that ids of events sort roughly by it. */
  public UUID uuid7(java.time.Instant now) {
    long high = (now.toEpochMilli() << 16) | 0x7000L | (generator.nextLong() & 0xfffL);
    long low = (generator.nextLong() & 0x3fffffffffffffffL) | 0x8000000000000000L;
    return new UUID(high, low);
  }
}
