package io.fairlead.devkit.fabric;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * A range of IPv4 addresses. Text form {@code 10.244.0.0/16}.
 *
 * @param base first address as a number, host bits zero
 * @param prefix bits of the network part, 8 to 32
 */
public record Ipv4Network(int base, int prefix) {
  public Ipv4Network {
    if (prefix < 8 || prefix > 32) {
      throw new IllegalArgumentException("prefix length " + prefix + ": allowed are 8 to 32");
    }
    if ((base & ~mask(prefix)) != 0) {
      throw new IllegalArgumentException(
          "%s/%d: bits of the host part are set".formatted(text(base), prefix));
    }
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException when it is none
   */
  public static Ipv4Network parse(String text) {
    var slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("'" + text + "': a prefix length is missing, as in /16");
    }
    try {
      if (InetAddress.ofLiteral(text.substring(0, slash)) instanceof Inet4Address address) {
        return new Ipv4Network(
            ByteBuffer.wrap(address.getAddress()).getInt(),
            Integer.parseInt(text.substring(slash + 1)));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "': the prefix length is no number", e);
    }
    throw new IllegalArgumentException("'" + text + "' is not IPv4");
  }

  /**
   * One address of it, counted from the first, which is 0.
   *
   * @throws IllegalArgumentException when it has fewer
   */
  public String address(int index) {
    if (index < 0 || index >= size()) {
      throw new IllegalArgumentException(this + " has no address number " + index);
    }
    return text(base + index);
  }

  /**
   * One of the equal parts that it has with a longer prefix, counted from 0.
   *
   * @throws IllegalArgumentException when it has fewer
   */
  public Ipv4Network part(int longerPrefix, int index) {
    if (longerPrefix < prefix || index < 0 || index >= 1L << (longerPrefix - prefix)) {
      throw new IllegalArgumentException(this + " has no /" + longerPrefix + " number " + index);
    }
    return new Ipv4Network(base + (int) ((long) index << (32 - longerPrefix)), longerPrefix);
  }

  public long size() {
    return 1L << (32 - prefix);
  }

  private static int mask(int prefix) {
    return (int) (-1L << (32 - prefix));
  }

  private static String text(int address) {
    return "%d.%d.%d.%d"
        .formatted(address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff);
  }

  @Override
  public String toString() {
    return text(base) + "/" + prefix;
  }
}
