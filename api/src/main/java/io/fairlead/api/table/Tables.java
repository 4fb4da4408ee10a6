package io.fairlead.api.table;

import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Service;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Tables of objects. */
public final class Tables {
  static final String NONE = "<none>";

  private Tables() {}

  /** How much is shown. */
  public enum Width {
    NORMAL,
    /** {@code -o wide}. */
    WIDE
  }

  /** Whether the namespace is a column of its own. */
  public enum Namespaces {
    SHOWN,
    HIDDEN
  }

  public static TextTable services(
      List<Service> services, Width width, Namespaces namespaces, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var service : services) {
      var spec = service.getSpec();
      rows.add(
          List.of(
              service.getMetadata().getName(),
              spec.getType(),
              orNone(spec.getClusterIp()),
              orNone(spec.getExternalName()),
              ports(service),
              Ages.since(service.getMetadata().getCreationTimestamp(), now),
              pairs(spec.getSelectorMap())));
    }
    var table =
        new TextTable(
            List.of("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"),
            rows);
    return shown(table, 6, width, namespaces, services.stream().map(Service::getMetadata).toList());
  }

  public static TextTable pods(List<Pod> pods, Width width, Namespaces namespaces, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var pod : pods) {
      rows.add(
          List.of(
              pod.getMetadata().getName(),
              ready(pod),
              status(pod),
              Ages.since(pod.getMetadata().getCreationTimestamp(), now),
              pod.getStatus().getPodIpsCount() == 0
                  ? NONE
                  : String.join(",", pod.getStatus().getPodIpsList()),
              orNone(pod.getSpec().getNodeName()),
              orNone(pod.getSource()),
              orNone(pod.getStatus().getReadyReason())));
    }
    var table =
        new TextTable(
            List.of("NAME", "READY", "STATUS", "AGE", "IP", "NODE", "SOURCE", "READINESS"), rows);
    return shown(table, 4, width, namespaces, pods.stream().map(Pod::getMetadata).toList());
  }

  public static TextTable nodes(List<Node> nodes, Width width, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var node : nodes) {
      rows.add(
          List.of(
              node.getMetadata().getName(),
              nodeStatus(node),
              orNone(node.getZone()),
              Ages.since(node.getMetadata().getCreationTimestamp(), now),
              orNone(node.getAgentVersion()),
              node.getAddressesCount() == 0 ? NONE : String.join(",", node.getAddressesList()),
              node.getPodCidrsCount() == 0 ? NONE : String.join(",", node.getPodCidrsList()),
              orNone(node.getAcknowledged().getOffsets())));
    }
    var table =
        new TextTable(
            List.of(
                "NAME",
                "STATUS",
                "ZONE",
                "AGE",
                "VERSION",
                "INTERNAL-IP",
                "POD-CIDRS",
                "ACKNOWLEDGED"),
            rows);
    return shown(
        table, 5, width, Namespaces.HIDDEN, nodes.stream().map(Node::getMetadata).toList());
  }

  private static TextTable shown(
      TextTable table, int normal, Width width, Namespaces namespaces, List<ObjectMeta> metas) {
    var cut =
        switch (width) {
          case NORMAL -> table.first(normal);
          case WIDE -> table;
        };
    return switch (namespaces) {
      case HIDDEN -> cut;
      case SHOWN -> cut.behind("NAMESPACE", metas.stream().map(ObjectMeta::getNamespace).toList());
    };
  }

  /** {@code 80/TCP,53/UDP}. */
  static String ports(Service service) {
    return orNone(
        service.getSpec().getPortsList().stream()
            .map(port -> port.getPort() + "/" + port.getProtocol())
            .collect(Collectors.joining(",")));
  }

  /** Of its containers; the whole Pod is probed, so that it is none or all of them. */
  static String ready(Pod pod) {
    int containers = Math.max(1, pod.getSpec().getContainersCount());
    return (pod.getStatus().getReady() ? containers : 0) + "/" + containers;
  }

  static String status(Pod pod) {
    if (pod.getMetadata().hasDeletionTimestamp()) {
      return "Terminating";
    }
    var reason = pod.getStatus().getReason();
    return reason.isEmpty() ? orNone(pod.getStatus().getPhase()) : reason;
  }

  static String nodeStatus(Node node) {
    return node.getState().equals("Ready") ? "Ready" : "NotReady";
  }

  static String orNone(String text) {
    return text.isEmpty() ? NONE : text;
  }

  /** {@code a=1,b=2}, sorted. */
  static String pairs(Map<String, String> map) {
    return orNone(
        new TreeMap<>(map)
            .entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining(",")));
  }
}
