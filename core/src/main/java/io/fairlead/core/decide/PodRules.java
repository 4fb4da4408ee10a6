package io.fairlead.core.decide;

import io.fairlead.core.decide.PodDraft.ContainerDraft;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodLease;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The rules for a Pod that need no other object, after the API reference of Kubernetes; and its
 * defaults.
 */
final class PodRules {
  private static final Pattern SOURCE = Pattern.compile("[A-Za-z0-9][-A-Za-z0-9_.:/]{0,252}");
  private static final Pattern ENV_NAME =
      Pattern.compile("[ -<>-~]+"); // printable ASCII without '='

  /**
   * A draft that was read: what was faulty is absent and stands among the violations.
   *
   * @param uid only where it was given
   * @param phase only where it was given
   * @param ips at most one of each family
   */
  record Wish(
      Optional<UUID> uid,
      OptionalLong expectedVersion,
      String source,
      Pod.Spec spec,
      Optional<Pod.Phase> phase,
      List<Address> ips,
      String reason) {}

  private final PodDraft draft;
  private final Violations violations;

  private PodRules(PodDraft draft, Violations violations) {
    this.draft = draft;
    this.violations = violations;
  }

  /** Reads a draft, metadata included; faults are added to {@code violations}. */
  static Wish read(PodDraft draft, Violations violations) {
    return new PodRules(draft, violations).read();
  }

  private Wish read() {
    if (draft.name().isEmpty()) {
      violations.required("metadata.name", "a name is needed");
    } else {
      Names.checkSubdomain(violations, "metadata.name", draft.name());
    }
    MetaRules.checkNamespace(violations, draft.objectName().namespace());
    Names.checkLabels(violations, "metadata.labels", draft.labels());
    Names.checkAnnotations(violations, "metadata.annotations", draft.annotations());
    PodLease.faulty(draft.annotations())
        .ifPresent(text ->
            violations.invalid(
                "metadata.annotations[" + PodLease.ANNOTATION + "]", text, PodLease.RULE));
    var version = MetaRules.version(violations, draft.resourceVersion());
    var uid = uid();
    var source = draft.source().isEmpty() ? PodDraft.DEFAULT_SOURCE : draft.source();
    checkSource(violations, "source", source);
    PodStatusRules.checkLength("status.reason", draft.reason(), violations);
    return new Wish(
        uid,
        version,
        source,
        spec(),
        PodStatusRules.phase(draft.phase(), violations),
        PodStatusRules.ips(draft.podIp(), draft.podIps(), violations),
        draft.reason());
  }

  /** Who reports Pods. */
  static void checkSource(Violations violations, String field, String source) {
    if (!SOURCE.matcher(source).matches()) {
      violations.invalid(
          field,
          source,
          "must be up to 253 letters, digits, '-', '_', '.', ':' and '/', beginning with a letter or digit");
    }
  }

  private Optional<UUID> uid() {
    if (draft.uid().isEmpty()) {
      return Optional.empty();
    }
    try {
      var uid = UUID.fromString(draft.uid());
      if (uid.toString()
          .equals(draft.uid())) { // fromString takes shorter forms too: one spelling for one uid
        return Optional.of(uid);
      }
    } catch (IllegalArgumentException _) {
      // falls through to the violation
    }
    violations.invalid("metadata.uid", draft.uid(), "must be a UUID in lower case");
    return Optional.empty();
  }

  private Pod.Spec spec() {
    if (!draft.nodeName().isEmpty()) {
      Names.checkSubdomain(violations, "spec.nodeName", draft.nodeName());
    }
    if (!draft.hostname().isEmpty()) {
      Names.checkLabel(violations, "spec.hostname", draft.hostname());
    }
    if (!draft.subdomain().isEmpty()) {
      Names.checkLabel(violations, "spec.subdomain", draft.subdomain());
    }
    if (draft.containers().isEmpty()) {
      violations.required("spec.containers", "a Pod needs at least one container");
    }
    var names = new HashSet<String>();
    return new Pod.Spec(
        text(draft.nodeName()),
        draft.hostNetwork(),
        text(draft.hostname()),
        text(draft.subdomain()),
        containers("spec.containers", draft.containers(), Role.APP, names),
        restartPolicy(),
        grace(),
        containers("spec.initContainers", draft.initContainers(), Role.INIT, names),
        PodConditionRules.gates(draft.readinessGates(), violations),
        draft.enableServiceLinks().orElse(true));
  }

  /** Where a container stands. */
  private enum Role {
    APP,
    INIT
  }

