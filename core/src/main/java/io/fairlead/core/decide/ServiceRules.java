package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceDraft.PortDraft;
import io.fairlead.core.decide.ServiceWish.Addresses;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LabelSyntax;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.model.ServiceSpec.IpFamilyPolicy;
import io.fairlead.core.model.ServiceSpec.TrafficDistribution;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The rules for a Service that need no other object: syntax, ranges of values, fields that exclude
 * each other, defaults. After the API reference of Kubernetes; field paths are those of a manifest.
 */
final class ServiceRules {
  /** Each costs every node a rule. */
  static final int MOST_PORTS = 1_000;

  static final Duration DEFAULT_AFFINITY = Duration.ofHours(3);
  private static final long LONGEST_AFFINITY_SECONDS = 86_400;
  private static final List<String> TRUTHS = List.of("true", "false");

  static final String BALANCING_FIELD = "metadata.annotations[" + Balancing.ANNOTATION + "]";
  private static final String TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
  private static final String TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";

  private final ServiceDraft draft;
  private final Violations violations;

  private ServiceRules(ServiceDraft draft, Violations violations) {
    this.draft = draft;
    this.violations = violations;
  }

  /**
   * Reads a draft; faults are added to {@code violations}. The name is not looked at, see {@link
   * MetaRules}.
   */
  static ServiceWish read(ServiceDraft draft, Violations violations) {
    return new ServiceRules(draft, violations).read();
  }

  private ServiceWish read() {
    Names.checkLabels(violations, "metadata.labels", draft.labels());
    Names.checkAnnotations(violations, "metadata.annotations", draft.annotations());
    var expectedVersion = MetaRules.version(violations, draft.resourceVersion());
    var balancing = balancing();
    checkTopologyAnnotations();
    checkResetConnections();
    var exposure = exposure();
    var families = families();
    var addresses = addresses(exposure);
    var policy =
        oneOf(
            "spec.ipFamilyPolicy",
            draft.ipFamilyPolicy(),
            IpFamilyPolicy.values(),
            IpFamilyPolicy::text);
    Names.checkLabels(violations, "spec.selector", draft.selector());
    var ports = ports(exposure);
    var affinity = affinity();
    var internal =
        oneOf(
            "spec.internalTrafficPolicy",
            draft.internalTrafficPolicy(),
            TrafficPolicy.values(),
            TrafficPolicy::text);
    return new ServiceWish(
        draft.labels(),
        draft.annotations(),
        exposure,
        addresses,
        families,
        policy,
        draft.selector(),
        ports,
        affinity,
        // says nothing of a name, is not shown of one, and so is not kept, as in Kubernetes
        internal.filter(_ -> exposure != Exposure.EXTERNAL_NAME).orElse(TrafficPolicy.CLUSTER),
        trafficDistribution(),
        draft.publishNotReadyAddresses(),
        externalName(exposure),
        balancing,
        expectedVersion);
  }

  private Optional<Balancing> balancing() {
    return oneOf(
        BALANCING_FIELD,
        draft.annotations().getOrDefault(Balancing.ANNOTATION, ""),
        Balancing.values(),
        Balancing::text);
  }

  private void checkTopologyAnnotations() {
    var mode = draft.annotations().getOrDefault(TOPOLOGY_MODE, "");
    var hints = draft.annotations().getOrDefault(TOPOLOGY_HINTS, "");
    if (!mode.isEmpty() && !hints.isEmpty() && !mode.equals(hints)) {
      violations.invalid(
          "metadata.annotations[" + TOPOLOGY_MODE + "]",
          mode,
          "differs from annotation " + TOPOLOGY_HINTS);
    }
  }

  private void checkResetConnections() {
    var value = draft.annotations().getOrDefault(Service.RESET_CONNECTIONS, "false");
    if (!TRUTHS.contains(value)) {
      violations.notSupported(
          "metadata.annotations[" + Service.RESET_CONNECTIONS + "]", value, TRUTHS);
    }
  }

  private Exposure exposure() {
    boolean none = draft.clusterIp().equals("None") || draft.clusterIps().contains("None");
    return switch (draft.type()) {
      case "", "ClusterIP" -> none ? Exposure.HEADLESS : Exposure.CLUSTER_IP;
      case "ExternalName" -> Exposure.EXTERNAL_NAME;
      default -> {
        violations.notSupported("spec.type", draft.type(), List.of("ClusterIP", "ExternalName"));
        if (none && hasNodePorts()) {
          violations.invalid("spec.clusterIPs[0]", "None", "not with type " + draft.type());
        }
        yield none ? Exposure.HEADLESS : Exposure.CLUSTER_IP;
      }
    };
  }

  private boolean hasNodePorts() {
    return draft.type().equals("NodePort") || draft.type().equals("LoadBalancer");
  }

