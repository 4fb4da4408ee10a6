package io.fairlead.core.decide;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.math.BigInteger;
import java.util.Optional;

/**
 * How one range is divided: the static band at the bottom, which dynamic picks avoid as long as
 * they can, and the dynamic band above it (KEP-3070). The network address belongs to neither, nor
 * does an IPv4 broadcast address; the last IPv6 address is usable.
 */
public record AddressBands(Cidr range) {
  private static final BigInteger SMALLEST_BAND = BigInteger.valueOf(16);
  private static final BigInteger LARGEST_BAND = BigInteger.valueOf(256);
  private static final BigInteger BAND_SHARE = BigInteger.valueOf(16);

  /** Addresses from {@code first} to {@code last}, both included. */
  public record Span(Address first, Address last) {
    public BigInteger size() {
      return last.value().subtract(first.value()).add(BigInteger.ONE);
    }

    boolean contains(Address address) {
      return address.compareTo(first) >= 0 && address.compareTo(last) <= 0;
    }

    /** The address {@code offset} above the first. */
    Address at(BigInteger offset) {
      return Address.ofValue(first.family(), first.value().add(offset));
    }
  }

  /**
   * Number of addresses in the static band: a sixteenth of the range, but from 16 to 256; 0 for
   * ranges of 16 addresses or fewer.
   */
  public BigInteger staticSize() {
    return range.size().compareTo(SMALLEST_BAND) <= 0
        ? BigInteger.ZERO
        : range.size().divide(BAND_SHARE).max(SMALLEST_BAND).min(LARGEST_BAND);
  }

  /** All addresses that can be given out, or empty where the range is too small to have one. */
  public Optional<Span> usable() {
    var last =
        range.size().subtract(range.family() == Family.IPV4 ? BigInteger.TWO : BigInteger.ONE);
    return last.signum() > 0
        ? Optional.of(new Span(range.at(BigInteger.ONE), range.at(last)))
        : Optional.empty();
  }

  /** Whether that address can be given out from this range. */
  public boolean usable(Address address) {
    return usable()
        .filter(span -> span.first().family() == address.family() && span.contains(address))
        .isPresent();
  }

  public Optional<Span> staticBand() {
    return staticSize().signum() == 0
        ? Optional.empty()
        : usable().map(span -> new Span(span.first(), range.at(staticSize())));
  }

  public Optional<Span> dynamicBand() {
    return usable().map(span -> new Span(range.at(staticSize().add(BigInteger.ONE)), span.last()));
  }
}
