package io.fairlead.core.record;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What is known about a change besides the object.
 *
 * @param eventId UUIDv7
 * @param accepted when the decider accepted it (its clock; the log's own time is the entry's
 *     timestamp)
 * @param actor who asked, e.g. {@code user:alice}, {@code node:node-a}, {@code service:allocator}
 * @param request the request it answers, where there was one
 * @param cause for people: why it happened where nobody asked, e.g. {@code node lost}
 * @param traceparent W3C trace context
 */
public record Envelope(
    UUID eventId,
    Instant accepted,
    String actor,
    Optional<RequestStamp> request,
    Optional<String> cause,
    Optional<String> traceparent) {
  /**
   * Which request it answers.
   *
   * @param id chosen by the client; the same id again is the same request
   * @param payloadHash hexadecimal SHA-256 over the request without its id
   */
  public record RequestStamp(String id, String payloadHash) {}
}
