package io.fairlead.api.table;

import io.fairlead.v1.Allocation;
import io.fairlead.v1.Condition;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.RangeUsage;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Tables of objects. */
public final class Tables {
  static final String NONE = "<none>";
  private static final int MANY = 3;

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
              Ages.of(service.getMetadata(), now),
              pairs(spec.getSelectorMap())));
    }
    var table =
        new TextTable(
            List.of("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"),
            rows);
    return shown(table, 6, width, namespaces, services.stream().map(Service::getMetadata).toList());
  }

  /** In the columns of kubectl, also where nothing here can fill them: scripts count them. */
  public static TextTable pods(List<Pod> pods, Width width, Namespaces namespaces, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var pod : pods) {
      rows.add(
          List.of(
              pod.getMetadata().getName(),
              PodStates.ready(pod),
              PodStates.status(pod),
              PodStates.restarts(pod, now),
              Ages.of(pod.getMetadata(), now),
              pod.getStatus().getPodIpsCount() == 0
                  ? NONE
                  : String.join(",", pod.getStatus().getPodIpsList()),
              orNone(pod.getSpec().getNodeName()),
              NONE,
              PodStates.gates(pod)));
    }
    var table =
        new TextTable(
            List.of(
                "NAME",
                "READY",
                "STATUS",
                "RESTARTS",
                "AGE",
                "IP",
                "NODE",
                "NOMINATED NODE",
                "READINESS GATES"),
            rows);
    return shown(table, 5, width, namespaces, pods.stream().map(Pod::getMetadata).toList());
  }

  /**
   * What kubectl shows, how many offsets each is behind, and what keeps it there. In kubectl's
   * columns first: scripts count them.
   */
  public static TextTable nodes(List<Node> nodes, Width width, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var node : nodes) {
      rows.add(
          List.of(
              node.getMetadata().getName(),
              nodeStatus(node),
              NONE,
              Ages.of(node.getMetadata(), now),
              orNone(node.getAgentVersion()),
              node.hasAcknowledged() ? Long.toString(node.getLag()) : NONE,
              orNone(nodeTrouble(node)),
              node.getAddressesCount() == 0 ? NONE : String.join(",", node.getAddressesList()),
              node.getPodCidrsCount() == 0 ? NONE : String.join(",", node.getPodCidrsList()),
              orNone(node.getZone()),
              orNone(node.getStreamReplica()),
              orNone(node.getAcknowledged().getOffsets())));
    }
    var table =
        new TextTable(
            List.of(
                "NAME",
                "STATUS",
                "ROLES",
                "AGE",
                "VERSION",
                "LAG",
                "LAST-ERROR",
                "INTERNAL-IP",
                "POD-CIDRS",
                "ZONE",
                "REPLICA",
                "ACKNOWLEDGED"),
            rows);
    return shown(
        table, 7, width, Namespaces.HIDDEN, nodes.stream().map(Node::getMetadata).toList());
  }

  private static String nodeTrouble(Node node) {
    var error = Plain.line(node.getLastError());
    if (!error.isEmpty()) {
      return error;
    }
    if (node.getRefusedCount() > 0) {
      return "kernel refuses "
          + node.getRefusedCount()
          + (node.getRefusedCount() == 1 ? " rule" : " rules");
    }
    return refusedManifests(node);
  }

  /** How many, and why the last one is; "" where none is. */
  static String refusedManifests(Node node) {
    return node.getRefusedManifests() == 0
        ? ""
        : node.getRefusedManifests()
            + (node.getRefusedManifests() == 1
                ? " manifest refused: "
                : " manifests refused, the last: ")
            + Plain.line(node.getManifestError());
  }

  public static TextTable endpointSlices(
      List<EndpointSlice> slices, Namespaces namespaces, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var slice : slices) {
      rows.add(
          List.of(
              slice.getMetadata().getName(),
              slice.getAddressType(),
              firstOf(
                  slice.getPortsList().stream().map(p -> Integer.toString(p.getPort())).toList()),
              firstOf(
                  slice.getEndpointsList().stream()
                      .flatMap(e -> e.getAddressesList().stream())
                      .toList()),
              Ages.of(slice.getMetadata(), now)));
    }
    var table = new TextTable(List.of("NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"), rows);
    return shown(
        table,
        5,
        Width.NORMAL,
        namespaces,
        slices.stream().map(EndpointSlice::getMetadata).toList());
  }

  /** {@code 10.0.0.1,10.0.0.2,10.0.0.3 + 4 more...}. */
  private static String firstOf(List<String> values) {
    if (values.isEmpty()) {
      return "<unset>";
    }
    var shown = String.join(",", values.subList(0, Math.min(values.size(), MANY)));
    return values.size() > MANY ? shown + " + " + (values.size() - MANY) + " more..." : shown;
  }

  public static TextTable namespaces(List<Namespace> namespaces, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var namespace : namespaces) {
      rows.add(
          List.of(
              namespace.getMetadata().getName(),
              orNone(namespace.getStatus().getPhase()),
              Ages.of(namespace.getMetadata(), now)));
    }
    return new TextTable(List.of("NAME", "STATUS", "AGE"), rows);
  }

  /** Values of two ranges are in the order of their CIDRs. */
  public static TextTable serviceCidrs(List<ServiceCidr> cidrs, Width width, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var cidr : cidrs) {
      var ready = ready(cidr);
      rows.add(
          List.of(
              cidr.getMetadata().getName(),
              String.join(",", cidr.getSpec().getCidrsList()),
              ready.getStatus() + (ready.getReason().isEmpty() ? "" : "/" + ready.getReason()),
              ranges(
                  cidr,
                  r ->
                      new BigInteger(r.getStaticBand().getSize())
                          .add(new BigInteger(r.getDynamicBand().getSize()))
                          .toString()),
              ranges(cidr, r -> Long.toString(r.getStaticBand().getUsed())),
              ranges(cidr, r -> r.getStaticBand().getFree()),
              ranges(cidr, r -> Long.toString(r.getDynamicBand().getUsed())),
              ranges(cidr, r -> r.getDynamicBand().getFree()),
              Ages.of(cidr.getMetadata(), now),
              ready.getMessage()));
    }
    var table =
        new TextTable(
            List.of(
                "NAME",
                "CIDRS",
                "READY",
                "SIZE",
                "STATIC-USED",
                "STATIC-FREE",
                "DYNAMIC-USED",
                "DYNAMIC-FREE",
                "AGE",
                "MESSAGE"),
            rows);
    return shown(table, 9, width, Namespaces.HIDDEN, List.of());
  }

  /** The condition of that type; empty where a server says none. */
  static Condition ready(ServiceCidr cidr) {
    return cidr.getStatus().getConditionsList().stream()
        .filter(condition -> condition.getType().equals("Ready"))
        .findFirst()
        .orElseGet(() -> Condition.newBuilder().setStatus("Unknown").build());
  }

  private static String ranges(ServiceCidr cidr, Function<RangeUsage, String> what) {
    return orNone(
        cidr.getStatus().getRangesList().stream().map(what).collect(Collectors.joining(",")));
  }

  /** By id, since that is what they are released by. */
  public static TextTable reservations(List<Reservation> reservations, Width width, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var reservation : reservations) {
      var spec = reservation.getSpec();
      rows.add(
          List.of(
              reservation.getMetadata().getName(),
              spec.getHolderNamespace() + "/" + spec.getHolderName(),
              width == Width.WIDE
                  ? String.join(",", spec.getAddressesList())
                  : firstOf(spec.getAddressesList()),
              Integer.toString(reservation.getStatus().getTakenCount()),
              Ages.until(reservation.getStatus().getExpires(), now),
              Ages.of(reservation.getMetadata(), now),
              Ages.text(Duration.ofSeconds(spec.getTtl().getSeconds())),
              orNone(String.join(",", reservation.getStatus().getTakenList()))));
    }
    var table =
        new TextTable(
            List.of(
                "NAME", "FOR", "ADDRESSES", "TAKEN", "EXPIRES", "AGE", "TTL", "TAKEN-ADDRESSES"),
            rows);
    return shown(table, 6, width, Namespaces.HIDDEN, List.of());
  }

  public static TextTable allocations(List<Allocation> allocations, Width width, Instant now) {
    var rows = new ArrayList<List<String>>();
    for (var allocation : allocations) {
      rows.add(
          List.of(
              allocation.getAddress(),
              allocation.getName().isEmpty()
                  ? NONE
                  : allocation.getNamespace() + "/" + allocation.getName(),
              allocation.hasSince() ? Ages.since(allocation.getSince(), now) : NONE,
              orNone(allocation.getUid()),
              orNone(allocation.getResourceVersion()),
              orNone(String.join(",", allocation.getContendersList()))));
    }
    var table =
        new TextTable(
            List.of("ADDRESS", "OWNER", "SINCE", "OWNER-UID", "VERSION", "ALSO-SAID-BY"), rows);
    return shown(table, 3, width, Namespaces.HIDDEN, List.of());
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

  static String nodeStatus(Node node) {
    return node.getState().equals("Ready") ? "Ready" : "NotReady";
  }

  static String orNone(String text) {
    return text.isEmpty() ? NONE : text;
  }

  /** {@code a=1,b=2}, sorted. */
  public static String pairs(Map<String, String> map) {
    return orNone(
        new TreeMap<>(map)
            .entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining(",")));
  }
}
