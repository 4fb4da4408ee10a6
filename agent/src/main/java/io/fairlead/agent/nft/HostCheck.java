package io.fairlead.agent.nft;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What of the host's settings keeps packets from where the rules send them. Nothing is changed:
 * forwarding and routes belong to whoever runs the host. Looks at the network namespace of the
 * calling thread.
 */
final class HostCheck {
  private static final Path SETTINGS = Path.of("/proc/sys/net");
  private static final Path ROUTES =
      Path.of("/proc/thread-self/net"); // /proc/net is the first thread's

  private HostCheck() {}

  /**
   * What a person should look at, each with what to do; empty where nothing is known to be wrong.
   */
  static List<String> advice(Collection<Cidr> serviceCidrs, Collection<Family> families) {
    var advice = new ArrayList<String>();
    for (var family : families) {
      var forwarding =
          switch (family) {
            case IPV4 -> "ipv4/ip_forward";
            case IPV6 -> "ipv6/conf/all/forwarding";
          };
      if (setting(forwarding).equals(Optional.of("0"))) {
        advice.add(
            "net."
                + forwarding.replace('/', '.')
                + " is 0: connections of Pods to endpoints on other machines are not forwarded; set it to 1");
      }
      var bridged =
          switch (family) {
            case IPV4 -> "bridge/bridge-nf-call-iptables";
            case IPV6 -> "bridge/bridge-nf-call-ip6tables";
          };
      if (setting(bridged).equals(Optional.of("0"))) {
        advice.add(
            "net."
                + bridged.replace('/', '.')
                + " is 0: where a client and its endpoint are on one bridge, answers go past the translation; set it to 1");
      }
    }
    for (var cidr : serviceCidrs) {
      if (families.contains(cidr.family()) && !routed(cidr)) {
        advice.add(
            "no route covers "
                + cidr
                + ": processes of this host get \"network unreachable\" for ClusterIPs; add a default route or one for it,"
                + " to a device other than lo");
      }
    }
    return advice;
  }

  private static Optional<String> setting(String name) {
    return read(SETTINGS.resolve(name)).map(String::strip);
  }

  private static boolean routed(Cidr cidr) {
    return switch (cidr.family()) {
      case IPV4 -> read(ROUTES.resolve("route")).map(t -> routedV4(cidr, t)).orElse(true);
      case IPV6 -> read(ROUTES.resolve("ipv6_route")).map(t -> routedV6(cidr, t)).orElse(true);
    };
  }

  /**
   * Lines of {@code Iface Destination Gateway Flags ... Mask ...}, numbers hexadecimal in the
   * host's byte order.
   */
  static boolean routedV4(Cidr cidr, String table) {
    return table
        .lines()
        .skip(1)
        .map(line -> line.strip().split("\\s+", -1))
        .filter(columns -> columns.length > 7 && !columns[0].equals("lo"))
        .anyMatch(columns -> {
          int prefix = Integer.bitCount(Integer.parseUnsignedInt(columns[7], 16));
          var base = Address.ofBytes(swapped(columns[1]));
          return prefix <= cidr.prefix() && new Cidr(base, prefix).contains(cidr.base());
        });
  }

  /**
   * Lines of {@code destination prefix source ... device}, all hexadecimal; the kernel lists an
   * unreachable default on lo.
   */
  static boolean routedV6(Cidr cidr, String table) {
    return table
        .lines()
        .map(line -> line.strip().split("\\s+", -1))
        .filter(columns -> columns.length > 9 && !columns[9].equals("lo"))
        .anyMatch(columns -> {
          int prefix = Integer.parseInt(columns[1], 16);
          var base = Address.ofHex(columns[0]);
          return prefix <= cidr.prefix()
              && base.isPresent()
              && new Cidr(base.get(), prefix).contains(cidr.base());
        });
  }

  private static byte[] swapped(String hex) {
    var bytes = HexFormat.of().parseHex(hex);
    for (int i = 0;
        java.nio.ByteOrder.nativeOrder() == java.nio.ByteOrder.LITTLE_ENDIAN && i < 2;
        i++) {
      byte b = bytes[i];
      bytes[i] = bytes[3 - i];
      bytes[3 - i] = b;
    }
    return bytes;
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file, StandardCharsets.US_ASCII));
    } catch (
        IOException
            _) { // no such feature in this kernel, or no right to look: nothing to say about it
      return Optional.empty();
    }
  }
}
