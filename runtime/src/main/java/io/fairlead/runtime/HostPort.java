package io.fairlead.runtime;

import io.fairlead.core.model.Address;
import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * Where something listens or is reached; text form {@code host:port}, IPv6 addresses in brackets.
 *
 * @param host a name or an address without brackets; "" = every address of this machine (only where
 *     one listens)
 * @param port 0..65535; 0 = any free one (only where one listens)
 */
public record HostPort(String host, int port) {
  public HostPort {
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port " + port + " is not within 0..65535");
    }
  }

  /** The inverse of {@link #toString}, or empty; {@code :7401} has host "". */
  public static Optional<HostPort> parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
      return Optional.empty();
    }
    int port = Integer.parseInt(text.substring(colon + 1));
    var host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
      if (host.indexOf(':') < 0 || Address.parse(host).isEmpty()) {
        return Optional.empty();
      }
    } else if (!host.matches("[A-Za-z0-9._-]*")) { // an IPv6 address without brackets is ambiguous
      return Optional.empty();
    }
    return port > 65535 ? Optional.empty() : Optional.of(new HostPort(host, port));
  }

  /** As {@link #parse}, for literals and values that were checked before. */
  public static HostPort of(String text) {
    return parse(text).orElseThrow(() -> new IllegalArgumentException("not host:port: " + text));
  }

  public HostPort withPort(int other) {
    return new HostPort(host, other);
  }

  /** To bind to. Looks the host up: may block. */
  public InetSocketAddress bindAddress() {
    return host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
