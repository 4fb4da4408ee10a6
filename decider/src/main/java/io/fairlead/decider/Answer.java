package io.fairlead.decider;

import io.fairlead.core.decide.Refusal;
import io.fairlead.core.model.Position;
import io.fairlead.etcd.Coordination.Owner;
import java.util.Optional;

/** What comes of a request. */
public sealed interface Answer<R> {
  /**
   * Decided, and in the log where it changed something; refusals are replies too.
   *
   * @param position covers the records of the reply; where it wrote none, what it was decided on
   */
  record Decided<R>(R reply, Position position) implements Answer<R> {}

  /**
   * Somebody else decides for that partition. Nothing happened.
   *
   * @param owner who, as far as known here
   * @param revision of the ownership key that was seen; 0 where there was none
   */
  record NotOwner<R>(Optional<Owner> owner, long revision) implements Answer<R> {}

  /**
   * The same actor used the request id for something else within the last hour. Nothing happened.
   */
  record PayloadDiffers<R>(String requestId) implements Answer<R> {}

  /**
   * What was decided cannot be stored, whoever asks: an object is too large, or of a kind that the
   * log may not hold yet. Nothing happened.
   */
  record Invalid<R>(Refusal refusal) implements Answer<R> {}

  /** It cannot be answered now. */
  record Unavailable<R>(Reason reason, String message) implements Answer<R> {}

  /** Why not. */
  enum Reason {
    /** It may be in the log: ask again with the same request id. */
    OUTCOME_UNKNOWN,
    /**
     * etcd is away, and the request needs a claim or a confirmation of who owns. Nothing happened.
     */
    ETCD_UNAVAILABLE,
    /** Kafka is away. Nothing happened. */
    LOG_UNAVAILABLE,
    /** Too many requests wait already. Nothing happened. */
    OVERLOADED,
    /** The replica is being shut down. Nothing happened. */
    CLOSING
  }
}
