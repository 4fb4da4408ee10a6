package io.fairlead.api.table;

import com.google.protobuf.Timestamp;
import io.fairlead.api.PodCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.PodDrain;
import io.fairlead.v1.AddressClaim;
import io.fairlead.v1.AllocationReply;
import io.fairlead.v1.BandUsage;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerState;
import io.fairlead.v1.ContainerStatus;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.NamedHint;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Probe;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.SliceEndpoint;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One object with all that people ask about it. */
public final class Descriptions {
  private static final int INDENT = 26;

  private final StringBuilder text = new StringBuilder();

  private Descriptions() {}

  /**
   * Describes a Service.
   *
   * @param pods the Pods its selector matches, ready or not
   * @param written EndpointSlices that somebody wrote for it
   */
  public static String of(Service service, List<Pod> pods, List<EndpointSlice> written) {
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
      if (!port.getAppProtocol().isEmpty()) {
        to.line("App Protocol", port.getAppProtocol());
      }
      var endpoints = new EndpointLists();
      for (var pod : pods) {
        endpoints.add(spec, port, pod);
      }
      for (var slice : written) {
        endpoints.add(slice, port);
      }
      to.line("Endpoints", Tables.orNone(String.join(",", endpoints.ready)));
      to.optional("Terminating", String.join(",", endpoints.terminating));
      to.optional("Not Ready", String.join(",", endpoints.notReady));
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
    if (spec.getPublishNotReadyAddresses()) {
      to.line("Publish Not Ready", "true");
    }
    return to.text.toString();
  }

  /** The endpoints of one port of a Service, by what nodes do with them. */
  private static final class EndpointLists {
    private final List<String> ready = new ArrayList<>();

    /** They end, and get new connections only where no other is ready. */
    private final List<String> terminating = new ArrayList<>();

    private final List<String> notReady = new ArrayList<>();

    void add(ServiceSpec service, ServicePort port, Pod pod) {
      var addresses = endpoints(service.getIpFamiliesList(), port, pod);
      var ends = pod.getMetadata().hasDeletionTimestamp();
      var drained = pod.getMetadata().containsAnnotations(PodDrain.ANNOTATION);
      if (service.getPublishNotReadyAddresses()) {
        ready.addAll(addresses);
      } else if (!pod.getStatus().getReady()) {
        notReady.addAll(addresses);
      } else if (ends || drained) {
        addresses.forEach(at -> terminating.add(at + (ends ? "" : " (draining)")));
      } else {
        ready.addAll(addresses);
      }
    }

    /** What a slice that somebody wrote gives to a port. */
    void add(EndpointSlice slice, ServicePort port) {
      if (!slice.getUnused().isEmpty()) {
        return;
      }
      for (var target : slice.getPortsList()) {
        if (target.getName().equals(port.getName())
            && target.getProtocol().equals(port.getProtocol())) {
          for (var endpoint : slice.getEndpointsList()) {
            var conditions = endpoint.getConditions();
            var list =
                conditions.getReady()
                    ? ready
                    : conditions.getTerminating() && conditions.getServing()
                        ? terminating
                        : notReady;
            list.add(at(endpoint.getAddresses(0), target.getPort()));
          }
        }
      }
    }
  }

  private static String at(String ip, Object port) {
    return (ip.contains(":") ? "[" + ip + "]" : ip) + ":" + port;
  }

  private static List<String> endpoints(List<String> families, ServicePort port, Pod pod) {
    var phase = pod.getStatus().getPhase();
    var target = target(port, pod);
    if (phase.equals("Succeeded") || phase.equals("Failed") || target.isEmpty()) {
      return List.of();
    }
    return pod.getStatus().getPodIpsList().stream()
        .filter(ip -> families.contains(ip.contains(":") ? "IPv6" : "IPv4"))
        .map(ip -> at(ip, target))
        .toList();
  }

