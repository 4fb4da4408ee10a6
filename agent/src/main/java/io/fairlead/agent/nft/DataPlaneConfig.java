package io.fairlead.agent.nft;

import io.fairlead.core.model.Family;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * What a data plane is opened with.
 *
 * @param nodeName rotates the order of endpoints, so that nodes do not begin at the same one
 * @param families that are programmed; not empty
 * @param namespace file of the network namespace to program, for example {@code
 *     /var/run/netns/blue}; empty = this process's own
 */
public record DataPlaneConfig(String nodeName, Set<Family> families, Optional<Path> namespace) {
  public DataPlaneConfig {
    families = Set.copyOf(families);
    if (families.isEmpty()) {
      throw new IllegalArgumentException(
          "families: at least one of " + java.util.List.of(Family.values()) + " is needed");
    }
  }

  /** Both families in the process's own namespace. */
  public static DataPlaneConfig of(String nodeName) {
    return new DataPlaneConfig(nodeName, Set.of(Family.values()), Optional.empty());
  }

  /** The same in another network namespace. */
  public DataPlaneConfig in(Path namespace) {
    return new DataPlaneConfig(nodeName, families, Optional.of(namespace));
  }
}
