package io.fairlead.core.decide;

import io.fairlead.core.decide.SliceDraft.EndpointDraft;
import io.fairlead.core.decide.SliceDraft.PortDraft;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LabelSyntax;
import io.fairlead.core.model.ManualSlice;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The rules for an EndpointSlice that need no other object, after the API reference of {@code
 * discovery.k8s.io/v1}; and its defaults.
 */
final class SliceRules {
  static final int MOST_ENDPOINTS = 1_000;
  static final int MOST_PORTS = 100;
  static final int MOST_HINTS = 8;
  static final String LABELS = "metadata.labels";
  static final String SERVICE_LABEL = LABELS + "[" + ManualSlice.SERVICE_NAME_LABEL + "]";

  /** Where no connection of another machine leads, with what people call it. */
  private record Unusable(Cidr block, String words) {}

  private static final List<Unusable> UNUSABLE =
      List.of(
          new Unusable(Cidr.of("0.0.0.0/32"), "unspecified"),
          new Unusable(Cidr.of("127.0.0.0/8"), "in the loopback range 127.0.0.0/8"),
          new Unusable(Cidr.of("169.254.0.0/16"), "in the link-local range 169.254.0.0/16"),
          new Unusable(Cidr.of("224.0.0.0/4"), "in the multicast range 224.0.0.0/4"),
          new Unusable(Cidr.of("::/128"), "unspecified"),
          new Unusable(Cidr.of("::1/128"), "the loopback address"),
          new Unusable(Cidr.of("fe80::/10"), "in the link-local range fe80::/10"),
          new Unusable(Cidr.of("ff00::/8"), "in the multicast range ff00::/8"));

  /**
   * A draft that was read: what was faulty is absent and stands among the violations.
   *
   * @param family empty where it was faulty
   */
  record Wish(
      OptionalLong expectedVersion,
      Optional<Family> family,
      List<ManualSlice.Port> ports,
      List<ManualSlice.Endpoint> endpoints) {}

  private final SliceDraft draft;
  private final Violations violations;

  private SliceRules(SliceDraft draft, Violations violations) {
    this.draft = draft;
    this.violations = violations;
  }

  /** Reads a draft, metadata but its name included; faults are added to {@code violations}. */
  static Wish read(SliceDraft draft, Violations violations) {
    return new SliceRules(draft, violations).read();
  }

  private Wish read() {
    MetaRules.checkNamespace(violations, draft.objectName().namespace());
    labels();
    Names.checkAnnotations(violations, "metadata.annotations", draft.annotations());
    var version = MetaRules.version(violations, draft.resourceVersion());
    var family = family();
    return new Wish(version, family, ports(), endpoints(family));
  }

  private void labels() {
    Names.checkLabels(violations, LABELS, draft.labels());
    var service = draft.labels().getOrDefault(ManualSlice.SERVICE_NAME_LABEL, "");
    if (service.isEmpty()) {
      violations.required(SERVICE_LABEL, "the name of the Service that these are endpoints of");
    } else {
      Names.checkLabel(violations, SERVICE_LABEL, service);
    }
    if (ManualSlice.DERIVED.equals(draft.labels().get(ManualSlice.MANAGED_BY_LABEL))) {
      violations.invalid(
          LABELS + "[" + ManualSlice.MANAGED_BY_LABEL + "]",
          ManualSlice.DERIVED,
          "marks slices that are derived from a selector; leave it out or name what manages this one");
    }
  }

  private Optional<Family> family() {
    if (draft.addressType().isEmpty()) {
      violations.required("addressType", "IPv4 or IPv6");
      return Optional.empty();
    }
    for (var family : Family.values()) {
      if (family.text().equals(draft.addressType())) {
        return Optional.of(family);
      }
    }
    violations.notSupported(
        "addressType",
        draft.addressType(),
        List.of(Family.IPV4.text(), Family.IPV6.text())); // FQDN has no consumers anywhere
    return Optional.empty();
  }

  private List<ManualSlice.Port> ports() {
    if (draft.ports().size() > MOST_PORTS) {
      violations.tooLong(
          "ports", "must have at most " + MOST_PORTS + " items, has " + draft.ports().size());
      return List.of();
    }
    var names = new HashSet<String>();
    var ports = new ArrayList<ManualSlice.Port>();
    for (int i = 0; i < draft.ports().size(); i++) {
      port("ports[" + i + "]", draft.ports().get(i), names).ifPresent(ports::add);
    }
    return ports;
  }

