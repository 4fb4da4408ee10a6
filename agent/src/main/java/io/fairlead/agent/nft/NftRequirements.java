package io.fairlead.agent.nft;

import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What nftables has to be able to do, in library and kernel, tried without an effect: what is
 * missing is named before anything is programmed.
 */
final class NftRequirements {
  static final String OLDEST = "1.0.6";

  /** A table of that name is never made. */
  private static final String TABLE = "ip fairlead_check";

  private static final String CHAIN =
      "add table %1$s\nadd chain %1$s pre { type nat hook prerouting priority -100; }\nadd chain %1$s post { type nat hook postrouting priority 100; }\n"
          .formatted(TABLE);

  /** nftables, as far as it is needed here. */
  interface Library {
    /**
     * Anything that says the version where it is JSON.
     *
     * @throws GatewayException KNOWN_FAILED
     */
    String list(Format format);

    /**
     * Has kernel and library look at those commands, without doing them.
     *
     * @throws GatewayException KNOWN_FAILED with the words of whoever refuses
     */
    void tryOut(String commands);
  }

  enum Format {
    TEXT,
    JSON
  }

  /**
   * Something that rules need.
   *
   * @param module of the kernel that has it
   */
  private record Feature(String name, String module, String commands) {
    static Feature rule(String name, String module, String chain, String rule) {
      return new Feature(name, module, "add rule " + TABLE + " " + chain + " " + rule + "\n");
    }

    static Feature map(String map, String name, String declaration) {
      return new Feature(
          name, "nf_tables", "add map " + TABLE + " " + map + " { " + declaration + " }\n");
    }
  }

  private static final List<Feature> FEATURES =
      List.of(
          Feature.rule("nat", "nft_chain_nat", "pre", "dnat to 192.0.2.1"),
          Feature.rule(
              "numgen",
              "nft_numgen",
              "pre",
              "dnat to numgen random mod 2 map { 0 : 192.0.2.1, 1 : 192.0.2.2 }"),
          Feature.rule(
              "jhash",
              "nft_hash",
              "pre",
              "dnat to jhash ip saddr mod 2 map { 0 : 192.0.2.1, 1 : 192.0.2.2 }"),
          Feature.rule(
              "reject in prerouting",
              "nft_reject_ipv4",
              "pre",
              "meta l4proto tcp reject with tcp reset"),
          Feature.rule("ct", "nft_ct", "post", "ct status & dnat == dnat accept"),
          Feature.rule("masquerade", "nft_masq", "post", "masquerade fully-random"),
          Feature.map(
              "m_several",
              "maps with several fields",
              "typeof ip daddr . tcp dport . numgen random mod 2 : ip daddr . tcp dport;"),
          Feature.map(
              "m_sctp", "maps of SCTP ports", "typeof ip daddr . sctp dport : meta priority;"),
          Feature.map("m_verdicts", "verdict maps", "typeof meta priority : verdict;"),
          Feature.map(
              "m_filled",
              "maps that rules fill",
              "typeof ip saddr : meta priority; size 1024; flags dynamic,timeout;"));

  private NftRequirements() {}

  /**
   * The library's version.
   *
   * @throws GatewayException KNOWN_FAILED with what is missing and what to do about it
   */
  static String check(Library library) {
    var version = version(library);
    if (Arrays.compare(HostCheck.numbers(version, 3), HostCheck.numbers(OLDEST, 3)) < 0) {
      throw refused(
          "libnftables is version %s, %s or newer is needed: install a newer package nftables"
              .formatted(version, OLDEST),
          null);
    }
    try {
      library.tryOut(CHAIN);
    } catch (GatewayException e) {
      throw refused(
          "the kernel takes no tables: does it have nf_tables (modprobe nf_tables)? "
              + e.getMessage(),
          e);
    }
    try {
      // all at once: the library looks at what there is each time
      library.tryOut(
          CHAIN + FEATURES.stream().map(Feature::commands).collect(Collectors.joining()));
      return version;
    } catch (GatewayException _) {
      // which of them it is comes next
    }
    for (var feature : FEATURES) {
      try {
        library.tryOut(CHAIN + feature.commands());
      } catch (GatewayException e) {
        throw refused(
            "nftables lacks %s: load the kernel module %s (modprobe %s), or install a kernel or a package nftables that has it: %s"
                .formatted(feature.name(), feature.module(), feature.module(), e.getMessage()),
            e);
      }
    }
    return version;
  }

  private static String version(Library library) {
    try {
      var _ = library.list(Format.TEXT);
    } catch (GatewayException e) {
      throw refused(
          "nftables cannot be used; the agent needs root or CAP_NET_ADMIN: " + e.getMessage(), e);
    }
    try {
      var version = LibNft.version(library.list(Format.JSON));
      if (version.isPresent()) {
        return version.get();
      }
    } catch (GatewayException _) {
      // only what is built without it refuses that
    }
    throw refused(
        "libnftables is built without JSON, so that it does not tell its version: install a package nftables that has it (Debian, Ubuntu: libnftables1)",
        null);
  }

  private static GatewayException refused(
      String words, @org.jspecify.annotations.Nullable GatewayException cause) {
    return cause == null
        ? new GatewayException(Outcome.KNOWN_FAILED, words)
        : new GatewayException(Outcome.KNOWN_FAILED, words, cause);
  }
}
