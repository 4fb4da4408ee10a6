package io.fairlead.api.table;

import io.fairlead.v1.Container;
import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Probe;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One object with all that people ask about it. */
public final class Descriptions {
  private static final int INDENT = 26;

  private final StringBuilder text = new StringBuilder();

  private Descriptions() {}

  /**
   * Describes a Service.
   *
   * @param pods the Pods its selector matches, ready or not
   */
  public static String of(Service service, List<Pod> pods) {
    var to = new Descriptions();
    var spec = service.getSpec();
    to.meta(service.getMetadata());
    to.line("Selector", Tables.pairs(spec.getSelectorMap()));
    to.line("Type", spec.getType());
    if (spec.getType().equals("ExternalName")) {
      to.line("External Name", spec.getExternalName());
    } else {
      to.line("IP Family Policy", spec.getIpFamilyPolicy());
      to.line("IP Families", String.join(",", spec.getIpFamiliesList()));
      to.line("IP", Tables.orNone(spec.getClusterIp()));
      to.line("IPs", Tables.orNone(String.join(",", spec.getClusterIpsList())));
    }
    for (var port : spec.getPortsList()) {
      to.line(
          "Port",
          (port.getName().isEmpty() ? "<unset>" : port.getName())
              + "  "
              + port.getPort()
              + "/"
              + port.getProtocol());
      to.line("TargetPort", port.getTargetPort() + "/" + port.getProtocol());
      var ready = new ArrayList<String>();
      var notReady = new ArrayList<String>();
      for (var pod : pods) {
        var terminating = pod.getMetadata().hasDeletionTimestamp();
        var usable =
            spec.getPublishNotReadyAddresses() || (pod.getStatus().getReady() && !terminating);
        (usable ? ready : notReady).addAll(endpoints(spec.getIpFamiliesList(), port, pod));
      }
      to.line("Endpoints", Tables.orNone(String.join(",", ready)));
      if (!notReady.isEmpty()) {
        to.line("Not Ready", String.join(",", notReady));
      }
    }
    to.line("Session Affinity", spec.getSessionAffinity());
    if (spec.getSessionAffinityConfig().getClientIp().hasTimeoutSeconds()) {
      to.line(
          "Session Affinity Timeout",
          spec.getSessionAffinityConfig().getClientIp().getTimeoutSeconds() + "s");
    }
    if (!spec.getInternalTrafficPolicy().isEmpty()) {
      to.line("Internal Traffic Policy", spec.getInternalTrafficPolicy());
    }
    if (!spec.getTrafficDistribution().isEmpty()) {
      to.line("Traffic Distribution", spec.getTrafficDistribution());
    }
    return to.text.toString();
  }

  private static List<String> endpoints(List<String> families, ServicePort port, Pod pod) {
    var phase = pod.getStatus().getPhase();
    var target = target(port, pod);
    if (phase.equals("Succeeded") || phase.equals("Failed") || target.isEmpty()) {
      return List.of();
    }
    return pod.getStatus().getPodIpsList().stream()
        .filter(ip -> families.contains(ip.contains(":") ? "IPv6" : "IPv4"))
        .map(ip -> (ip.contains(":") ? "[" + ip + "]" : ip) + ":" + target)
        .toList();
  }

  /** "" where the Pod has no port of that name. */
  private static String target(ServicePort port, Pod pod) {
    var target = port.getTargetPort();
    if (target.matches("[0-9]+")) {
      return target;
    }
    return pod.getSpec().getContainersList().stream()
        .flatMap(container -> container.getPortsList().stream())
        .filter(p -> p.getName().equals(target) && p.getProtocol().equals(port.getProtocol()))
        .map(p -> Integer.toString(p.getContainerPort()))
        .findFirst()
        .orElse("");
  }