  /** "" where the Pod has no port of that name. */
  private static String target(ServicePort port, Pod pod) {
    var target = port.getTargetPort();
    if (target.matches("[0-9]+")) {
      return target;
    }
    var sidecars =
        pod.getSpec().getInitContainersList().stream()
            .filter(container -> !container.getRestartPolicy().isEmpty());
    return Stream.concat(pod.getSpec().getContainersList().stream(), sidecars)
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
    var node = pod.getSpec().getNodeName();
    to.line(
        "Node",
        status.getHostIp().isEmpty() ? Tables.orNone(node) : node + "/" + status.getHostIp());
    to.line("Source", Tables.orNone(pod.getSource()));
    to.line("Status", PodStates.status(pod));
    if (!status.getReason().isEmpty() && !status.getReason().equals(PodStates.status(pod))) {
      to.line("Reason", status.getReason());
    }
    if (!status.getMessage().isEmpty()) {
      to.line("Message", status.getMessage());
    }
    var since = status.hasReadySince() ? ", for " + Ages.since(status.getReadySince(), now) : "";
    to.line(
        "Ready",
        (status.getReady() ? "True" : "False") + " (" + status.getReadyReason() + since + ")");
    to.turns(status, now);
    to.line("IP", Tables.orNone(status.getPodIp()));
    to.line("IPs", Tables.orNone(String.join(",", status.getPodIpsList())));
    if (pod.getSpec().getHostNetwork()) {
      to.line("Host Network", "true");
    }
    if (!pod.getSpec().getHostname().isEmpty()) {
      to.line("Hostname", pod.getSpec().getHostname());
      to.line("Subdomain", Tables.orNone(pod.getSpec().getSubdomain()));
    }
    if (!pod.getSpec().getRestartPolicy().isEmpty()) {
      to.line("Restart Policy", pod.getSpec().getRestartPolicy());
    }
    if (pod.getSpec().hasEnableServiceLinks()) {
      to.line("Service Links", Boolean.toString(pod.getSpec().getEnableServiceLinks()));
    }
    if (pod.getSpec().getInitContainersCount() > 0) {
      to.text.append("Init Containers:\n");
      pod.getSpec().getInitContainersList().forEach(c -> to.container(c, status));
    }
    to.text.append("Containers:\n");
    pod.getSpec().getContainersList().forEach(c -> to.container(c, status));
    to.conditions(pod, now);
    return to.text.toString();
  }

  /**
   * Whether a Pod is ready and why, in one line: also what its containers wait for, and what is
   * wrong with it.
   */
  public static String readiness(Pod pod) {
    var status = pod.getStatus();
    var words = new ArrayList<String>();
    words.add(
        (status.getReady() ? "it is ready: " : "it is not ready: ") + status.getReadyReason());
    if (!status.getReady()) {
      Stream.of(status.getReason(), status.getMessage())
          .filter(w -> !w.isEmpty() && !w.equals(status.getReadyReason()))
          .forEach(words::add);
      for (var container : status.getContainerStatusesList()) {
        var waiting = container.getState().getWaiting();
        var why =
            Stream.of(waiting.getReason(), waiting.getMessage())
                .filter(w -> !w.isEmpty())
                .collect(Collectors.joining(": "));
        if (!why.isEmpty()) {
          words.add("container " + container.getName() + " waits: " + why);
        }
      }
      status.getConditionsList().stream()
          .filter(c -> c.getType().equals(PodCodec.SCHEDULED) && !c.getStatus().equals("True"))
          .map(c -> c.getMessage())
          .forEach(words::add);
    }
    return String.join("; ", words);
  }

  private void container(Container container, PodStatus status) {
    container(container);
    status.getContainerStatusesList().stream()
        .filter(s -> s.getName().equals(container.getName()))
        .forEach(this::containerStatus);
  }

  /** How often the probes changed their mind, and when lately: whether the Pod flaps. */
  private void turns(PodStatus status, Instant now) {
    if (status.getReadinessTurns() == 0) {
      return;
    }
    line("Readiness Turns", Long.toString(status.getReadinessTurns()));
    for (var turn : status.getLatestReadinessTurnsList()) {
      line(
          "  " + Ages.since(turn.getTime(), now) + " ago",
          (turn.getReady() ? "ready" : "not ready") + ": " + Tables.orNone(turn.getReason()));
    }
  }

