package io.fairlead.core.dns;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.SequencedSet;

/**
 * What is served.
 *
 * @param domain of the cluster, absolute and in lower case, e.g. {@code cluster.local.}
 * @param reverse ranges whose reverse names are served besides those of ClusterIPs; a prefix that
 *     is no label boundary becomes several zones
 * @param ttl of every record and of negative answers, 0 to 3,600 s
 * @param servers addresses of {@code ns.dns.<zone>}
 */
public record ZoneSettings(String domain, List<Cidr> reverse, Duration ttl, List<Address> servers) {
  public ZoneSettings {
    if (!domain.endsWith(".")
        || domain.length() < 2
        || !domain.equals(domain.toLowerCase(Locale.ROOT))) {
      throw new IllegalArgumentException(
          "domain '" + domain + "' must be absolute and in lower case");
    }
    if (ttl.isNegative() || ttl.compareTo(Duration.ofHours(1)) > 0) {
      throw new IllegalArgumentException("ttl " + ttl + " is outside 0 s to 3600 s");
    }
    reverse = List.copyOf(reverse);
    servers = List.copyOf(servers);
  }

  /**
   * All zone names, the domain first.
   *
   * @param ranges of ClusterIPs, whose reverse names are served too
   */
  SequencedSet<String> zones(Collection<Cidr> ranges) {
    var zones = new LinkedHashSet<String>();
    zones.add(domain);
    reverse.forEach(cidr -> zones.addAll(reverseZones(cidr)));
    ranges.forEach(cidr -> zones.addAll(reverseZones(cidr)));
    return zones;
  }

  /** The reverse zones that cover a block exactly (RFC 1035 3.5, RFC 3596 2.5). */
  static List<String> reverseZones(Cidr cidr) {
    int labelBits = cidr.family() == Family.IPV4 ? 8 : 4;
    int labels = (cidr.prefix() + labelBits - 1) / labelBits;
    var zones = new ArrayList<String>();
    int spare = labels * labelBits - cidr.prefix();
    int skipped = cidr.family().bits() / labelBits - labels;
    for (int i = 0; i < 1 << spare; i++) {
      var step =
          java.math.BigInteger.valueOf(i).shiftLeft(cidr.family().bits() - labels * labelBits);
      var name = reverseName(Address.ofValue(cidr.family(), cidr.base().value().add(step)));
      for (int j = 0; j < skipped; j++) {
        name = name.substring(name.indexOf('.') + 1);
      }
      zones.add(name);
    }
    return zones;
  }

  /** The name under which an address is looked up in reverse. */
  static String reverseName(Address address) {
    var text = new StringBuilder();
    if (address.family() == Family.IPV4) {
      var octets = address.bytes();
      for (int i = octets.length - 1; i >= 0; i--) {
        text.append(octets[i] & 255).append('.');
      }
      return text.append("in-addr.arpa.").toString();
    }
    var digits = address.hex();
    for (int i = digits.length() - 1; i >= 0; i--) {
      text.append(digits.charAt(i)).append('.');
    }
    return text.append("ip6.arpa.").toString();
  }
}
