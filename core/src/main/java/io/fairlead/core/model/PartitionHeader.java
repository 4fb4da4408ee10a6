package io.fairlead.core.model;

import java.util.UUID;

/**
 * First record of each partition, written by its owner: how keys are spread. Whoever finds other
 * values refuses the log.
 *
 * @param partitions number of partitions of the topic; never changes
 * @param hash name of the function that spreads namespaces over partitions
 */
public record PartitionHeader(LogPartition partition, int partitions, String hash, UUID uid)
    implements DomainObject {
  @Override
  public ObjectKey key() {
    return ObjectKey.ofCluster(Kind.PARTITION_HEADER, partition.toString());
  }
}
