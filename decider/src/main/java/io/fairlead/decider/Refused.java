package io.fairlead.decider;

import io.fairlead.etcd.Coordination.Owner;
import java.util.Optional;

/** Why nothing was done, for whatever kind of request. */
sealed interface Refused {
  /**
   * Somebody else decides, or nobody.
   *
   * @param revision of the key that is known not to hold any more; whoever waits, waits for another
   */
  record NotOwner(Optional<Owner> owner, long revision) implements Refused {}

  /** It cannot be done now. */
  record Unavailable(Answer.Reason reason, String message) implements Refused {}

  static Refused because(Answer.Reason reason, String message) {
    return new Unavailable(reason, message);
  }

  default <T> Answer<T> answer() {
    return switch (this) {
      case NotOwner(var owner, long revision) -> new Answer.NotOwner<>(owner, revision);
      case Unavailable(var reason, var message) -> new Answer.Unavailable<>(reason, message);
    };
  }
}
