package io.fairlead.agent.nft;

import io.fairlead.core.model.Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Understands what libnftables prints: names and fingerprints from its text, elements and versions from its JSON. */
final class Listing {
  private static final Pattern CONTAINER = Pattern.compile("\\t(chain|set|map) (\\S+) \\{");
  private static final Pattern COMMENT = Pattern.compile(" comment \"([0-9a-f]{8})\"$");

  private Listing() {}

  /** Chains with the fingerprints of their rules, and names of sets and maps. */
  record Structure(Map<String, List<String>> chains, Set<String> sets) {}

  /**
   * The structure of a table from {@code list table}, terse. Text, as the JSON of 1.0.6 cannot express rules that update maps
   * and complains to standard error.
   */
  static Structure structure(String text) {
    var chains = new LinkedHashMap<String, List<String>>();
    var sets = new LinkedHashSet<String>();
    List<String> rules = List.of();
    boolean inChain = false;
    for (var line : text.split("\n", -1)) {
      var container = CONTAINER.matcher(line);
      if (container.matches()) {
        inChain = container.group(1).equals("chain");
        if (inChain) {
          rules = new ArrayList<>();
          chains.put(container.group(2), rules);
        } else {
          sets.add(container.group(2));
        }
      } else if (line.equals("\t}")) {
        inChain = false;
      } else if (inChain && !line.startsWith("\t\ttype ") && !line.isBlank()) {
        var comment = COMMENT.matcher(line);
        rules.add(comment.find() ? comment.group(1) : "");
      }
    }
    return new Structure(chains, sets);
  }

  /** Elements of the one set or map in a JSON listing, in the spelling of {@code Elements}. */
  static Map<String, Optional<String>> elements(String json) {
    var elements = new LinkedHashMap<String, Optional<String>>();
    for (var item : items(json)) {
      for (var kind : List.of("set", "map")) {
        if (!(item.get(kind) instanceof Map<?, ?> container) || !(container.get("elem") instanceof List<?> list)) {
          continue;
        }
        boolean interval = container.get("flags") instanceof List<?> flags && flags.contains("interval");
        for (var element : list) {
          if (kind.equals("map") && element instanceof List<?> pair && pair.size() == 2) {
            elements.put(text(pair.get(0)), Optional.of(text(pair.get(1))));
          } else {
            elements.put(interval ? cidr(element) : text(element), Optional.empty());
          }
        }
      }
    }
    return elements;
  }

  /** Version of libnftables, for example {@code 1.0.6}. */
  static Optional<String> version(String json) {
    for (var item : items(json)) {
      if (item.get("metainfo") instanceof Map<?, ?> info && info.get("version") instanceof String version) {
        return Optional.of(version);
      }
    }
    return Optional.empty();
  }

  private static List<Map<?, ?>> items(String json) {
    var items = new ArrayList<Map<?, ?>>();
    if (Json.parse(json) instanceof Map<?, ?> root && root.get("nftables") instanceof List<?> list) {
      for (var item : list) {
        if (item instanceof Map<?, ?> map) {
          items.add(map);
        }
      }
    }
    return items;
  }

  private static String text(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      if (map.get("concat") instanceof List<?> parts) {
        return String.join(" . ", parts.stream().map(Listing::text).toList());
      }
      if (map.get("goto") instanceof Map<?, ?> target) {
        return "goto " + target.get("target");
      }
      if (map.get("elem") instanceof Map<?, ?> element) {
        return text(element.get("val"));
      }
    }
    var text = String.valueOf(value);
    return text.indexOf(':') >= 0 && text.indexOf('.') >= 0 ? mixed(text) : text;
  }

  /** IPv6 with dots at its end, as the C library prints some: in the spelling of {@link Address}. */
  private static String mixed(String text) {
    int colon = text.lastIndexOf(':');
    try {
      var tail = InetAddress.getByName(text.substring(colon + 1)).getAddress();
      return Address.parse(
              text.substring(0, colon + 1)
                  + Integer.toHexString((tail[0] & 0xff) << 8 | tail[1] & 0xff)
                  + ":"
                  + Integer.toHexString((tail[2] & 0xff) << 8 | tail[3] & 0xff))
          .map(Address::toString)
          .orElse(text);
    } catch (UnknownHostException _) {
      return text;
    }
  }

  private static String cidr(@Nullable Object value) {
    if (value instanceof Map<?, ?> map && map.get("prefix") instanceof Map<?, ?> prefix) {
      return text(prefix.get("addr")) + "/" + prefix.get("len");
    }
    var text = text(value);
    return Address.parse(text).map(a -> a + "/" + a.family().bits()).orElse(text);
  }
}
