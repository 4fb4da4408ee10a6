package io.fairlead.core.model;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;

/**
 * An IP address as a 128-bit unsigned number; IPv4 uses the low 32 bits. Ordered by family, then
 * numerically.
 *
 * <p>Parsing is strict: leading zeros in IPv4 octets, zones and IPv4-mapped forms are refused,
 * because two spellings of one address must not become two addresses (Kubernetes CVE-2021-29923
 * class of faults).
 */
public record Address(Family family, long high, long low) implements Comparable<Address> {
  public Address {
    if (family == Family.IPV4 && (high != 0 || (low >>> 32) != 0)) {
      throw new IllegalArgumentException("IPv4 addresses have 32 bits");
    }
  }

  /** The address that {@code text} spells in strict form, or empty. */
  public static Optional<Address> parse(String text) {
    return text.indexOf(':') >= 0 ? parseV6(text) : parseV4(text);
  }

  /** As {@link #parse}, for literals and values that were checked before. */
  public static Address of(String text) {
    return parse(text)
        .orElseThrow(() -> new IllegalArgumentException("not an IP address: " + text));
  }

  /** From network-order bytes; 4 or 16 of them. */
  public static Address ofBytes(byte[] bytes) {
    return switch (bytes.length) {
      case 4 -> new Address(Family.IPV4, 0, number(bytes, 0, 4));
      case 16 -> new Address(Family.IPV6, number(bytes, 0, 8), number(bytes, 8, 16));
      default ->
          throw new IllegalArgumentException(
              "an IP address has 4 or 16 bytes, not " + bytes.length);
    };
  }

  private static long number(byte[] bytes, int from, int to) {
    long number = 0;
    for (int i = from; i < to; i++) {
      number = number << 8 | bytes[i] & 0xff;
    }
    return number;
  }

  private static Optional<Address> parseV4(String text) {
    var parts = text.split("\\.", -1);
    if (parts.length != 4) {
      return Optional.empty();
    }
    long value = 0;
    for (var part : parts) {
      if (part.isEmpty() || part.length() > 3 || (part.length() > 1 && part.charAt(0) == '0')) {
        return Optional.empty();
      }
      int octet = 0;
      for (int i = 0; i < part.length(); i++) {
        char c = part.charAt(i);
        if (c < '0' || c > '9') {
          return Optional.empty();
        }
        octet = octet * 10 + (c - '0');
      }
      if (octet > 255) {
        return Optional.empty();
      }
      value = value << 8 | octet;
    }
    return Optional.of(new Address(Family.IPV4, 0, value));
  }

  private static Optional<Address> parseV6(String text) {
    if (text.indexOf('.') >= 0) {
      return Optional.empty();
    }
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
      return Optional.empty();
    }
    var groups = new int[8];
    if (gap < 0) {
      return fill(text, groups, 0) == 8 ? Optional.of(ofGroups(groups)) : Optional.empty();
    }
    int before = fill(text.substring(0, gap), groups, 0);
    var tail = new int[8];
    int after = fill(text.substring(gap + 2), tail, 0);
    if (before < 0 || after < 0 || before + after > 7) {
      return Optional.empty();
    }
    System.arraycopy(tail, 0, groups, 8 - after, after);
    return Optional.of(ofGroups(groups));
  }

  /**
   * Puts the colon-separated groups of {@code text} into {@code groups}; their number, or -1 where
   * one is malformed.
   */
  private static int fill(String text, int[] groups, int from) {
    if (text.isEmpty()) {
      return 0;
    }
    var parts = text.split(":", -1);
    if (parts.length > 8) {
      return -1;
    }
    for (int i = 0; i < parts.length; i++) {
      var part = parts[i];
      if (part.isEmpty() || part.length() > 4) {
        return -1;
      }
      int group = 0;
      for (int j = 0; j < part.length(); j++) {
        int digit = Character.digit(part.charAt(j), 16);
        if (digit < 0 || part.charAt(j) > 'f') {
          return -1;
        }
        group = group << 4 | digit;
      }
      groups[from + i] = group;
    }
    return parts.length;
  }

  private static Address ofGroups(int[] groups) {
    long high = 0;
    long low = 0;
    for (int i = 0; i < 4; i++) {
      high = high << 16 | groups[i];
      low = low << 16 | groups[i + 4];
    }
    return new Address(Family.IPV6, high, low);
  }

  /** Network-order bytes: 4 or 16. */
  public byte[] bytes() {
    return switch (family) {
      case IPV4 -> ByteBuffer.allocate(4).putInt((int) low).array();
      case IPV6 -> ByteBuffer.allocate(16).putLong(high).putLong(low).array();
    };
  }

  /** Fixed-width lower-case hexadecimal digits, 8 or 32: sorts as the number does. */
  public String hex() {
    var digits = HexFormat.of();
    return family == Family.IPV4
        ? digits.toHexDigits(low, 8)
        : digits.toHexDigits(high) + digits.toHexDigits(low);
  }

  /** The inverse of {@link #hex}, or empty. */
  public static Optional<Address> ofHex(String hex) {
    if (hex.length() != 8 && hex.length() != 32) {
      return Optional.empty();
    }
    try {
      return Optional.of(ofBytes(HexFormat.of().parseHex(hex)));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /** The address as a non-negative number. */
  public BigInteger value() {
    return family == Family.IPV4 || (high == 0 && low >= 0)
        ? BigInteger.valueOf(low)
        : new BigInteger(1, bytes());
  }

  /** The address of this family with that number; the number must fit. */
  public static Address ofValue(Family family, BigInteger value) {
    return new Address(family, value.shiftRight(64).longValue(), value.longValue());
  }

  @Override
  public int compareTo(Address other) {
    int order = family.compareTo(other.family);
    if (order == 0) {
      order = Long.compareUnsigned(high, other.high);
    }
    return order == 0 ? Long.compareUnsigned(low, other.low) : order;
  }

  /** Canonical text: dotted quad, or RFC 5952. */
  @Override
  public String toString() {
    if (family == Family.IPV4) {
      return (low >>> 24) + "." + (low >>> 16 & 255) + "." + (low >>> 8 & 255) + "." + (low & 255);
    }
    var groups = new int[8];
    for (int i = 0; i < 4; i++) {
      groups[i] = (int) (high >>> (48 - 16 * i)) & 0xffff;
      groups[i + 4] = (int) (low >>> (48 - 16 * i)) & 0xffff;
    }
    int bestStart = -1;
    int bestLength = 1; // RFC 5952 4.2.2: a single zero group is not shortened
    for (int i = 0; i < 8; i++) {
      int length = 0;
      while (i + length < 8 && groups[i + length] == 0) {
        length++;
      }
      if (length > bestLength) {
        bestStart = i;
        bestLength = length;
      }
      i += length;
    }
    var text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == bestStart) {
        text.append("::");
        i += bestLength - 1;
        continue;
      }
      if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
        text.append(':');
      }
      text.append(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }
}
