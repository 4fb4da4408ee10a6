package io.fairlead.core.decide;

import io.fairlead.core.decide.AddressBands.Span;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * Picks a free address, each with the same probability: from the dynamic bands of all ranges, then
 * from their static bands, then from what was freed lately, oldest first, because nodes that lag
 * behind may still send its traffic to the Service that had it.
 *
 * <p>A pick costs a few look-ups by count in the sorted set of used addresses, not a walk over
 * them: also a range that is almost full, or full, costs O(log² used).
 *
 * @param used every address in use; its {@code subSet(..).size()} must not walk
 * @param skip addresses not to be picked though they are not in use; few
 * @param reserved addresses that somebody holds, mostly without using them
 * @param freshlyFreed oldest first; few
 */
record AddressPicker(
    NavigableSet<Address> used,
    Set<Address> skip,
    NavigableSet<Address> reserved,
    Set<Address> freshlyFreed,
    RandomGenerator random) {
  /** With one address in twenty free, every third pick is found so. */
  private static final int BLIND_TRIES = 8;

  /** Where nothing is reserved. */
  AddressPicker(
      NavigableSet<Address> used,
      Set<Address> skip,
      Set<Address> freshlyFreed,
      RandomGenerator random) {
    this(used, skip, Collections.emptyNavigableSet(), freshlyFreed, random);
  }

  /**
   * @param ranges in the order in which they are tried
   */
  Optional<Address> pick(List<Cidr> ranges) {
    var bands = ranges.stream().map(AddressBands::new).toList();
    for (var band : bands) {
      var found = band.dynamicBand().flatMap(this::pick);
      if (found.isPresent()) {
        return found;
      }
    }
    for (var band : bands) {
      var found = band.staticBand().flatMap(this::pick);
      if (found.isPresent()) {
        return found;
      }
    }
    return freshlyFreed.stream()
        .filter(this::free)
        .filter(a -> bands.stream().anyMatch(band -> band.usable(a)))
        .findFirst();
  }

  /**
   * The lowest free ones of the static bands, sorted by range; where those do not suffice, also
   * what was freed lately.
   *
   * @return as many as were asked for, or all there are
   */
  List<Address> pickStatic(List<Cidr> ranges, int count) {
    var spans =
        ranges.stream().flatMap(range -> new AddressBands(range).staticBand().stream()).toList();
    var found = new LinkedHashSet<Address>();
    for (var span : spans) { // at most 256 addresses each
      for (var address = span.first();
          found.size() < count && address.compareTo(span.last()) <= 0;
          address = Address.ofValue(address.family(), address.value().add(BigInteger.ONE))) {
        if (free(address) && !freshlyFreed.contains(address)) {
          found.add(address);
        }
      }
    }
    for (var address : freshlyFreed) {
      if (found.size() < count
          && free(address)
          && spans.stream()
              .anyMatch(s -> s.first().family() == address.family() && s.contains(address))) {
        found.add(address);
      }
    }
    return List.copyOf(found);
  }

  private boolean free(Address address) {
    return !used.contains(address) && !skip.contains(address) && !reserved.contains(address);
  }

  /**
   * Each free address of the span with the same probability. Tries blindly first, which a band that
   * has room ends at once, then looks the address up by its rank among the free ones.
   */
  private Optional<Address> pick(Span span) {
    for (int i = 0; i < BLIND_TRIES; i++) {
      var address = span.at(below(span.size()));
      if (free(address) && !freshlyFreed.contains(address)) {
        return Optional.of(address);
      }
    }
    var avoided =
        Stream.of(
                skip.stream(),
                freshlyFreed.stream(),
                reserved.subSet(span.first(), true, span.last(), true).stream())
            .flatMap(Function.identity())
            .filter(a -> a.family() == span.first().family() && span.contains(a))
            .filter(a -> !used.contains(a))
            .distinct()
            .sorted()
            .toArray(Address[]::new);
    var free = free(span, avoided);
    return free.signum() == 0 ? Optional.empty() : Optional.of(free(span, avoided, below(free)));
  }

  /** The free address of the span before which so many others lie. */
  private Address free(Span span, Address[] avoided, BigInteger rank) {
    var low = BigInteger.ZERO;
    var high = span.size().subtract(BigInteger.ONE);
    while (low.compareTo(high) < 0) {
      var middle = low.add(high).shiftRight(1);
      if (free(new Span(span.first(), span.at(middle)), avoided).compareTo(rank) > 0) {
        high = middle;
      } else {
        low = middle.add(BigInteger.ONE);
      }
    }
    return span.at(low);
  }

  /**
   * How many addresses are free.
   *
   * @param avoided sorted, none of them used, none before the span
   */
  private BigInteger free(Span span, Address[] avoided) {
    int at = Arrays.binarySearch(avoided, span.last());
    long passedOver = at < 0 ? -at - 1 : at + 1;
    return span.size()
        .subtract(count(span.first(), span.last()))
        .subtract(BigInteger.valueOf(passedOver));
  }

  private BigInteger count(Address first, Address last) {
    return BigInteger.valueOf(used.subSet(first, true, last, true).size());
  }

  /** Uniform in 0..bound-1. */
  private BigInteger below(BigInteger bound) {
    if (bound.bitLength() <= Long.SIZE - 1) {
      return BigInteger.valueOf(random.nextLong(bound.longValueExact()));
    }
    while (true) { // rejection: ends after two tries on average
      var bits = new byte[(bound.bitLength() + 7) / 8];
      random.nextBytes(bits);
      var value = new BigInteger(1, bits).mod(BigInteger.ONE.shiftLeft(bound.bitLength()));
      if (value.compareTo(bound) < 0) {
        return value;
      }
    }
  }
}
