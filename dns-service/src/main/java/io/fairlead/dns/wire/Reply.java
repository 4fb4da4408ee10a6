package io.fairlead.dns.wire;

/** What to do with a query. */
public sealed interface Reply {
  /** Send these octets. */
  @SuppressWarnings("ArrayRecordComponent") // octets on their way to a socket, never compared
  record Send(byte[] octets) implements Reply {}

  /** Send nothing: an answer would only feed a loop or a reflection. */
  record Drop() implements Reply {}

  /**
   * The answer depends on another server: ask on a thread that may block, by {@link
   * Responder#resolve}.
   */
  record Elsewhere(Pending pending) implements Reply {}
}
