package io.fairlead.standalone.plane;

import io.fairlead.devkit.process.Ports;
import io.fairlead.runtime.HostPort;
import io.fairlead.standalone.plane.PortHolders.Transport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * TCP ports of one plane on 127.0.0.1.
 *
 * @param dns by UDP and TCP; only without nodes, else it is 53 in the nodes' network
 */
record PlanePorts(
    int allocator,
    int endpoints,
    int podRuntime,
    int dnsGrpc,
    int allocatorHttp,
    int endpointsHttp,
    int dnsHttp,
    int podsHttp,
    int kafka,
    int kafkaController,
    int etcdClient,
    int etcdPeer,
    int dns) {
  static final String HOST = "127.0.0.1";

  /** Of agents, each in its own namespace. */
  static final int AGENT_HTTP = 7484;

  private static final int COUNT = 13;

  static PlanePorts choose(PlaneConfig.PortsChoice choice) {
    return switch (choice) {
      // nothing but the broker itself connects to the controller
      case DEFAULT ->
          new PlanePorts(
              7401,
              7402,
              7404,
              7403,
              7481,
              7482,
              7483,
              7485,
              9092,
              Ports.free(HOST),
              2379,
              2380,
              7453);
      case FREE -> {
        var ports = Ports.free(HOST, COUNT).iterator();
        yield new PlanePorts(
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next(),
            ports.next());
      }
    };
  }

  /** What each is for, in the order of their numbers' fame. */
  Map<Integer, String> uses(NodesMode mode) {
    var uses = new LinkedHashMap<Integer, String>();
    uses.put(allocator, "allocator-service, gRPC");
    uses.put(endpoints, "endpoints-service, gRPC");
    uses.put(dnsGrpc, "dns-service, gRPC");
    uses.put(allocatorHttp, "allocator-service, health and metrics");
    uses.put(endpointsHttp, "endpoints-service, health and metrics");
    uses.put(dnsHttp, "dns-service, health and metrics");
    uses.put(kafka, "Kafka");
    uses.put(kafkaController, "Kafka's controller");
    uses.put(etcdClient, "etcd, clients");
    uses.put(etcdPeer, "etcd, peers");
    switch (mode) {
      case WITH_NODES -> {
        uses.put(podRuntime, "exec and logs of Pods, gRPC");
        uses.put(podsHttp, "Pods' processes, health and metrics");
      }
      case WITHOUT_NODES -> uses.put(dns, "DNS");
    }
    return uses;
  }

  /** Whether the plane has nodes. */
  enum NodesMode {
    WITH_NODES,
    WITHOUT_NODES
  }

  /** For people, a line each: which are taken, what for, and who has them. Empty = all are free. */
  List<String> taken(NodesMode mode) {
    var lines = new ArrayList<String>();
    uses(mode).forEach((port, use) -> taken(Transport.TCP, port, use).ifPresent(lines::add));
    switch (mode) {
      case WITHOUT_NODES -> taken(Transport.UDP, dns, "DNS by UDP").ifPresent(lines::add);
      case WITH_NODES -> {
        // elsewhere, see dns
      }
    }
    return List.copyOf(lines);
  }

  private static Optional<String> taken(Transport transport, int port, String use) {
    if (PortHolders.isFree(transport, HOST, port)) {
      return Optional.empty();
    }
    return Optional.of(
        "%s (%s): %s"
            .formatted(
                new HostPort(HOST, port),
                use,
                Optional.of(PortHolders.of(transport, port))
                    .filter(holders -> !holders.isEmpty())
                    .map(holders -> String.join("; ", holders))
                    .orElse("a process of another user")));
  }

  static HostPort local(int port) {
    return new HostPort(HOST, port);
  }
}