  private List<Family> families() {
    var families = new ArrayList<Family>();
    for (int i = 0; i < draft.ipFamilies().size(); i++) {
      var field = "spec.ipFamilies[" + i + "]";
      var text = draft.ipFamilies().get(i);
      if (text.isEmpty()) {
        violations.notSupported(field, text, texts(Family.values(), Family::text));
        continue;
      }
      var family = oneOf(field, text, Family.values(), Family::text);
      if (family.isPresent() && families.contains(family.get())) {
        violations.duplicate(field, text);
      } else {
        family.ifPresent(families::add);
      }
    }
    return families;
  }

  private Addresses addresses(Exposure exposure) {
    var primary = draft.clusterIp();
    var list = draft.clusterIps();
    if (primary.isEmpty() && list.isEmpty()) {
      return new Addresses.Unsaid();
    }
    if (list.isEmpty()) {
      if (primary.equals("None")) {
        return new Addresses.None();
      }
      var parsed = parse("spec.clusterIPs[0]", primary, 0, exposure);
      return parsed.<Addresses>map(Addresses.Primary::new).orElseGet(Addresses.Faulty::new);
    }
    boolean faulty = false;
    if (!primary.equals(list.getFirst())) {
      violations.invalid(
          "spec.clusterIPs",
          list.getFirst(),
          primary.isEmpty()
              ? "spec.clusterIP must be given too, as the first of them"
              : "the first must be the same as spec.clusterIP, " + Violations.quoted(primary));
      faulty = true;
    }
    if (list.equals(List.of("None"))) {
      return faulty ? new Addresses.Faulty() : new Addresses.None();
    }
    if (list.contains("None")) {
      violations.invalid("spec.clusterIPs", "None must be the only entry");
      return new Addresses.Faulty();
    }
    if (list.size() > 2) {
      violations.invalid("spec.clusterIPs", "at most two addresses, one of each family");
      faulty = true;
    }
    var parsed = new ArrayList<Address>();
    for (int i = 0; i < list.size(); i++) {
      parse("spec.clusterIPs[" + i + "]", list.get(i), i, exposure).ifPresent(parsed::add);
    }
    if (list.size() == 2
        && parsed.size() == 2
        && parsed.get(0).family() == parsed.get(1).family()) {
      violations.invalid("spec.clusterIPs", "two addresses must be one of each family");
      faulty = true;
    }
    return faulty || parsed.size() < list.size()
        ? new Addresses.Faulty()
        : new Addresses.Listed(List.copyOf(parsed));
  }

  private Optional<Address> parse(String field, String text, int index, Exposure exposure) {
    var address = Address.parse(text);
    if (address.isEmpty()) {
      violations.invalid(
          field,
          text,
          "must be None or an IP address, without leading zeros, e.g. 10.96.0.10 or fd00::a");
      return address;
    }
    if (exposure != Exposure.EXTERNAL_NAME && index < draft.ipFamilies().size()) {
      var family = draft.ipFamilies().get(index);
      boolean known = family.equals(Family.IPV4.text()) || family.equals(Family.IPV6.text());
      if (known && !family.equals(address.get().family().text())) {
        violations.invalid(
            field, text, "is not " + family + ", as spec.ipFamilies[" + index + "] says");
        return Optional.empty();
      }
    }
    return address;
  }

  private List<ServicePort> ports(Exposure exposure) {
    if (draft.ports().size() > MOST_PORTS) { // and nothing else of them: as many faults
      violations.invalid(
          "spec.ports", "at most " + MOST_PORTS + " ports, not " + draft.ports().size());
      return List.of();
    }
    if (draft.ports().isEmpty() && exposure == Exposure.CLUSTER_IP) {
      violations.required("spec.ports", "a Service with a ClusterIP needs at least one port");
    }
    var ports = new ArrayList<ServicePort>();
    var names = new HashSet<String>();
    var numbers = new HashSet<String>();
    for (int i = 0; i < draft.ports().size(); i++) {
      var port = draft.ports().get(i);
      var field = "spec.ports[" + i + "]";
      if (port.name().isEmpty()) {
        if (draft.ports().size() > 1) {
          violations.required(field + ".name", "each port needs a name where there are several");
        }
      } else {
        Names.checkLabel(violations, field + ".name", port.name());
        if (!names.add(port.name())) {
          violations.duplicate(field + ".name", port.name());
        }
      }
      var protocol = protocol(violations, field + ".protocol", port.protocol());
      boolean inRange = isPort(port.port());
      if (!inRange) {
        violations.invalid(field + ".port", port.port(), PORT_RULE);
      }
      if (protocol.isPresent() && inRange && !numbers.add(port.port() + "/" + protocol.get())) {
        violations.duplicate(field, port.port() + "/" + protocol.get());
      }
      if (port.nodePort() != 0 && !hasNodePorts()) {
        violations.forbidden(field + ".nodePort", "not with type ClusterIP or ExternalName");
      }
      var target = target(port, field + ".targetPort");
      if (!port.appProtocol().isEmpty()) {
        var fault = LabelSyntax.keyFault(port.appProtocol());
        if (!fault.isEmpty()) {
          violations.invalid(field + ".appProtocol", port.appProtocol(), fault);
        }
      }
      if (protocol.isPresent() && target.isPresent()) {
        ports.add(
            new ServicePort(
                port.name(),
                protocol.get(),
                port.port(),
                target.get(),
                Optional.of(port.appProtocol()).filter(p -> !p.isEmpty())));
      }
    }
    return ports;
  }