  private void conditions(Pod pod, Instant now) {
    var met = new TreeMap<String, String>();
    pod.getStatus().getConditionsList().forEach(c -> met.put(c.getType(), c.getStatus()));
    if (pod.getSpec().getReadinessGatesCount() > 0) {
      text.append("Readiness Gates:\n");
      for (var gate : pod.getSpec().getReadinessGatesList()) {
        line(
            "  " + gate.getConditionType(), met.getOrDefault(gate.getConditionType(), Tables.NONE));
      }
    }
    if (pod.getStatus().getConditionsCount() > 0) {
      text.append("Conditions:\n");
      for (var condition : pod.getStatus().getConditionsList()) {
        var since =
            condition.hasLastTransitionTime()
                ? "for " + Ages.since(condition.getLastTransitionTime(), now)
                : "";
        var words =
            Stream.of(condition.getReason(), condition.getMessage(), since)
                .filter(w -> !w.isEmpty())
                .collect(Collectors.joining(", "));
        line(
            "  " + condition.getType(),
            condition.getStatus() + (words.isEmpty() ? "" : " (" + words + ")"));
      }
    }
  }

  private void containerStatus(ContainerStatus status) {
    state("    State", status.getState());
    if (!status.getLastState().equals(ContainerState.getDefaultInstance())) {
      state("    Last State", status.getLastState());
    }
    line("    Ready", status.getReady() ? "True" : "False");
    line("    Restart Count", Integer.toString(status.getRestartCount()));
  }

  private void state(String label, ContainerState state) {
    switch (state.getStateCase()) {
      case WAITING -> {
        line(label, "Waiting");
        optional("      Reason", state.getWaiting().getReason());
        optional("      Message", state.getWaiting().getMessage());
      }
      case RUNNING -> {
        line(label, "Running");
        time("      Started", state.getRunning().hasStartedAt(), state.getRunning().getStartedAt());
      }
      case TERMINATED -> {
        var terminated = state.getTerminated();
        line(label, "Terminated");
        optional("      Reason", terminated.getReason());
        optional("      Message", terminated.getMessage());
        line("      Exit Code", Integer.toString(terminated.getExitCode()));
        time("      Started", terminated.hasStartedAt(), terminated.getStartedAt());
        time("      Finished", terminated.hasFinishedAt(), terminated.getFinishedAt());
      }
      case STATE_NOT_SET -> line(label, Tables.NONE);
    }
  }

  private void optional(String label, String value) {
    if (!value.isEmpty()) {
      line(label, value);
    }
  }

  private void time(String label, boolean known, Timestamp time) {
    if (known) {
      line(label, Instant.ofEpochSecond(time.getSeconds()).toString());
    }
  }

  private void container(Container container) {
    text.append("  ").append(container.getName()).append(":\n");
    line("    Image", Tables.orNone(container.getImage()));
    if (container.getCommandCount() > 0) {
      line("    Command", String.join(" ", container.getCommandList()));
    }
    if (container.getArgsCount() > 0) {
      line("    Args", String.join(" ", container.getArgsList()));
    }
    for (var port : container.getPortsList()) {
      line(
          "    Port",
          port.getContainerPort()
              + "/"
              + port.getProtocol()
              + (port.getName().isEmpty() ? "" : " (" + port.getName() + ")"));
    }
    if (!container.getRestartPolicy().isEmpty()) {
      line("    Restart Policy", container.getRestartPolicy());
    }
    if (container.hasStartupProbe()) {
      line("    Startup", probe(container.getStartupProbe()));
    }
    if (container.hasReadinessProbe()) {
      line("    Readiness", probe(container.getReadinessProbe()));
    }
    if (container.getEnvCount() > 0) {
      text.append("    Environment:\n");
      new TreeMap<>(container.getEnvMap()).forEach((name, value) -> line("      " + name, value));
    }
  }

  /** {@code http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3}. */
  private static String probe(Probe probe) {
    var action = action(probe);
    return "%s delay=%ds timeout=%ds period=%ds #success=%d #failure=%d"
        .formatted(
            action,
            probe.getInitialDelaySeconds(),
            probe.getTimeoutSeconds(),
            probe.getPeriodSeconds(),
            probe.getSuccessThreshold(),
            probe.getFailureThreshold());
  }

  private static String action(Probe probe) {
    if (probe.hasExec()) {
      return "exec " + probe.getExec().getCommandList();
    }
    if (probe.hasGrpc()) {
      var service = probe.getGrpc().getService();
      return "grpc :" + probe.getGrpc().getPort() + (service.isEmpty() ? "" : "/" + service);
    }
    var http = probe.getHttpGet();
    return probe.hasHttpGet()
        ? "http-get %s://%s:%s%s"
            .formatted(
                http.getScheme().equals("HTTPS") ? "https" : "http",
                http.getHost(),
                http.getPort(),
                http.getPath())
        : "tcp-socket " + probe.getTcpSocket().getHost() + ":" + probe.getTcpSocket().getPort();
  }

