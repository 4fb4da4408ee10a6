package io.fairlead.core.decide;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.record.Change;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What a decider wants: changes to the log, claims on addresses, and the reply once all that is
 * done. No changes = the answer writes nothing.
 *
 * @param claims addresses to claim before the changes are appended
 * @param frees addresses to free after the changes are in the log
 * @param hold reservation to claim before the changes are appended
 */
public record Decision<R>(
    List<Change> changes, List<Claim> claims, List<Claim> frees, Optional<Hold> hold, R reply) {
  public Decision {
    changes = List.copyOf(changes);
    claims = List.copyOf(claims);
    frees = List.copyOf(frees);
  }

  /** Without a reservation. */
  public Decision(List<Change> changes, List<Claim> claims, List<Claim> frees, R reply) {
    this(changes, claims, frees, Optional.empty(), reply);
  }

  public static <R> Decision<R> answer(R reply) {
    return new Decision<>(List.of(), List.of(), List.of(), reply);
  }

  public static <R> Decision<R> of(List<Change> changes, R reply) {
    return new Decision<>(changes, List.of(), List.of(), reply);
  }

  /** An address and the Service it is for. */
  public record Claim(Address address, UUID uid, ObjectName service) {}

  /**
   * All addresses of a reservation, under a lease of its own.
   *
   * @param tokenHash what etcd keeps of its token, and only etcd
   */
  public record Hold(Reservation reservation, String tokenHash) {}
}
