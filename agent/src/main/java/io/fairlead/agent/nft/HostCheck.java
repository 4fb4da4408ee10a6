package io.fairlead.agent.nft;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.run.GatewayException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What of a host keeps packets from where rules send them, or will. Nothing is changed: settings
 * and routes belong to whoever runs the host. Looks at the network namespace of the calling thread.
 */
public final class HostCheck {
  /** As far as nftables and the kernel are described, older ones lack something. */
  private static final String OLDEST_KERNEL = "5.13";

  /** From then on packets that are out of the window are no reason to reset a connection. */
  private static final String LIBERAL_KERNEL = "6.1";

  /** What kube-proxy sets at least. */
  private static final long FEW_FLOWS = 131_072;

  private static final int NEARLY_FULL_PERCENT = 80;

  private final Path settings;
  private final Path net;
  private final Optional<Path> devices;

  /** How bad it is. */
  public enum Level {
    OK,
    /** Something does not work, or will not at some time. */
    WARNING,
    /** Services do not work. */
    ERROR
  }

  /**
   * What was found.
   *
   * @param what was looked at, e.g. a setting
   * @param words how it is, and what that leads to
   * @param remedy what to do, mostly a command; empty where there is nothing
   */
  public record Finding(Level level, String what, String words, Optional<String> remedy) {
    static Finding ok(String what, String words) {
      return new Finding(Level.OK, what, words, Optional.empty());
    }

    static Finding warning(String what, String words, String remedy) {
      return new Finding(Level.WARNING, what, words, Optional.of(remedy));
    }

    static Finding error(String what, String words, String remedy) {
      return new Finding(Level.ERROR, what, words, Optional.of(remedy));
    }

    @Override
    public String toString() {
      return what + ": " + words + remedy.map(r -> "; " + r).orElse("");
    }
  }

  /**
   * What is to be reached.
   *
   * @param services ranges of ClusterIPs
   * @param pods ranges of all Pods, this node's own among them
   */
  public record Ranges(Set<Cidr> services, Set<Cidr> pods) {
    public Ranges {
      services = Set.copyOf(services);
      pods = Set.copyOf(pods);
    }

    /** Empty where nothing is named. */
    Set<Family> families() {
      var families = EnumSet.noneOf(Family.class);
      services.forEach(cidr -> families.add(cidr.family()));
      pods.forEach(cidr -> families.add(cidr.family()));
      return families;
    }
  }

  HostCheck(Path settings, Path net, Optional<Path> devices) {
    this.settings = settings;
    this.net = net;
    this.devices = devices;
  }

  /**
   * Of this host.
   *
   * @param process whether the calling thread is in the network namespace of its process: else
   *     there is no telling which devices there are
   */
  static HostCheck here(boolean process) {
    return new HostCheck(
        Path.of("/proc/sys"),
        Path.of("/proc/thread-self/net"), // /proc/net is the first thread's
        process ? Optional.of(Path.of("/sys/class/net")) : Optional.empty());
  }

  /** Everything, nftables too, from the calling thread; needs no agent, and changes nothing. */
  public static List<Finding> all(Ranges ranges) {
    var findings = new ArrayList<Finding>();
    findings.add(nftables());
    findings.addAll(here(true).look(ranges));
    return findings;
  }

  private static Finding nftables() {
    try (var nft = LibNft.open()) {
      return Finding.ok(
          "nftables", "libnftables " + nft.version() + ", with everything that is needed");
    } catch (GatewayException e) {
      return new Finding(Level.ERROR, "nftables", String.valueOf(e.getMessage()), Optional.empty());
    } catch (RuntimeException | LinkageError e) { // a library of another make
      return new Finding(Level.ERROR, "nftables", e.toString(), Optional.empty());
    }
  }

  /** Everything but nftables, in the order in which a person would put it right. */
  List<Finding> look(Ranges ranges) {
    var findings = new ArrayList<Finding>();
    kernel(findings);
    for (var family : ranges.families()) {
      forwarding(family, findings);
      bridges(family, findings);
    }
    conntrack(findings);
    routes(ranges, findings);
    return findings;
  }

  private void kernel(List<Finding> findings) {
    read(settings.resolve("kernel/osrelease"))
        .ifPresent(release ->
            findings.add(
                older(release, OLDEST_KERNEL)
                    ? Finding.error(
                        "kernel",
                        release + " is too old: rules need " + OLDEST_KERNEL + " or newer",
                        "install a newer kernel")
                    : Finding.ok("kernel", release)));
  }

