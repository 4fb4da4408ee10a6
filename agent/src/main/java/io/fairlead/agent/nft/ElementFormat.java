package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Elements;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How keys and values of one of our sets lie in the kernel's registers, and how {@link Elements}
 * spells them. Parts begin at multiples of four bytes; what packets carry is in their byte order,
 * numbers are in the host's.
 */
record ElementFormat(List<Part> key, List<Part> value) {
  private static final ElementFormat PROGRAMS = new ElementFormat(List.of(Part.HANDLE), List.of());
  private static final Map<String, ElementFormat> BY_SET = bySet();
  private static final String SEPARATOR = " . ";

  ElementFormat {
    key = List.copyOf(key);
    value = List.copyOf(value);
  }

  /** One part of a concatenation. */
  enum Part {
    ADDRESS,
    PORT,
    /** In decimal. */
    NUMBER,
    /** As {@link Elements#number} spells it. */
    HANDLE
  }

  private static Map<String, ElementFormat> bySet() {
    var formats = new HashMap<String, ElementFormat>();
    formats.put(Elements.POSITION, new ElementFormat(List.of(Part.NUMBER), List.of(Part.NUMBER)));
    formats.put(Elements.VIPS, new ElementFormat(List.of(Part.ADDRESS), List.of()));
    formats.put(
        Elements.HAIRPIN, new ElementFormat(List.of(Part.ADDRESS, Part.ADDRESS), List.of()));
    formats.put(Elements.PROGRAMS, PROGRAMS);
    var frontend = List.of(Part.ADDRESS, Part.PORT);
    var slot = List.of(Part.ADDRESS, Part.PORT, Part.NUMBER);
    for (var protocol : Protocol.values()) {
      formats.put(Elements.services(protocol), new ElementFormat(frontend, List.of(Part.HANDLE)));
      formats.put(Elements.endpoints(protocol), new ElementFormat(slot, frontend));
      formats.put(Elements.choices(protocol), new ElementFormat(slot, List.of(Part.HANDLE)));
      formats.put(
          Elements.ids(protocol),
          new ElementFormat(List.of(Part.ADDRESS, Part.PORT, Part.HANDLE), frontend));
    }
    return Map.copyOf(formats);
  }

  /** Of that set; empty for sets of blocks, and those that the kernel fills. */
  static Optional<ElementFormat> of(String set) {
    return Optional.ofNullable(BY_SET.get(set));
  }

  /** Whether its values are verdicts. */
  boolean leadsToChains() {
    return equals(PROGRAMS);
  }

  void putKey(ByteBuffer out, String text, Family family) {
    put(out, key, text, family);
  }

  void putValue(ByteBuffer out, String text, Family family) {
    put(out, value, text, family);
  }

  String readKey(ByteBuffer in, Family family) {
    return text(in, key, family);
  }

  String readValue(ByteBuffer in, Family family) {
    return text(in, value, family);
  }

  private static void put(ByteBuffer out, List<Part> parts, String text, Family family) {
    int from = 0;
    for (var part : parts) {
      int end = text.indexOf(SEPARATOR, from);
      var word = end < 0 ? text.substring(from) : text.substring(from, end);
      from = end < 0 ? text.length() : end + SEPARATOR.length();
      switch (part) {
        case ADDRESS -> {
          var address = Address.of(word);
          if (address.family() != family) {
            throw new IllegalArgumentException(address + " is not " + family);
          }
          out.put(address.bytes());
        }
        case PORT -> {
          int port = Integer.parseInt(word);
          out.put((byte) (port >> 8)).put((byte) port).putShort((short) 0);
        }
        case NUMBER -> out.putInt(Integer.parseUnsignedInt(word));
        case HANDLE -> out.putInt(Elements.parseNumber(word).orElseThrow());
      }
    }
  }

  private static String text(ByteBuffer bytes, List<Part> parts, Family family) {
    var in = bytes.order(ByteOrder.nativeOrder());
    var words = new ArrayList<String>(parts.size());
    for (var part : parts) {
      switch (part) {
        case ADDRESS -> {
          var address = new byte[family.bits() / 8];
          in.get(address);
          words.add(Address.ofBytes(address).toString());
        }
        case PORT -> {
          words.add(Integer.toString((in.get() & 0xff) << 8 | in.get() & 0xff));
          if (in.remaining() >= 2) {
            in.getShort();
          }
        }
        case NUMBER -> words.add(Integer.toUnsignedString(in.getInt()));
        case HANDLE -> words.add(Elements.number(in.getInt()));
      }
    }
    return String.join(SEPARATOR, words);
  }
}
