package io.fairlead.dns.server;

import java.time.Duration;

/**
 * What clients by TCP may take.
 *
 * @param connections at one time; one more is closed at once
 * @param perClient of them, from one address
 * @param idle after which a connection without a query is closed
 * @param message for one query to come, from its first octet to its last
 * @param write for one answer to be taken
 */
public record TcpLimits(
    int connections, int perClient, Duration idle, Duration message, Duration write) {
  /** As RFC 7766 6.2.3 leaves it to the server; a client that keeps to the protocol meets none. */
  public static final TcpLimits DEFAULT =
      new TcpLimits(
          1_000, 100, Duration.ofSeconds(10), Duration.ofSeconds(5), Duration.ofSeconds(5));

  public TcpLimits {
    if (connections < 1 || perClient < 1) {
      throw new IllegalArgumentException("at least one connection must be allowed");
    }
    if (!idle.isPositive() || !message.isPositive() || !write.isPositive()) {
      throw new IllegalArgumentException("limits of time must be positive");
    }
  }
}
