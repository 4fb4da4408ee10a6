package io.fairlead.testbed.cluster;

import java.nio.file.Path;
import java.util.List;

/**
 * What a cluster is made of.
 *
 * @param id of its fabric: what an earlier crash of the same id left is cleared
 * @param directory for data and logs; made, and left for inspection
 * @param nodes each with an agent
 * @param replicas of allocator-service and endpoints-service each
 * @param agentOptions added to every agent's command line
 * @param endpointsOptions added to the command lines of endpoints-service; {@link #REPLICA} in them
 *     stands for the name of the replica
 * @param heaps what the processes may take
 */
public record ClusterSpec(
    String id,
    Path directory,
    List<String> nodes,
    int replicas,
    List<String> agentOptions,
    List<String> endpointsOptions,
    Heaps heaps) {
  /**
   * Largest heaps in MiB.
   *
   * @param services of allocator-service and endpoints-service
   */
  public record Heaps(int services, int dns, int agents) {
    /** For a few hundred objects. */
    public static final Heaps SMALL = new Heaps(192, 128, 64);
  }

  /** A part of an option that is another one for each replica. */
  public static final String REPLICA = "{replica}";

  public ClusterSpec {
    nodes = List.copyOf(nodes);
    agentOptions = List.copyOf(agentOptions);
    endpointsOptions = List.copyOf(endpointsOptions);
  }

  /** Three nodes, two replicas. */
  public static ClusterSpec of(String id, Path directory) {
    return new ClusterSpec(
        id, directory, List.of("node-a", "node-b", "node-c"), 2, List.of(), List.of(), Heaps.SMALL);
  }

  public ClusterSpec withNodes(String... names) {
    return new ClusterSpec(
        id, directory, List.of(names), replicas, agentOptions, endpointsOptions, heaps);
  }

  public ClusterSpec withAgentOptions(String... options) {
    return new ClusterSpec(
        id, directory, nodes, replicas, List.of(options), endpointsOptions, heaps);
  }

  public ClusterSpec withEndpointsOptions(String... options) {
    return new ClusterSpec(id, directory, nodes, replicas, agentOptions, List.of(options), heaps);
  }

  public ClusterSpec withHeaps(Heaps larger) {
    return new ClusterSpec(id, directory, nodes, replicas, agentOptions, endpointsOptions, larger);
  }
}
