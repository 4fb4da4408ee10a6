package io.fairlead.decider;

import io.fairlead.core.record.Envelope.RequestStamp;
import java.util.Optional;

/**
 * What somebody asks a decider for.
 *
 * @param actor who asks, e.g. {@code user:alice}
 * @param stamp id and hash of the payload; without it the request is not remembered
 * @param traceparent W3C trace context
 * @param cause for people: why it is asked for where nobody asked, e.g. {@code node lost}
 */
public record Request<C>(
    String actor,
    Optional<RequestStamp> stamp,
    C command,
    Optional<String> traceparent,
    Optional<String> cause) {
  /** Without trace context and cause. */
  public static <C> Request<C> of(String actor, RequestStamp stamp, C command) {
    return new Request<>(actor, Optional.of(stamp), command, Optional.empty(), Optional.empty());
  }

  /** By a replica itself; not remembered, so the command must be idempotent. */
  public static <C> Request<C> internal(String actor, C command, String cause) {
    return new Request<>(actor, Optional.empty(), command, Optional.empty(), Optional.of(cause));
  }
}
