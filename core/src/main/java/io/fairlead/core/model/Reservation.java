package io.fairlead.core.model;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;

/**
 * Addresses that are held for a Service of that name until it exists, or until a lease in etcd runs
 * out. The log says who asked and how it ended; whether it still lives, and until when, etcd alone
 * knows: renewals leave no record.
 *
 * @param uid also its name
 * @param created when it was decided
 * @param holder the Service that may have the addresses; it need not exist
 * @param addresses in the order in which they were asked for; at least one, all different
 * @param ttl how long it lives after it was made or renewed
 */
public record Reservation(
    UUID uid, Instant created, ObjectName holder, List<Address> addresses, Duration ttl)
    implements DomainObject {
  public Reservation {
    addresses = List.copyOf(addresses);
    if (addresses.isEmpty() || new HashSet<>(addresses).size() != addresses.size()) {
      throw new IllegalArgumentException("addresses of a reservation: " + addresses);
    }
    if (!ttl.isPositive()) {
      throw new IllegalArgumentException("ttl of a reservation: " + ttl);
    }
  }

  @Override
  public ObjectKey key() {
    return key(uid);
  }

  /** The key of the reservation with that id. */
  public static ObjectKey key(UUID uid) {
    return ObjectKey.ofCluster(Kind.RESERVATION, uid.toString());
  }
}
