package io.fairlead.core.decide;

import io.fairlead.core.decide.AddressBands.Span;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import java.math.BigInteger;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Picks a free address: from the dynamic bands of all ranges, then from their static bands, then
 * from what was freed lately, oldest first, because nodes that lag behind may still send its
 * traffic to the Service that had it.
 *
 * <p>A pick costs a few look-ups by count in the sorted set of used addresses, not a walk over
 * them: also a range that is almost full, or full, costs O(log² used).
 *
 * @param used every address in use; its {@code subSet(..).size()} must not walk
 * @param skip addresses not to be picked though they are not in use; few
 * @param reserved addresses that somebody holds, mostly without using them; blocks of them are
 *     passed quickly
 * @param freshlyFreed oldest first; few
 */
record AddressPicker(
    NavigableSet<Address> used,
    Set<Address> skip,
    NavigableSet<Address> reserved,
    Set<Address> freshlyFreed,
    RandomGenerator random) {
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
          address = neighbour(address, BigInteger.ONE)) {
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

  private Optional<Address> pick(Span span) {
    var start = span.at(below(span.size()));
    var found = firstFree(new Span(start, span.last()));
    return found.isPresent() || start.equals(span.first())
        ? found
        : firstFree(new Span(span.first(), neighbour(start, BigInteger.ONE.negate())));
  }

  private Optional<Address> firstFree(Span span) {
    var from = span.first();
    while (true) {
      var unused = firstUnused(new Span(from, span.last()));
      if (unused.isEmpty()) {
        return unused;
      }
      var address = unused.get();
      if (reserved.contains(address)) {
        while (!address.equals(span.last())
            && reserved.contains(neighbour(address, BigInteger.ONE))) {
          address = neighbour(address, BigInteger.ONE);
        }
      } else if (!skip.contains(address) && !freshlyFreed.contains(address)) {
        return unused;
      }
      if (address.equals(span.last())) {
        return Optional.empty();
      }
      from = neighbour(address, BigInteger.ONE);
    }
  }

  /**
   * The lowest address that is not in use: where the used ones from the start on are fewer than the
   * addresses.
   */
  private Optional<Address> firstUnused(Span span) {
    if (!used.contains(span.first())) {
      return Optional.of(span.first());
    }
    var inUse = count(span.first(), span.last());
    if (inUse.equals(span.size())) {
      return Optional.empty();
    }
    var full = BigInteger.ONE; // that many addresses from the start on are in use
    var notFull = inUse.add(BigInteger.ONE); // among that many from the start on one is free
    while (notFull.subtract(full).compareTo(BigInteger.ONE) > 0) {
      var middle = full.add(notFull).shiftRight(1);
      if (count(span.first(), span.at(middle.subtract(BigInteger.ONE))).equals(middle)) {
        full = middle;
      } else {
        notFull = middle;
      }
    }
    return Optional.of(span.at(notFull.subtract(BigInteger.ONE)));
  }

  private BigInteger count(Address first, Address last) {
    return BigInteger.valueOf(used.subSet(first, true, last, true).size());
  }

  private static Address neighbour(Address address, BigInteger distance) {
    return Address.ofValue(address.family(), address.value().add(distance));
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
