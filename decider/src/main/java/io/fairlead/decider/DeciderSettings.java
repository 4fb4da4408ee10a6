package io.fairlead.decider;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.FeatureLevels;
import java.time.Duration;
import java.util.List;

/**
 * Which replica of which service this is, and its limits.
 *
 * @param service e.g. {@code allocator}; its members share the partitions
 * @param replica unique name of this one
 * @param address {@code host:port} other replicas reach its gRPC server at
 * @param version of the program, for people
 * @param partitions all that the service owns together
 * @param leaseTtl of membership and ownership; a dead replica's partitions are free after it
 * @param queue how many requests may wait for one partition
 * @param batch how many requests one transaction may carry
 * @param levels what this one supports of the log, and what objects need
 */
public record DeciderSettings(
    String service,
    String replica,
    String address,
    String version,
    List<LogPartition> partitions,
    Duration leaseTtl,
    int queue,
    int batch,
    FeatureLevels levels) {
  public static final Duration DEFAULT_LEASE_TTL = Duration.ofSeconds(5);

  public DeciderSettings {
    partitions = List.copyOf(partitions);
    if (partitions.isEmpty()) {
      throw new IllegalArgumentException("partitions: none");
    }
    if (queue < 1 || batch < 1) {
      throw new IllegalArgumentException(
          "queue " + queue + " and batch " + batch + " must be at least 1");
    }
  }

  /** With the usual limits: 5 s, 4096 waiting, 256 in one transaction. */
  public static DeciderSettings of(
      String service,
      String replica,
      String address,
      String version,
      List<LogPartition> partitions) {
    return new DeciderSettings(
        service,
        replica,
        address,
        version,
        partitions,
        DEFAULT_LEASE_TTL,
        4096,
        256,
        FeatureLevels.CURRENT);
  }

  public DeciderSettings withLeaseTtl(Duration other) {
    return new DeciderSettings(
        service, replica, address, version, partitions, other, queue, batch, levels);
  }

  public DeciderSettings withLevels(FeatureLevels other) {
    return new DeciderSettings(
        service, replica, address, version, partitions, leaseTtl, queue, batch, other);
  }
}