  private void forwarding(Family family, List<Finding> findings) {
    var name =
        switch (family) {
          case IPV4 -> "net.ipv4.ip_forward";
          case IPV6 -> "net.ipv6.conf.all.forwarding";
        };
    setting(name)
        .ifPresent(value ->
            findings.add(
                value.equals("0")
                    ? Finding.error(
                        name,
                        "is 0: connections of Pods to endpoints on other machines are not forwarded",
                        set(name, "1"))
                    : Finding.ok(name, "is " + value)));
  }

  /** Where client and endpoint are on one bridge, answers must not go past the translation. */
  private void bridges(Family family, List<Finding> findings) {
    var name =
        switch (family) {
          case IPV4 -> "net.bridge.bridge-nf-call-iptables";
          case IPV6 -> "net.bridge.bridge-nf-call-ip6tables";
        };
    var value = setting(name);
    var bridges = bridges();
    if (value.equals(Optional.of("0"))) {
      findings.add(
          Finding.warning(
              name,
              "is 0: where a client and its endpoint are on one bridge, answers go past the translation, and the client drops them",
              set(name, "1")));
    } else if (value.isPresent()) {
      findings.add(Finding.ok(name, "is " + value.get()));
    } else if (!bridges.isEmpty() && family == Family.IPV4) {
      findings.add(
          Finding.warning(
              "br_netfilter",
              "is not loaded, and there are bridges ("
                  + String.join(", ", bridges)
                  + "): where a client and its endpoint are on one of them, answers go past the translation, and the client drops them",
              "modprobe br_netfilter, and for good a line br_netfilter in /etc/modules-load.d/fairlead.conf"));
    }
  }

  private Set<String> bridges() {
    var names = new TreeSet<String>();
    devices.ifPresent(directory -> {
      try (var all = Files.newDirectoryStream(directory)) {
        for (var device : all) {
          if (Files.isDirectory(device.resolve("bridge"))) {
            names.add(String.valueOf(device.getFileName()));
          }
        }
      } catch (IOException _) {
        // no right to look: nothing to say about it
      }
    });
    return names;
  }

  private void conntrack(List<Finding> findings) {
    var most = number("net.netfilter.nf_conntrack_max");
    if (most.isEmpty()) {
      findings.add(
          Finding.ok("conntrack", "is not loaded yet; the agent loads it, look again then"));
      return;
    }
    long count = number("net.netfilter.nf_conntrack_count").orElse(0L);
    var name = "net.netfilter.nf_conntrack_max";
    if (most.get() == 0) {
      findings.add(Finding.ok(name, "is 0: there is no limit"));
    } else if (count * 100 >= most.get() * NEARLY_FULL_PERCENT) {
      findings.add(
          Finding.error(
              name,
              "is %d, and there are %d connections: when it is full, new ones are dropped"
                  .formatted(most.get(), count),
              set(name, Long.toString(Math.max(FEW_FLOWS, 2 * most.get())))));
    } else if (most.get() < FEW_FLOWS) {
      findings.add(
          Finding.warning(
              name,
              "is %d: when so many connections are remembered, new ones are dropped"
                  .formatted(most.get()),
              set(name, Long.toString(FEW_FLOWS))));
    } else {
      findings.add(Finding.ok(name, "is %d, %d in use".formatted(most.get(), count)));
    }
    liberal(findings);
    loose(findings);
  }

  private void liberal(List<Finding> findings) {
    var name = "net.netfilter.nf_conntrack_tcp_be_liberal";
    boolean old =
        read(settings.resolve("kernel/osrelease"))
            .filter(r -> older(r, LIBERAL_KERNEL))
            .isPresent();
    setting(name)
        .ifPresent(value ->
            findings.add(
                value.equals("0") && old
                    ? Finding.warning(
                        name,
                        "is 0 on a kernel older than "
                            + LIBERAL_KERNEL
                            + ": packets out of the window get connections reset by peer",
                        set(name, "1"))
                    : Finding.ok(name, "is " + value)));
  }

