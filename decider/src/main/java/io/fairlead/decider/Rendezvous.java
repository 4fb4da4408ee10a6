package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/**
 * Highest random weight: each replica has a weight for each partition, the highest owns. All who
 * see the same members agree, and a member that comes or goes moves only its own share.
 */
final class Rendezvous {
  private Rendezvous() {}

  static Optional<String> owner(
      String service, LogPartition partition, Collection<String> replicas) {
    return replicas.stream()
        .max(
            Comparator.comparingLong((String replica) -> weight(service, partition, replica))
                .thenComparing(Comparator.naturalOrder()));
  }

  private static long weight(String service, LogPartition partition, String replica) {
    long hash = 0xcbf29ce484222325L; // FNV-1a
    for (byte b : (service + ' ' + partition + ' ' + replica).getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    // FNV's high bits hardly depend on the last bytes; this mixes them in (SplitMix64)
    hash = (hash ^ hash >>> 30) * 0xbf58476d1ce4e5b9L;
    hash = (hash ^ hash >>> 27) * 0x94d049bb133111ebL;
    return hash ^ hash >>> 31;
  }
}
