package io.fairlead.decider;

import io.fairlead.core.decide.ReservedAddress;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.RandomSource;
import java.time.Instant;
import java.util.Map;
import java.util.Set;

/**
 * What a decision may depend on besides image and command.
 *
 * @param actor who asks
 * @param taken addresses that look free in the image but were just refused to this very command by
 *     etcd, with whom they are claimed for: a dynamic pick avoids them, a static one is refused
 * @param reserved likewise, where a reservation has them that this command is not to get them from
 */
public record DecisionContext(
    Instant now,
    RandomSource random,
    String actor,
    Map<Address, ObjectName> taken,
    Map<Address, ReservedAddress> reserved) {
  public DecisionContext {
    taken = Map.copyOf(taken);
    reserved = Map.copyOf(reserved);
  }

  /** Where no reservation was in the way. */
  public DecisionContext(
      Instant now, RandomSource random, String actor, Map<Address, ObjectName> taken) {
    this(now, random, actor, taken, Map.of());
  }

  /** Addresses that must not be picked. */
  public Set<Address> avoid() {
    return taken.keySet();
  }
}