  public static String of(Pod pod, Instant now) {
    var to = new Descriptions();
    var status = pod.getStatus();
    to.meta(pod.getMetadata());
    to.line("Node", Tables.orNone(pod.getSpec().getNodeName()));
    to.line("Source", Tables.orNone(pod.getSource()));
    to.line("Status", Tables.status(pod));
    var since = status.hasReadySince() ? ", for " + Ages.since(status.getReadySince(), now) : "";
    to.line(
        "Ready",
        (status.getReady() ? "True" : "False") + " (" + status.getReadyReason() + since + ")");
    to.line("IP", Tables.orNone(status.getPodIp()));
    to.line("IPs", Tables.orNone(String.join(",", status.getPodIpsList())));
    if (pod.getSpec().getHostNetwork()) {
      to.line("Host Network", "true");
    }
    if (!pod.getSpec().getHostname().isEmpty()) {
      to.line("Hostname", pod.getSpec().getHostname());
      to.line("Subdomain", Tables.orNone(pod.getSpec().getSubdomain()));
    }
    to.text.append("Containers:\n");
    pod.getSpec().getContainersList().forEach(to::container);
    return to.text.toString();
  }

  private void container(Container container) {
    text.append("  ").append(container.getName()).append(":\n");
    line("    Image", Tables.orNone(container.getImage()));
    for (var port : container.getPortsList()) {
      line(
          "    Port",
          port.getContainerPort()
              + "/"
              + port.getProtocol()
              + (port.getName().isEmpty() ? "" : " (" + port.getName() + ")"));
    }
    if (container.hasReadinessProbe()) {
      line("    Readiness", probe(container.getReadinessProbe()));
    }
  }

  /** {@code http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3}. */
  private static String probe(Probe probe) {
    var http = probe.getHttpGet();
    var action =
        probe.hasHttpGet()
            ? "http-get %s://%s:%s%s"
                .formatted(
                    http.getScheme().equals("HTTPS") ? "https" : "http",
                    http.getHost(),
                    http.getPort(),
                    http.getPath())
            : "tcp-socket " + probe.getTcpSocket().getHost() + ":" + probe.getTcpSocket().getPort();
    return "%s delay=%ds timeout=%ds period=%ds #success=%d #failure=%d"
        .formatted(
            action,
            probe.getInitialDelaySeconds(),
            probe.getTimeoutSeconds(),
            probe.getPeriodSeconds(),
            probe.getSuccessThreshold(),
            probe.getFailureThreshold());
  }

  public static String of(Node node) {
    var to = new Descriptions();
    to.meta(node.getMetadata());
    to.line(
        "Status",
        Tables.nodeStatus(node)
            + (node.getReason().isEmpty() ? "" : " (" + node.getReason() + ")"));
    to.line("Zone", Tables.orNone(node.getZone()));
    to.line("Addresses", Tables.orNone(String.join(",", node.getAddressesList())));
    to.line("Pod CIDRs", Tables.orNone(String.join(",", node.getPodCidrsList())));
    to.line("Agent Version", Tables.orNone(node.getAgentVersion()));
    to.line("Session", Long.toString(node.getSession()));
    to.line("Acknowledged", Tables.orNone(node.getAcknowledged().getOffsets()));
    if (!node.getLastError().isEmpty()) {
      to.line("Last Error", node.getLastError());
    }
    return to.text.toString();
  }

  private void meta(ObjectMeta meta) {
    line("Name", meta.getName());
    if (!meta.getNamespace().isEmpty()) {
      line("Namespace", meta.getNamespace());
    }
    lines("Labels", meta.getLabelsMap(), "=");
    lines("Annotations", meta.getAnnotationsMap(), ": ");
    line("UID", meta.getUid());
    line("Version", Tables.orNone(meta.getResourceVersion()));
  }

  private void lines(String label, Map<String, String> map, String between) {
    if (map.isEmpty()) {
      line(label, Tables.NONE);
    }
    var shown = label;
    for (var entry : new TreeMap<>(map).entrySet()) {
      line(shown, entry.getKey() + between + entry.getValue());
      shown = "";
    }
  }

  private void line(String label, String value) {
    var shown = label.isEmpty() ? "" : label + ":";
    text.append(shown).repeat(' ', Math.max(1, INDENT - shown.length())).append(value).append('\n');
  }
}