  private void loose(List<Finding> findings) {
    var name = "net.netfilter.nf_conntrack_tcp_loose";
    setting(name)
        .ifPresent(value ->
            findings.add(
                value.equals("0")
                    ? Finding.warning(
                        name,
                        "is 0: open connections that conntrack does not know, as after its table was full, are not taken up again",
                        set(name, "1"))
                    : Finding.ok(name, "is " + value)));
  }

  private void routes(Ranges ranges, List<Finding> findings) {
    for (var cidr : new TreeSet<>(ranges.services())) {
      findings.add(
          routed(cidr)
              ? Finding.ok("route for " + cidr, "there is one")
              : Finding.warning(
                  "route for " + cidr,
                  "there is none: processes of this host get \"network unreachable\" for ClusterIPs, whatever the rules say; Pods do not need it",
                  "add a default route, or ip route add "
                      + cidr
                      + " dev DEVICE, to a device other than lo"));
    }
    for (var cidr : new TreeSet<>(ranges.pods())) {
      findings.add(
          routed(cidr) || partlyRouted(cidr)
              ? Finding.ok("route for " + cidr, "there is one, or there are some within it")
              : Finding.warning(
                  "route for " + cidr,
                  "there is none: endpoints on other nodes are not reached",
                  "add routes to the other nodes' Pods: ip route add CIDR via NODE"));
    }
  }

  private static String set(String setting, String value) {
    return "sysctl -w "
        + setting
        + "="
        + value
        + ", and for good a line "
        + setting
        + " = "
        + value
        + " in /etc/sysctl.d/90-fairlead.conf";
  }

  private Optional<Long> number(String name) {
    return setting(name).filter(value -> value.matches("[0-9]{1,18}")).map(Long::parseLong);
  }

  private Optional<String> setting(String name) {
    return read(settings.resolve(name.replace('.', '/')));
  }

  /** By numbers, as far as both have any. */
  private static boolean older(String release, String than) {
    return Arrays.compare(numbers(release, 2), numbers(than, 2)) < 0;
  }

  /** Its first numbers: of {@code 6.1.0-13-amd64}, 6 and 1. */
  static int[] numbers(String version, int most) {
    return Arrays.stream(version.split("[^0-9]+"))
        .filter(part -> !part.isEmpty() && part.length() < 10)
        .limit(most)
        .mapToInt(Integer::parseInt)
        .toArray();
  }

  private boolean routed(Cidr cidr) {
    return routes(cidr.family())
        .map(routes ->
            routes.stream()
                .anyMatch(route -> route.prefix() <= cidr.prefix() && route.contains(cidr.base())))
        .orElse(true);
  }

  private boolean partlyRouted(Cidr cidr) {
    return routes(cidr.family())
        .filter(routes -> routes.stream().anyMatch(route -> cidr.contains(route.base())))
        .isPresent();
  }

  /** Empty where there is no telling. */
  private Optional<List<Cidr>> routes(Family family) {
    return switch (family) {
      case IPV4 -> read(net.resolve("route")).map(HostCheck::routesV4);
      case IPV6 -> read(net.resolve("ipv6_route")).map(HostCheck::routesV6);
    };
  }

  /**
   * Lines of {@code Iface Destination Gateway Flags ... Mask ...}, numbers hexadecimal in the
   * host's byte order. Those to lo lead nowhere.
   */
  private static List<Cidr> routesV4(String table) {
    return table
        .lines()
        .skip(1)
        .map(line -> line.strip().split("\\s+", -1))
        .filter(columns -> columns.length > 7 && !columns[0].equals("lo"))
        .map(columns ->
            new Cidr(
                Address.ofBytes(swapped(columns[1])),
                Integer.bitCount(Integer.parseUnsignedInt(columns[7], 16))))
        .toList();
  }

  /**
   * Lines of {@code destination prefix source ... device}, all hexadecimal; the kernel lists an
   * unreachable default on lo.
   */
  private static List<Cidr> routesV6(String table) {
    return table
        .lines()
        .map(line -> line.strip().split("\\s+", -1))
        .filter(columns -> columns.length > 9 && !columns[9].equals("lo"))
        .flatMap(columns ->
            Address.ofHex(columns[0])
                .map(base -> new Cidr(base, Integer.parseInt(columns[1], 16)))
                .stream())
        .toList();
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
      return Optional.of(Files.readString(file, StandardCharsets.US_ASCII).strip());
    } catch (
        IOException
            _) { // no such feature in this kernel, or no right to look: nothing to say about it
      return Optional.empty();
    }
  }
}
