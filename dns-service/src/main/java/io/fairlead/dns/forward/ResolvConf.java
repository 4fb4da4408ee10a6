package io.fairlead.dns.forward;

import io.fairlead.core.model.Address;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The {@code nameserver} lines of a file in the form of resolv.conf(5). */
public final class ResolvConf {
  private static final int DNS_PORT = 53;

  /** The resolver's limit (MAXNS). */
  private static final int MOST = 3;

  private ResolvConf() {}

  /**
   * In the order of the file, at most three; lines that name no address are passed over, as the C
   * library does. Empty where there is none.
   *
   * @throws IOException the file cannot be read
   */
  public static List<InetSocketAddress> nameservers(Path file) throws IOException {
    var servers = new ArrayList<InetSocketAddress>();
    for (var line : Files.readAllLines(file)) {
      var words = line.strip().split("\\s+", -1);
      if (words.length >= 2 && words[0].equals("nameserver") && servers.size() < MOST) {
        address(words[1]).ifPresent(a -> servers.add(new InetSocketAddress(a, DNS_PORT)));
      }
    }
    return List.copyOf(servers);
  }

  private static Optional<InetAddress> address(String text) {
    int zone = text.indexOf('%'); // a link-local address names its interface
    var plain = zone < 0 ? text : text.substring(0, zone);
    if (Address.parse(plain).isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.getByName(text)); // a literal: nothing is looked up
    } catch (UnknownHostException _) {
      return Optional.empty(); // the interface does not exist
    }
  }
}
