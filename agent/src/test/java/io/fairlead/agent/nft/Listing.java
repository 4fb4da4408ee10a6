package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Understands what nft prints for our own table: names, fingerprints of rules, elements. A second
 * reader beside the production one, for tests. Text, as nft's JSON cannot express rules that update
 * maps.
 */
final class Listing {
  private static final Pattern CONTAINER = Pattern.compile("\\t(chain|set|map) (\\S+) \\{");
  private static final Pattern COMMENT = Pattern.compile(" comment \"([0-9a-f]{8})\"$");
  private static final String ELEMENTS = "elements = {";

  private final Map<String, List<String>> chains = new LinkedHashMap<>();
  private final Map<String, Map<String, Optional<String>>> sets = new LinkedHashMap<>();
  private Container container = new Container.Outside();

  /** Where a line stands. */
  private sealed interface Container {
    record Outside() implements Container {}

    record Chain(List<String> rules) implements Container {}

    record Elements(boolean kept, boolean intervals, Map<String, Optional<String>> elements)
        implements Container {}
  }

  private Listing() {}

  /** A listing of one table. */
  static TableContents contents(String text) {
    var listing = new Listing();
    text.lines().forEach(listing::line);
    return new TableContents(listing.chains, listing.sets);
  }

  private void line(String line) {
    if (!line.startsWith("\t\t")) { // nearly all lines are elements
      boundary(line);
      return;
    }
    switch (container) {
      case Container.Outside() -> {}
      case Container.Chain(var rules) -> {
        if (!line.isBlank() && !line.startsWith("\t\ttype ")) {
          var comment = COMMENT.matcher(line);
          rules.add(comment.find() ? comment.group(1) : "");
        }
      }
      case Container.Elements(var kept, var intervals, var elements) -> {
        var trimmed = line.strip();
        if (trimmed.startsWith("flags ")) {
          container = new Container.Elements(kept, trimmed.contains("interval"), elements);
        } else if (kept && (trimmed.startsWith(ELEMENTS) || line.startsWith("\t\t\t"))) {
          elements(trimmed, intervals, elements);
        }
      }
    }
  }

  private void boundary(String line) {
    var opening = CONTAINER.matcher(line);
    if (!opening.matches()) {
      container = new Container.Outside();
    } else if (opening.group(1).equals("chain")) {
      var rules = new ArrayList<String>();
      chains.put(opening.group(2), rules);
      container = new Container.Chain(rules);
    } else {
      var elements = new HashMap<String, Optional<String>>();
      sets.put(opening.group(2), elements);
      container = new Container.Elements(!Elements.isAffinity(opening.group(2)), false, elements);
    }
  }

  /** A line of elements: {@code elements = { a, b,}, {@code c : d }} and alike. */
  private static void elements(
      String line, boolean intervals, Map<String, Optional<String>> elements) {
    int from = line.startsWith(ELEMENTS) ? ELEMENTS.length() : 0;
    int to = line.endsWith("}") ? line.length() - 1 : line.length();
    for (int start = from; start < to; ) {
      int comma = line.indexOf(',', start);
      int end = comma < 0 || comma > to ? to : comma;
      var text = line.substring(start, end).strip();
      start = end + 1;
      if (text.isEmpty()) {
        continue;
      }
      int colon = text.indexOf(" : ");
      if (colon < 0) {
        elements.put(intervals ? cidr(text) : canonical(text), Optional.empty());
      } else {
        elements.put(
            canonical(text.substring(0, colon)), Optional.of(canonical(text.substring(colon + 3))));
      }
    }
  }

  /** In the spelling of {@link Elements}: numbers decimal, IPv6 without dots. */
  private static String canonical(String text) {
    if (text.startsWith("0x")) {
      return Long.toString(Long.parseLong(text.substring(2), 16));
    }
    if (text.indexOf(':') < 0 || text.indexOf('.') < 0) {
      return text;
    }
    var parts = text.split(" \\. ", -1);
    for (int i = 0; i < parts.length; i++) {
      parts[i] =
          parts[i].indexOf(':') >= 0 && parts[i].indexOf('.') >= 0 ? mixed(parts[i]) : parts[i];
    }
    return String.join(" . ", parts);
  }

  /** IPv6 with dots at its end, as the C library prints some. */
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

  private static String cidr(String text) {
    int slash = text.indexOf('/');
    if (slash >= 0) {
      return canonical(text.substring(0, slash)) + text.substring(slash);
    }
    return Address.parse(canonical(text)).map(a -> a + "/" + a.family().bits()).orElse(text);
  }
}
