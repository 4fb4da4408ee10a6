package io.fairlead.core.decide;

import io.fairlead.core.decide.AddressBands.Span;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.ServicesImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ServiceCidr;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How much of a range is in use. Derived from the sorted index of ClusterIPs by look-ups by count:
 * it costs O(log used) for each band, whatever the range's size. Addresses of a range that overlaps
 * another count in both.
 */
public record RangeUsage(Cidr range, Band staticBand, Band dynamicBand) {
  /**
   * @param size addresses that can be given out; beyond what a long holds in IPv6
   */
  public record Band(BigInteger size, long used) {
    static final Band NONE = new Band(BigInteger.ZERO, 0);

    public BigInteger free() {
      return size.subtract(BigInteger.valueOf(used));
    }
  }

  /** Of a range, whether or not a ServiceCIDR names it. */
  public static RangeUsage of(ServicesImage services, Cidr range) {
    var bands = new AddressBands(range);
    return new RangeUsage(
        range, band(services, bands.staticBand()), band(services, bands.dynamicBand()));
  }

  private static Band band(ServicesImage services, Optional<Span> span) {
    return span.filter(s -> s.size().signum() > 0)
        .map(s -> new Band(s.size(), used(services, s)))
        .orElse(Band.NONE);
  }

  private static long used(ServicesImage services, Span span) {
    return services.clusterIps().subSet(span.first(), true, span.last(), true).size();
  }

  /**
   * How many addresses in use keep a ServiceCIDR from being removed: those of its ranges that no
   * other ServiceCIDR gives out, one that is not terminating itself (KEP-1880).
   */
  public static long holding(ClusterImage image, ServiceCidr cidr) {
    long holding = 0;
    for (var range : cidr.cidrs()) {
      var uncovered = new AddressBands(range).usable().map(List::of).orElse(List.of());
      for (var other : image.serviceCidrs().all()) {
        if (!other.object().terminating()
            && !other.object().meta().name().equals(cidr.meta().name())) {
          uncovered = without(uncovered, other.object());
        }
      }
      for (var span : uncovered) {
        holding += used(image.services(), span);
      }
    }
    return holding;
  }

  private static List<Span> without(List<Span> spans, ServiceCidr other) {
    var left = spans;
    for (var range : other.cidrs()) {
      var usable = new AddressBands(range).usable();
      if (usable.isPresent()) {
        left = left.stream().flatMap(span -> without(span, usable.get()).stream()).toList();
      }
    }
    return left;
  }

  private static List<Span> without(Span span, Span cut) {
    if (span.first().family() != cut.first().family()
        || cut.last().compareTo(span.first()) < 0
        || cut.first().compareTo(span.last()) > 0) {
      return List.of(span);
    }
    var left = new ArrayList<Span>();
    if (span.first().compareTo(cut.first()) < 0) {
      left.add(new Span(span.first(), neighbour(cut.first(), -1)));
    }
    if (cut.last().compareTo(span.last()) < 0) {
      left.add(new Span(neighbour(cut.last(), 1), span.last()));
    }
    return left;
  }

  private static Address neighbour(Address address, int distance) {
    return Address.ofValue(address.family(), address.value().add(BigInteger.valueOf(distance)));
  }
}