  private Optional<PortRef> target(PortDraft port, String field) {
    return port.targetPort().isEmpty() || port.targetPort().equals("0")
        ? Optional.of(new PortRef.Number(port.port()))
        : portRef(violations, field, port.targetPort());
  }

  static final String PORT_RULE = "must be between 1 and 65535, inclusive";

  static boolean isPort(int number) {
    return number >= 1 && number <= 65_535;
  }

  static Optional<Protocol> protocol(Violations violations, String field, String text) {
    if (text.isEmpty()) {
      return Optional.of(Protocol.TCP);
    }
    for (var protocol : Protocol.values()) {
      if (protocol.name().equals(text)) {
        return Optional.of(protocol);
      }
    }
    violations.notSupported(field, text, texts(Protocol.values(), Protocol::name));
    return Optional.empty();
  }

  /** A number, or the name of a container port. */
  static Optional<PortRef> portRef(Violations violations, String field, String text) {
    if (text.matches("[+-]?[0-9]+")) {
      int number = text.length() > 6 ? -1 : Integer.parseInt(text);
      if (!isPort(number)) {
        violations.invalid(field, text + ": " + PORT_RULE);
        return Optional.empty();
      }
      return Optional.of(new PortRef.Number(number));
    }
    int before = violations.list().size();
    Names.checkPortName(violations, field, text);
    return violations.list().size() == before
        ? Optional.of(new PortRef.Name(text))
        : Optional.empty();
  }

  private Optional<Duration> affinity() {
    return switch (draft.sessionAffinity()) {
      // a time-out without affinity means nothing, as in Kubernetes
      case "", "None" -> Optional.empty();
      case "ClientIP" -> Optional.of(affinityTimeout());
      default -> {
        violations.notSupported(
            "spec.sessionAffinity", draft.sessionAffinity(), List.of("ClientIP", "None"));
        yield Optional.empty();
      }
    };
  }

  private Duration affinityTimeout() {
    if (draft.affinitySeconds().isEmpty()) {
      return DEFAULT_AFFINITY;
    }
    int seconds = draft.affinitySeconds().getAsInt();
    if (seconds < 1 || seconds > LONGEST_AFFINITY_SECONDS) {
      violations.invalid(
          "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
          seconds,
          "must be between 1 and " + LONGEST_AFFINITY_SECONDS + ", inclusive");
    }
    return Duration.ofSeconds(seconds);
  }

  private Optional<TrafficDistribution> trafficDistribution() {
    return switch (draft.trafficDistribution()) {
      case "" -> Optional.empty();
      case "PreferClose", "PreferSameZone" -> Optional.of(TrafficDistribution.PREFER_SAME_ZONE);
      case "PreferSameNode" -> Optional.of(TrafficDistribution.PREFER_SAME_NODE);
      default -> {
        violations.notSupported(
            "spec.trafficDistribution",
            draft.trafficDistribution(),
            List.of("PreferClose", "PreferSameZone", "PreferSameNode"));
        yield Optional.empty();
      }
    };
  }

  private Optional<String> externalName(Exposure exposure) {
    if (exposure != Exposure.EXTERNAL_NAME) {
      return Optional.empty(); // has no effect there, as in Kubernetes
    }
    var name = draft.externalName();
    if (name.isEmpty()) {
      violations.required(
          "spec.externalName", "a Service of type ExternalName needs the name it stands for");
      return Optional.empty();
    }
    var relative = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    Names.checkDomainName(violations, "spec.externalName", relative);
    return Optional.of(relative);
  }

  /** The constant with that text; empty for "" and, with a violation, for what is none of them. */
  private <E> Optional<E> oneOf(
      String field, String text, E[] constants, Function<E, String> textOf) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    var found = Arrays.stream(constants).filter(c -> textOf.apply(c).equals(text)).findFirst();
    if (found.isEmpty()) {
      violations.notSupported(field, text, texts(constants, textOf));
    }
    return found;
  }

  private static <E> List<String> texts(E[] constants, Function<E, String> textOf) {
    return Arrays.stream(constants).map(textOf).toList();
  }
}
