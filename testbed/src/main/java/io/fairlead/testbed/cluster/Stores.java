package io.fairlead.testbed.cluster;

import io.fairlead.runtime.HostPort;
import java.util.List;

/**
 * Where to look for what a control plane did.
 *
 * @param kafkaBootstrap {@code host:port,...}
 * @param copies of each partition of the log
 * @param etcdUrls {@code http://host:port} of all members
 * @param replicas gRPC addresses of all that follow the log
 */
public record Stores(
    String kafkaBootstrap, int copies, List<String> etcdUrls, List<HostPort> replicas) {
  public Stores {
    etcdUrls = List.copyOf(etcdUrls);
    replicas = List.copyOf(replicas);
  }
}