  public static String of(EndpointSlice slice) {
    var to = new Descriptions();
    to.meta(slice.getMetadata());
    to.optional("Unused", slice.getUnused());
    to.line("AddressType", slice.getAddressType());
    if (slice.getPortsCount() == 0) {
      to.line("Ports", "<unset>");
    } else {
      to.text.append("Ports:\n");
      var ports =
          new TextTable(
              List.of("Name", "Port", "Protocol"),
              slice.getPortsList().stream()
                  .map(port ->
                      List.of(
                          port.getName().isEmpty() ? "<unset>" : port.getName(),
                          Integer.toString(port.getPort()),
                          port.getProtocol()))
                  .toList());
      to.text.append(ports.text(TextTable.Heads.SHOWN).indent(2));
    }
    to.text.append(slice.getEndpointsCount() == 0 ? "Endpoints: <none>\n" : "Endpoints:\n");
    slice.getEndpointsList().forEach(to::endpoint);
    return to.text.toString();
  }

  private void endpoint(SliceEndpoint endpoint) {
    line("  - Addresses", String.join(",", endpoint.getAddressesList()));
    text.append("    Conditions:\n");
    line("      Ready", Boolean.toString(endpoint.getConditions().getReady()));
    line("      Serving", Boolean.toString(endpoint.getConditions().getServing()));
    line("      Terminating", Boolean.toString(endpoint.getConditions().getTerminating()));
    optional("    Hostname", endpoint.getHostname());
    var target = endpoint.getTargetRef();
    optional(
        "    TargetRef",
        target.getName().isEmpty() ? "" : target.getKind() + "/" + target.getName());
    optional("    NodeName", endpoint.getNodeName());
    optional("    Zone", endpoint.getZone());
    optional(
        "    For Zones",
        String.join(
            ",", endpoint.getHints().getForZonesList().stream().map(NamedHint::getName).toList()));
    optional(
        "    For Nodes",
        String.join(
            ",", endpoint.getHints().getForNodesList().stream().map(NamedHint::getName).toList()));
  }

  public static String of(Namespace namespace) {
    var to = new Descriptions();
    to.meta(namespace.getMetadata());
    to.line("Status", Tables.orNone(namespace.getStatus().getPhase()));
    return to.text.toString();
  }

  public static String of(ServiceCidr cidr) {
    var to = new Descriptions();
    to.meta(cidr.getMetadata());
    to.line("CIDRs", String.join(", ", cidr.getSpec().getCidrsList()));
    var ready = Tables.ready(cidr);
    to.line(
        "Ready",
        ready.getStatus()
            + (ready.getReason().isEmpty() ? "" : " (" + ready.getReason() + ")")
            + (ready.getMessage().isEmpty() ? "" : ": " + ready.getMessage()));
    to.time("Since", ready.hasLastTransitionTime(), ready.getLastTransitionTime());
    for (var range : cidr.getStatus().getRangesList()) {
      to.text.append(range.getCidr()).append(":\n");
      to.band("  Static Band", range.getStaticBand());
      to.band("  Dynamic Band", range.getDynamicBand());
    }
    return to.text.toString();
  }

  private void band(String label, BandUsage band) {
    line(label, "%d of %s used, %s free".formatted(band.getUsed(), band.getSize(), band.getFree()));
  }

  /**
   * An address, whoever holds it.
   *
   * @param address as it was asked for
   */
  public static String of(String address, AllocationReply reply, Instant now) {
    var to = new Descriptions();
    to.line("Address", address);
    to.line("ServiceCIDRs", Tables.orNone(String.join(", ", reply.getServiceCidrsList())));
    if (reply.hasAllocation()) {
      var allocation = reply.getAllocation();
      to.line("Owner", "service " + allocation.getNamespace() + "/" + allocation.getName());
      to.line("Owner UID", allocation.getUid());
      to.line("Owner Version", Tables.orNone(allocation.getResourceVersion()));
      to.line("Since", Ages.since(allocation.getSince(), now) + " (the Service's age)");
      if (allocation.getContendersCount() > 0) {
        to.line(
            "Also Said By",
            String.join(", ", allocation.getContendersList()) + " (served without it)");
      }
    } else {
      to.line("Owner", Tables.NONE);
    }
    to.line("Claim in etcd", claim(reply));
    if (reply.hasClaim()) {
      to.line("Claim Revision", Long.toString(reply.getClaim().getRevision()));
      to.line("Reservation", reservation(reply.getClaim(), now));
    }
    to.line("Position", Tables.orNone(reply.getPosition().getOffsets()));
    return to.text.toString();
  }

