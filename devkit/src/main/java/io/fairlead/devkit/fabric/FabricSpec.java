package io.fairlead.devkit.fabric;

import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a fabric looks like.
 *
 * @param id tells instances on one machine apart; all names derive from it; 1 to 10 of a-z and 0-9
 * @param nodes names of the nodes, as in Kubernetes; the first has number 1
 * @param number 0 to 254, which part of the node and management networks is used; empty: one that
 *     is free
 * @param nodeNetwork a /16; the fabric with number 7 uses its /24 number 7, its nodes have the
 *     addresses .11, .12 ...
 * @param managementNetwork a /16; the fabric with number 7 uses four of its addresses for the link
 *     with this machine
 * @param podNetwork a /16; node number 1 has its /24 number 1
 * @param serviceNetworks where nodes send what no rule has caught: into the fabric, which says
 *     "unreachable"
 */
public record FabricSpec(
    String id,
    List<String> nodes,
    OptionalInt number,
    Ipv4Network nodeNetwork,
    Ipv4Network managementNetwork,
    Ipv4Network podNetwork,
    List<Ipv4Network> serviceNetworks) {
  static final int MAX_NODES = 200;
  private static final Pattern ID = Pattern.compile("[a-z0-9]{1,10}");
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  public FabricSpec {
    nodes = List.copyOf(nodes);
    serviceNetworks = List.copyOf(serviceNetworks);
    requireId(id);
    if (nodes.isEmpty() || nodes.size() > MAX_NODES) {
      throw new IllegalArgumentException(
          "fabric with %d nodes: allowed are 1 to %d".formatted(nodes.size(), MAX_NODES));
    }
    if (Set.copyOf(nodes).size() < nodes.size() || nodes.contains("fabric")) {
      throw new IllegalArgumentException(
          "nodes " + nodes + ": names must differ, and 'fabric' is taken");
    }
    nodes.forEach(node -> requireLabel("node", node));
    number.ifPresent(FabricSpec::requireNumber);
    requireSixteen("node network", nodeNetwork);
    requireSixteen("management network", managementNetwork);
    requireSixteen("Pod network", podNetwork);
  }

  /**
   * Defaults: 172.30.x.0/24, 169.254.x.0/30, Pods 10.244.0.0/16, Services 10.96.0.0/16, x chosen
   * freely.
   */
  public static FabricSpec of(String id, List<String> nodes) {
    return new FabricSpec(
        id,
        nodes,
        OptionalInt.empty(),
        Ipv4Network.parse("172.30.0.0/16"),
        Ipv4Network.parse("169.254.0.0/16"),
        Ipv4Network.parse("10.244.0.0/16"),
        List.of(Ipv4Network.parse("10.96.0.0/16")));
  }

  public FabricSpec withNumber(int chosen) {
    return new FabricSpec(
        id,
        nodes,
        OptionalInt.of(chosen),
        nodeNetwork,
        managementNetwork,
        podNetwork,
        serviceNetworks);
  }

  public FabricSpec withServiceNetworks(List<Ipv4Network> networks) {
    return new FabricSpec(id, nodes, number, nodeNetwork, managementNetwork, podNetwork, networks);
  }

  public FabricSpec withNodeNetwork(Ipv4Network network) {
    return new FabricSpec(
        id, nodes, number, network, managementNetwork, podNetwork, serviceNetworks);
  }

  static void requireId(String id) {
    if (!ID.matcher(id).matches()) {
      // names of interfaces have 15 characters at most, and a dash would make prefixes of names
      // ambiguous
      throw new IllegalArgumentException(
          "fabric id '" + id + "': allowed are 1 to 10 characters of a-z and 0-9");
    }
  }

  static void requireLabel(String what, String name) {
    if (!LABEL.matcher(name).matches()) {
      throw new IllegalArgumentException(
          what + " name '" + name + "': allowed are up to 63 of a-z, 0-9 and '-', not at the ends");
    }
  }

  private static void requireNumber(int number) {
    if (number < 0 || number > 254) {
      throw new IllegalArgumentException("fabric number " + number + ": allowed are 0 to 254");
    }
  }

  private static void requireSixteen(String what, Ipv4Network network) {
    if (network.prefix() != 16) {
      throw new IllegalArgumentException(what + " " + network + ": must be a /16");
    }
  }
}
