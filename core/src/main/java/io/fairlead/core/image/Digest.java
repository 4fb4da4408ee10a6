package io.fairlead.core.image;

import io.fairlead.core.model.DomainObject;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A 128-bit number that tells whether two sets of objects are the same: the sum mod 2^128 of the
 * first 16 bytes (big-endian) of SHA-256 over the {@linkplain CanonicalEncoding canonical encoding}
 * of each object. A sum, so that a step costs what changed and the order of arrival does not
 * matter. It finds faults, not forgers. Text form: 32 lower-case hexadecimal digits.
 */
public record Digest(long high, long low) {
  /**
   * Tells versions apart that make other digests of the same objects: grows whenever the canonical
   * encoding or the sum changes. What it is of is never stored, so nothing has to read older ones.
   */
  public static final int VERSION = 1;

  /** Of the empty set. */
  public static final Digest ZERO = new Digest(0, 0);

  /** Of the set with that one object. */
  public static Digest of(DomainObject object) {
    return new Maker().of(object);
  }

  /** Makes many, which is cheaper than one by one. Used by one thread. */
  static final class Maker {
    private final CanonicalEncoding encoding = new CanonicalEncoding();
    private final MessageDigest sha256 = sha256();
    private final byte[] hash = new byte[sha256.getDigestLength()];

    Digest of(DomainObject object) {
      encoding.write(object);
      sha256.update(encoding.buffer(), 0, encoding.length());
      try {
        sha256.digest(hash, 0, hash.length);
      } catch (DigestException e) {
        throw new IllegalStateException("the buffer has the length of a digest", e);
      }
      return new Digest((long) LONG.get(hash, 0), (long) LONG.get(hash, Long.BYTES));
    }
  }

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** The inverse of {@link #toString}, or empty. */
  public static Optional<Digest> parse(String text) {
    if (!text.matches("[0-9a-f]{32}")) {
      return Optional.empty();
    }
    return Optional.of(
        new Digest(
            Long.parseUnsignedLong(text, 0, 16, 16), Long.parseUnsignedLong(text, 16, 32, 16)));
  }

  /** Of the union of two disjoint sets. */
  public Digest plus(Digest other) {
    long sum = low + other.low;
    long carry = Long.compareUnsigned(sum, low) < 0 ? 1 : 0;
    return new Digest(high + other.high + carry, sum);
  }

  /** Of this set without a part of it. */
  public Digest minus(Digest other) {
    long borrow = Long.compareUnsigned(low, other.low) < 0 ? 1 : 0;
    return new Digest(high - other.high - borrow, low - other.low);
  }

  @Override
  public String toString() {
    var digits = HexFormat.of();
    return digits.toHexDigits(high) + digits.toHexDigits(low);
  }
}
