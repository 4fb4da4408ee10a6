package io.fairlead.core.model;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Which partition an object's records go to: Services, ServiceCIDRs, Namespaces, Reservations and
 * the feature level into the one services partition, Nodes into pods partition 0, everything of a
 * namespace's Pods and EndpointSlices into {@code 1 + (murmur2(namespace) & 0x7fffffff) %
 * (partitions - 1)}.
 *
 * @param podsPartitions at least 2; never changes during the life of a log
 */
public record Partitioning(int podsPartitions) {
  /** Name of the hash, as it stands in partition headers. */
  public static final String HASH = "murmur2";

  public Partitioning {
    if (podsPartitions < 2) {
      throw new IllegalArgumentException(
          "the pods topic needs at least 2 partitions, not " + podsPartitions);
    }
  }

  public int partitions(Topic topic) {
    return topic == Topic.SERVICES ? 1 : podsPartitions;
  }

  public LogPartition of(ObjectKey key) {
    return switch (key.kind()) {
      case SERVICE, SERVICE_CIDR, NAMESPACE, RESERVATION, FEATURE_LEVEL -> LogPartition.SERVICES;
      case NODE -> LogPartition.NODES;
      case POD, POD_READINESS, ENDPOINT_SLICE -> ofNamespace(key.namespace());
      case PARTITION_HEADER ->
          LogPartition.parse(key.name())
              .orElseThrow(() -> new IllegalArgumentException("no partition " + key.name()));
    };
  }

  /** Every partition of the log, in order. */
  public List<LogPartition> all() {
    var all = new ArrayList<LogPartition>();
    for (var topic : Topic.values()) {
      for (int i = 0; i < partitions(topic); i++) {
        all.add(new LogPartition(topic, i));
      }
    }
    return List.copyOf(all);
  }

  /** Where the Pods of a namespace are. */
  public LogPartition ofNamespace(String namespace) {
    int hash = murmur2(namespace.getBytes(StandardCharsets.UTF_8)) & 0x7fffffff;
    return new LogPartition(Topic.PODS, 1 + hash % (podsPartitions - 1));
  }

  /** MurmurHash2 by Austin Appleby, 32 bit, with the seed that Kafka's partitioners use. */
  static int murmur2(byte[] data) {
    final int m = 0x5bd1e995;
    int h = 0x9747b28c ^ data.length;
    int whole = data.length & ~3;
    for (int i = 0; i < whole; i += 4) {
      int k =
          (data[i] & 0xff)
              | (data[i + 1] & 0xff) << 8
              | (data[i + 2] & 0xff) << 16
              | (data[i + 3] & 0xff) << 24;
      k *= m;
      k ^= k >>> 24;
      k *= m;
      h = h * m ^ k;
    }
    int rest = data.length & 3;
    for (int i = rest - 1; i >= 0; i--) {
      h ^= (data[whole + i] & 0xff) << (8 * i);
    }
    if (rest > 0) {
      h *= m;
    }
    h ^= h >>> 13;
    h *= m;
    return h ^ h >>> 15;
  }
}
