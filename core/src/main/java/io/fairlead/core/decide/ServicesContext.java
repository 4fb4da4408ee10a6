package io.fairlead.core.decide;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.RandomSource;
import java.time.Instant;
import java.util.Map;
import java.util.Set;

/**
 * What a decision on Services depends on besides image and command.
 *
 * @param now becomes the time of creation
 * @param avoid addresses that a claim just lost: others are picked
 * @param taken addresses that somebody claimed without being in the image, with whom they are for
 * @param reserved addresses that etcd holds for the Service of another name, as it just said
 * @param freshlyFreed addresses that were freed lately, iterated oldest first; picked last
 */
public record ServicesContext(
    Instant now,
    RandomSource random,
    Set<Address> avoid,
    Map<Address, ObjectName> taken,
    Map<Address, ReservedAddress> reserved,
    Set<Address> freshlyFreed,
    ServiceSettings settings) {
  /** Where etcd told of no reservation. */
  public ServicesContext(
      Instant now,
      RandomSource random,
      Set<Address> avoid,
      Map<Address, ObjectName> taken,
      Set<Address> freshlyFreed,
      ServiceSettings settings) {
    this(now, random, avoid, taken, Map.of(), freshlyFreed, settings);
  }
}
