package io.fairlead.dns.server;

import io.fairlead.dns.wire.Transport;

/**
 * Told of everything that is counted. Called on the hot path: implementations only add to counters.
 */
public interface QueryStats {
  void query(Transport transport);

  /**
   * @param answer whole message; its code is in the fourth octet
   */
  void answer(byte[] answer);

  void dropped();

  void forwarded();

  void failed();

  /** A query met a fault of this server. */
  void fault();

  void refusedConnection();

  /** A connection took too long over something. */
  void expiredConnection();
}