  private Optional<ManualSlice.Port> port(String field, PortDraft port, Set<String> names) {
    if (!port.name().isEmpty()) {
      Names.checkLabel(violations, field + ".name", port.name());
    }
    if (!names.add(port.name())) {
      violations.duplicate(field + ".name", port.name());
    }
    if (port.port() == 0) {
      violations.required(field + ".port", ServiceRules.PORT_RULE);
    } else if (!ServiceRules.isPort(port.port())) {
      violations.invalid(field + ".port", port.port(), ServiceRules.PORT_RULE);
    }
    if (!port.appProtocol().isEmpty()) {
      var fault = LabelSyntax.keyFault(port.appProtocol());
      if (!fault.isEmpty()) {
        violations.invalid(field + ".appProtocol", port.appProtocol(), fault);
      }
    }
    return ServiceRules.protocol(violations, field + ".protocol", port.protocol())
        .map(protocol ->
            new ManualSlice.Port(port.name(), protocol, port.port(), text(port.appProtocol())));
  }

  private List<ManualSlice.Endpoint> endpoints(Optional<Family> family) {
    if (draft.endpoints().size() > MOST_ENDPOINTS) {
      violations.tooLong(
          "endpoints",
          "must have at most "
              + MOST_ENDPOINTS
              + " items, has "
              + draft.endpoints().size()
              + ": use several slices");
      return List.of();
    }
    var seen = new HashSet<Address>();
    var endpoints = new ArrayList<ManualSlice.Endpoint>();
    for (int i = 0; i < draft.endpoints().size(); i++) {
      var field = "endpoints[" + i + "]";
      var endpoint = draft.endpoints().get(i);
      var address = address(field + ".addresses", endpoint, family);
      if (address.isPresent() && !seen.add(address.get())) {
        violations.duplicate(field + ".addresses[0]", address.get().toString());
      }
      if (!endpoint.hostname().isEmpty()) {
        Names.checkLabel(violations, field + ".hostname", endpoint.hostname());
      }
      if (!endpoint.nodeName().isEmpty()) {
        Names.checkSubdomain(violations, field + ".nodeName", endpoint.nodeName());
      }
      var zoneFault = LabelSyntax.valueFault(endpoint.zone());
      if (!zoneFault.isEmpty()) { // zones are values of a label of nodes
        violations.invalid(field + ".zone", endpoint.zone(), zoneFault);
      }
      checkHints(field + ".hints.forZones", endpoint.forZones());
      checkHints(field + ".hints.forNodes", endpoint.forNodes());
      address.ifPresent(a ->
          endpoints.add(
              new ManualSlice.Endpoint(
                  a,
                  endpoint.ready().orElse(true),
                  endpoint.serving().orElse(true),
                  endpoint.terminating().orElse(false),
                  text(endpoint.hostname()),
                  text(endpoint.nodeName()),
                  text(endpoint.zone()),
                  endpoint.forZones(),
                  endpoint.forNodes())));
    }
    return endpoints;
  }

  /**
   * Kubernetes takes up to a hundred addresses of one endpoint and leaves open what all but the
   * first mean; here it is one.
   */
  private Optional<Address> address(String field, EndpointDraft endpoint, Optional<Family> family) {
    if (endpoint.addresses().isEmpty()) {
      violations.required(field, "an address");
      return Optional.empty();
    }
    if (endpoint.addresses().size() > 1) {
      violations.tooLong(
          field,
          "must have one item, has "
              + endpoint.addresses().size()
              + ": an endpoint is one address, list the others as endpoints of their own");
      return Optional.empty();
    }
    var at = field + "[0]";
    var text = endpoint.addresses().getFirst();
    var address = Address.parse(text);
    if (address.isEmpty()) {
      violations.invalid(at, text, "must be an address like 192.0.2.7 or 2001:db8::7");
      return Optional.empty();
    }
    if (family.isPresent() && address.get().family() != family.get()) {
      violations.invalid(at, text, "must be of addressType " + family.get().text());
      return Optional.empty();
    }
    var unusable = UNUSABLE.stream().filter(u -> u.block().contains(address.get())).findFirst();
    unusable.ifPresent(u ->
        violations.invalid(
            at, text, "is " + u.words() + ", where no other machine can be reached"));
    return unusable.isPresent() ? Optional.empty() : address;
  }

  private void checkHints(String field, List<String> names) {
    if (names.size() > MOST_HINTS) {
      violations.tooLong(field, "must have at most " + MOST_HINTS + " items, has " + names.size());
      return;
    }
    var seen = new HashSet<String>();
    for (int i = 0; i < names.size(); i++) {
      var at = field + "[" + i + "].name";
      if (names.get(i).isEmpty()) {
        violations.required(at, "a name");
      }
      var fault = LabelSyntax.valueFault(names.get(i));
      if (!fault.isEmpty()) {
        violations.invalid(at, names.get(i), fault);
      }
      if (!seen.add(names.get(i))) {
        violations.duplicate(at, names.get(i));
      }
    }
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(v -> !v.isEmpty());
  }
}
