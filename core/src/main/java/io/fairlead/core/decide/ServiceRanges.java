package io.fairlead.core.decide;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ServiceCidr;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The ranges addresses are given out from at this moment: those of all ServiceCIDRs that are not
 * terminating, the one named {@code default} first, then by name. Derived from an image.
 *
 * @param reserved first address of the default range, which belongs to the control plane
 * @param ending ServiceCIDRs that are terminating, by name: for messages
 */
record ServiceRanges(List<Cidr> all, Optional<Address> reserved, List<ServiceCidr> ending) {
  static ServiceRanges of(ClusterImage image) {
    var first = image.serviceCidrs().get(ServiceCidr.DEFAULT_NAME).map(Versioned::object);
    var ranges = new ArrayList<Cidr>();
    first.filter(cidr -> !cidr.terminating()).ifPresent(cidr -> ranges.addAll(cidr.cidrs()));
    for (var versioned : image.serviceCidrs().all()) {
      var cidr = versioned.object();
      if (!cidr.terminating() && !cidr.meta().name().equals(ServiceCidr.DEFAULT_NAME)) {
        ranges.addAll(cidr.cidrs());
      }
    }
    return new ServiceRanges(
        List.copyOf(ranges),
        first.flatMap(cidr -> firstAddress(cidr.cidrs().getFirst())),
        image.serviceCidrs().all().stream()
            .map(Versioned::object)
            .filter(ServiceCidr::terminating)
            .toList());
  }

  /** The address that the control plane's own Service has. */
  static Optional<Address> firstAddress(Cidr range) {
    return new AddressBands(range).usable().map(AddressBands.Span::first);
  }

  List<Cidr> of(Family family) {
    return all.stream().filter(range -> range.family() == family).toList();
  }

  boolean has(Family family) {
    return all.stream().anyMatch(range -> range.family() == family);
  }

  boolean dualStack() {
    return has(Family.IPV4) && has(Family.IPV6);
  }

  /** Family of Services that do not say: that of the first range. */
  Family defaultFamily() {
    return all.isEmpty() ? Family.IPV4 : all.getFirst().family();
  }

  /** Whether a range gives out that address. */
  boolean giveOut(Address address) {
    return all.stream().anyMatch(range -> new AddressBands(range).usable(address));
  }

  /**
   * Those of that family that give out nothing since they are terminating: {@code more
   * (10.97.0.0/24)}.
   */
  List<String> ending(Family family) {
    return ending.stream()
        .filter(cidr -> cidr.cidrs().stream().anyMatch(range -> range.family() == family))
        .map(cidr -> cidr.meta().name() + " (" + text(cidr.cidrs()) + ")")
        .toList();
  }

  /** Why there is no address of that family. */
  String none(Family family) {
    return "there is no range of " + family + " addresses" + Refusal.ending(ending(family));
  }

  /** Why {@link #giveOut} says no. */
  String notGivenOut(Address address) {
    return has(address.family())
        ? "is not an address of the ranges "
            + text(of(address.family()))
            + Refusal.ending(ending(address.family()))
        : none(address.family());
  }

  /** For messages. */
  static String text(List<Cidr> ranges) {
    return ranges.stream().map(Cidr::toString).collect(Collectors.joining(", "));
  }
}
