package io.fairlead.cli;

import io.fairlead.core.model.Address;

/**
 * What options name with {@code address[:port]}, an IPv6 address with a port in brackets.
 *
 * @param port 0 = none was named
 */
record AddressAndPort(Address address, int port) {
  static AddressAndPort of(String option, String text) {
    var host = text;
    var port = "";
    int close = text.indexOf(']');
    if (text.startsWith("[") && close > 0) {
      host = text.substring(1, close);
      var rest = text.substring(close + 1);
      if (!rest.isEmpty() && !rest.startsWith(":")) {
        throw wrong(option, text);
      }
      port = rest.isEmpty() ? "" : rest.substring(1);
      if (!rest.isEmpty() && port.isEmpty()) {
        throw wrong(option, text);
      }
    } else if (text.indexOf(':') >= 0 && text.indexOf(':') == text.lastIndexOf(':')) {
      host = text.substring(0, text.indexOf(':'));
      port = text.substring(text.indexOf(':') + 1);
      if (port.isEmpty()) {
        throw wrong(option, text);
      }
    }
    var address = Address.parse(host);
    if (address.isEmpty() || !port.matches("|[1-9][0-9]{0,4}")) {
      throw wrong(option, text);
    }
    int number = port.isEmpty() ? 0 : Integer.parseInt(port);
    if (number > 65_535) {
      throw wrong(option, text);
    }
    return new AddressAndPort(address.get(), number);
  }

  private static UsageException wrong(String option, String text) {
    return new UsageException(
        "error: %s: \"%s\" is no address, with a port (1 to 65535) or without: 10.96.0.10, 10.96.0.10:53, [fd00::a]:53"
            .formatted(option, text));
  }
}