  /** As of a moment. */
  public static String of(Reservation reservation, Instant now) {
    var to = new Descriptions();
    var spec = reservation.getSpec();
    to.line("Name", reservation.getMetadata().getName());
    to.line("Created", Ages.of(reservation.getMetadata(), now) + " ago");
    to.line("For", "service " + spec.getHolderNamespace() + "/" + spec.getHolderName());
    to.line("Addresses", String.join(", ", spec.getAddressesList()));
    to.line("Taken Over", Tables.orNone(String.join(", ", reservation.getStatus().getTakenList())));
    to.line("TTL", Ages.text(Duration.ofSeconds(spec.getTtl().getSeconds())));
    to.line("Expires", expires(reservation.getStatus().getExpires(), now));
    to.line("Version", Tables.orNone(reservation.getMetadata().getResourceVersion()));
    return to.text.toString();
  }

  private static String expires(Timestamp expires, Instant now) {
    return "%s (%s)"
        .formatted(
            Timestamps.model(expires).truncatedTo(ChronoUnit.SECONDS), Ages.until(expires, now));
  }

  private static String reservation(AddressClaim claim, Instant now) {
    var id = claim.getReservation().isEmpty() ? claim.getTakenFrom() : claim.getReservation();
    if (id.isEmpty()) {
      return Tables.NONE;
    }
    return "%s for service %s/%s, %s%s"
        .formatted(
            id,
            claim.getNamespace(),
            claim.getName(),
            claim.hasExpires() ? "until " + expires(claim.getExpires(), now) : "over",
            claim.getTakenFrom().isEmpty() ? "" : "; gets it back when the owner gives it up");
  }

  private static String claim(AllocationReply reply) {
    if (!reply.getClaimUnknown().isEmpty()) {
      return "unknown: " + reply.getClaimUnknown();
    }
    if (!reply.hasClaim()) {
      return reply.hasAllocation() ? "<none>: will be made again" : Tables.NONE;
    }
    var claim = reply.getClaim();
    var holder = "service " + claim.getNamespace() + "/" + claim.getName();
    if (!claim.getReservation().isEmpty()) {
      return "reserved for " + holder;
    }
    return claim.getUid().equals(reply.getAllocation().getUid())
        ? holder + " (the owner)"
        : holder + ", uid " + claim.getUid() + " (not the owner: will be put right)";
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
    to.line("Pod Sources", Tables.orNone(String.join(",", node.getSourcesList())));
    to.line("Session", Long.toString(node.getSession()));
    to.line("Stream", Tables.orNone(node.getStreamReplica()));
    to.line("Acknowledged", Tables.orNone(node.getAcknowledged().getOffsets()));
    if (node.hasAcknowledged()) {
      to.line("Lag", node.getLag() + (node.getLag() == 1 ? " offset" : " offsets"));
    }
    to.line("Last Error", Tables.orNone(Plain.line(node.getLastError())));
    to.line("Manifests", Tables.orNone(Tables.refusedManifests(node)));
    if (node.getRefusedCount() == 0) {
      to.line("Refused Rules", Tables.NONE);
    } else {
      to.text.append("Refused Rules:\n");
      node.getRefusedList()
          .forEach(rule ->
              to.text
                  .append("  ")
                  .append(rule.getFrontend())
                  .append(": ")
                  .append(Plain.line(rule.getReason()))
                  .append('\n'));
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
    if (!meta.getUid().isEmpty()) { // derived objects have neither
      line("UID", meta.getUid());
      line("Version", Tables.orNone(meta.getResourceVersion()));
    }
    if (meta.hasDeletionTimestamp()) {
      time("Terminating Since", true, meta.getDeletionTimestamp());
    }
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
