package io.fairlead.core.model;

import java.math.BigInteger;
import java.util.Optional;

/**
 * A block of addresses, {@code base/prefix}, without host bits. Ordered by base, then by prefix
 * length.
 */
public record Cidr(Address base, int prefix) implements Comparable<Cidr> {
  public Cidr {
    if (prefix < 0 || prefix > base.family().bits()) {
      throw new IllegalArgumentException(
          "prefix length " + prefix + " is not within 0.." + base.family().bits());
    }
    if (!mask(base, prefix).equals(base)) {
      throw new IllegalArgumentException(base + "/" + prefix + " has host bits set");
    }
  }

  /** The block that {@code text} spells, or empty where it is malformed or has host bits set. */
  public static Optional<Cidr> parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || !text.substring(slash + 1).matches("0|[1-9][0-9]{0,2}")) {
      return Optional.empty();
    }
    int prefix = Integer.parseInt(text.substring(slash + 1));
    return Address.parse(text.substring(0, slash))
        .filter(base -> prefix <= base.family().bits() && mask(base, prefix).equals(base))
        .map(base -> new Cidr(base, prefix));
  }

  /** As {@link #parse}, for literals and values that were checked before. */
  public static Cidr of(String text) {
    return parse(text).orElseThrow(() -> new IllegalArgumentException("not a CIDR block: " + text));
  }

  public Family family() {
    return base.family();
  }

  public boolean contains(Address address) {
    return address.family() == family() && mask(address, prefix).equals(base);
  }

  /** Number of addresses, network and broadcast address included. */
  public BigInteger size() {
    return BigInteger.ONE.shiftLeft(family().bits() - prefix);
  }

  /** The address {@code offset} above the base; {@code offset} must be below {@link #size}. */
  public Address at(BigInteger offset) {
    if (offset.signum() < 0 || offset.compareTo(size()) >= 0) {
      throw new IllegalArgumentException("offset " + offset + " is outside " + this);
    }
    return Address.ofValue(family(), base.value().add(offset));
  }

  private static Address mask(Address address, int prefix) {
    int host = address.family().bits() - prefix;
    return host == 0
        ? address
        : Address.ofValue(address.family(), address.value().shiftRight(host).shiftLeft(host));
  }

  @Override
  public int compareTo(Cidr other) {
    int order = base.compareTo(other.base);
    return order == 0 ? Integer.compare(prefix, other.prefix) : order;
  }

  @Override
  public String toString() {
    return base + "/" + prefix;
  }
}