  /**
   * @param names of all containers so far
   */
  private List<Pod.Container> containers(
      String list, List<ContainerDraft> drafts, Role role, Set<String> names) {
    var containers = new ArrayList<Pod.Container>();
    for (int i = 0; i < drafts.size(); i++) {
      var field = list + "[" + i + "]";
      var container = drafts.get(i);
      if (container.name().isEmpty()) {
        violations.required(field + ".name", "a container needs a name");
      } else {
        Names.checkLabel(violations, field + ".name", container.name());
        if (!names.add(container.name())) {
          violations.duplicate(field + ".name", container.name());
        }
      }
      var policy = containerPolicy(field, container, role);
      containers.add(container(field, container, policy));
      if (role == Role.INIT && policy.isEmpty()) {
        container.readinessProbe().ifPresent(_ -> noProbe(field + ".readinessProbe"));
        container.startupProbe().ifPresent(_ -> noProbe(field + ".startupProbe"));
      }
    }
    return List.copyOf(containers);
  }

  private void noProbe(String field) {
    violations.forbidden(
        field,
        "an init container is over before the Pod can be ready, unless its restartPolicy is Always");
  }

  private Optional<Pod.RestartPolicy> containerPolicy(
      String field, ContainerDraft container, Role role) {
    if (container.restartPolicy().isEmpty()) {
      return Optional.empty();
    }
    if (role == Role.APP) {
      violations.forbidden(
          field + ".restartPolicy", "only init containers have their own: use spec.restartPolicy");
    } else if (!container.restartPolicy().equals(Pod.RestartPolicy.ALWAYS.text())) {
      violations.notSupported(
          field + ".restartPolicy",
          container.restartPolicy(),
          List.of(Pod.RestartPolicy.ALWAYS.text()));
    }
    return Optional.of(Pod.RestartPolicy.ALWAYS);
  }

  private Pod.RestartPolicy restartPolicy() {
    if (draft.restartPolicy().isEmpty()) {
      return Pod.RestartPolicy.ALWAYS;
    }
    var policies = Pod.RestartPolicy.values();
    var policy =
        Arrays.stream(policies).filter(p -> p.text().equals(draft.restartPolicy())).findFirst();
    if (policy.isEmpty()) {
      violations.notSupported(
          "spec.restartPolicy",
          draft.restartPolicy(),
          Arrays.stream(policies).map(Pod.RestartPolicy::text).toList());
    }
    return policy.orElse(Pod.RestartPolicy.ALWAYS);
  }

  private Duration grace() {
    long seconds = draft.terminationGraceSeconds().orElse(Pod.Spec.DEFAULT_GRACE.toSeconds());
    if (seconds < 0 || seconds > Integer.MAX_VALUE) {
      violations.invalid(
          "spec.terminationGracePeriodSeconds",
          Long.toString(seconds),
          "must be within 0 and " + Integer.MAX_VALUE);
      return Pod.Spec.DEFAULT_GRACE;
    }
    return Duration.ofSeconds(seconds);
  }

  private Pod.Container container(
      String field, ContainerDraft container, Optional<Pod.RestartPolicy> policy) {
    new TreeMap<>(container.env())
        .keySet()
        .forEach(name -> {
          if (!ENV_NAME.matcher(name).matches()) {
            violations.invalid(field + ".env", name, "must be printable ASCII without '='");
          }
        });
    var probe =
        container
            .readinessProbe()
            .flatMap(p ->
                ProbeRules.read(
                    violations, field + ".readinessProbe", p, ProbeRules.Purpose.READINESS));
    var startup =
        container
            .startupProbe()
            .flatMap(p ->
                ProbeRules.read(
                    violations, field + ".startupProbe", p, ProbeRules.Purpose.STARTUP));
    return new Pod.Container(
        container.name(),
        container.image(),
        container.command(),
        container.args(),
        new TreeMap<>(container.env()),
        ports(field, container),
        probe,
        workingDir(field, container),
        startup,
        policy);
  }

  private Optional<String> workingDir(String field, ContainerDraft container) {
    var directory = text(container.workingDir());
    directory
        .filter(d -> !d.startsWith("/"))
        .ifPresent(d -> violations.invalid(field + ".workingDir", d, "must begin with /"));
    return directory;
  }

  private List<Pod.ContainerPort> ports(String field, ContainerDraft container) {
    var names = new HashSet<String>();
    var ports = new ArrayList<Pod.ContainerPort>();
    for (int i = 0; i < container.ports().size(); i++) {
      var path = field + ".ports[" + i + "]";
      var port = container.ports().get(i);
      if (!port.name().isEmpty()) {
        Names.checkPortName(violations, path + ".name", port.name());
        if (!names.add(port.name())) {
          violations.duplicate(path + ".name", port.name());
        }
      }
      if (port.containerPort() == 0) {
        violations.required(path + ".containerPort", ServiceRules.PORT_RULE);
      } else if (!ServiceRules.isPort(port.containerPort())) {
        violations.invalid(path + ".containerPort", port.containerPort(), ServiceRules.PORT_RULE);
      }
      ServiceRules.protocol(violations, path + ".protocol", port.protocol())
          .ifPresent(protocol ->
              ports.add(new Pod.ContainerPort(port.name(), protocol, port.containerPort())));
    }
    return ports;
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(v -> !v.isEmpty());
  }
}
