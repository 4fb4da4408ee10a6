package io.fairlead.core.decide;

import io.fairlead.core.decide.PodStatusDraft.ContainerStatusDraft;
import io.fairlead.core.decide.PodStatusDraft.StateDraft;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Pod;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The rules for the status of a Pod, whoever says it. */
final class PodStatusRules {
  /** Of each reason and each message, in characters. */
  static final int LONGEST_TEXT = 4096;

  private PodStatusRules() {}

  /** What runs a Pod says of it, read; faults are added to {@code violations}. */
  static Pod.Status read(PodStatusDraft draft, Pod pod, Violations violations) {
    var ips = ips(draft.podIp(), draft.podIps(), violations);
    var phase = withAddress(phase(draft.phase(), violations), ips);
    var before = pod.status().phase();
    if (before.isFinal() && phase != before && !violations.concern("status.phase")) {
      violations.immutable(
          "status.phase",
          "is " + before.text() + ", which is final: delete the Pod and create it anew");
    }
    checkLength("status.reason", draft.reason(), violations);
    checkLength("status.message", draft.message(), violations);
    return new Pod.Status(
        phase,
        ips,
        draft.reason(),
        draft.message(),
        containers(draft.containers(), pod, violations),
        pod.status().deleting());
  }

  /** A Pod that nobody can reach does not count as running. */
  static Pod.Phase withAddress(Optional<Pod.Phase> phase, List<Address> ips) {
    var unlessToldElse = ips.isEmpty() ? Pod.Phase.PENDING : Pod.Phase.RUNNING;
    return phase.filter(told -> told != Pod.Phase.RUNNING || !ips.isEmpty()).orElse(unlessToldElse);
  }

  static void checkLength(String field, String text, Violations violations) {
    if (text.length() > LONGEST_TEXT) { // whole objects stand in the log
      violations.tooLong(field, "must be at most " + LONGEST_TEXT + " characters");
    }
  }

  /** In the order of the spec. */
  private static List<ContainerStatus> containers(
      List<ContainerStatusDraft> drafts, Pod pod, Violations violations) {
    var names =
        Stream.concat(pod.spec().initContainers().stream(), pod.spec().containers().stream())
            .map(Pod.Container::name)
            .toList();
    Map<String, ContainerStatus> statuses = new HashMap<>();
    for (int i = 0; i < drafts.size(); i++) {
      var field = "status.containerStatuses[" + i + "]";
      var draft = drafts.get(i);
      if (!names.contains(draft.name())) {
        violations.notSupported(field + ".name", draft.name(), names);
      } else if (statuses.containsKey(draft.name())) {
        violations.duplicate(field + ".name", draft.name());
      }
      if (draft.restartCount() < 0) {
        violations.invalid(field + ".restartCount", draft.restartCount(), "must not be negative");
      }
      var last = draft.lastState().flatMap(state -> last(field, state, violations));
      if (draft.state().isEmpty()) {
        violations.required(field + ".state", "must be waiting, running or terminated");
      } else {
        state(field + ".state", draft.state().get(), violations)
            .ifPresent(state ->
                statuses.put(
                    draft.name(),
                    new ContainerStatus(draft.name(), draft.restartCount(), state, last)));
      }
    }
    return names.stream()
        .flatMap(name -> Optional.ofNullable(statuses.get(name)).stream())
        .toList();
  }

  private static Optional<ContainerStatus.Terminated> last(
      String field, StateDraft draft, Violations violations) {
    return switch (draft) {
      case StateDraft.Terminated terminated ->
          terminated(field + ".lastState.terminated", terminated, violations);
      case StateDraft.Waiting _, StateDraft.Running _ -> {
        violations.invalid(field + ".lastState", "must be terminated, or absent");
        yield Optional.empty();
      }
    };
  }

  private static Optional<? extends ContainerStatus.State> state(
      String field, StateDraft draft, Violations violations) {
    return switch (draft) {
      case StateDraft.Waiting(var reason, var message) -> {
        checkLength(field + ".waiting.reason", reason, violations);
        checkLength(field + ".waiting.message", message, violations);
        yield Optional.of(new ContainerStatus.Waiting(reason, message));
      }
      case StateDraft.Running(var started) -> {
        if (started.isEmpty()) {
          violations.required(field + ".running.startedAt", "since when it runs");
        }
        yield started.map(ContainerStatus.Running::new);
      }
      case StateDraft.Terminated terminated ->
          terminated(field + ".terminated", terminated, violations);
    };
  }

  private static Optional<ContainerStatus.Terminated> terminated(
      String field, StateDraft.Terminated draft, Violations violations) {
    if (draft.exitCode() < 0 || draft.exitCode() > 255) {
      violations.invalid(field + ".exitCode", draft.exitCode(), "must be between 0 and 255");
    }
    if (draft.finished().isEmpty()) {
      violations.required(field + ".finishedAt", "when it ended");
    }
    checkLength(field + ".reason", draft.reason(), violations);
    checkLength(field + ".message", draft.message(), violations);
    return draft
        .finished()
        .map(finished ->
            new ContainerStatus.Terminated(
                draft.exitCode(), draft.reason(), draft.message(), draft.started(), finished));
  }

  static Optional<Pod.Phase> phase(String text, Violations violations) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    var phase = Arrays.stream(Pod.Phase.values()).filter(p -> p.text().equals(text)).findFirst();
    if (phase.isEmpty()) {
      violations.notSupported(
          "status.phase", text, Arrays.stream(Pod.Phase.values()).map(Pod.Phase::text).toList());
    }
    return phase;
  }

  /** At most one of each family. */
  static List<Address> ips(String podIp, List<String> texts, Violations violations) {
    if (!podIp.isEmpty() && texts.isEmpty()) {
      return ip("status.podIP", podIp, violations).map(List::of).orElse(List.of());
    }
    if (!podIp.isEmpty() && !texts.getFirst().equals(podIp)) {
      violations.invalid(
          "status.podIPs",
          texts.getFirst(),
          "the first must be the same as status.podIP, " + Violations.quoted(podIp));
    }
    var ips = new ArrayList<Address>();
    var families = new HashSet<Family>();
    for (int i = 0; i < texts.size(); i++) {
      var field = "status.podIPs[" + i + "].ip";
      var ip = ip(field, texts.get(i), violations);
      if (ip.isPresent() && !families.add(ip.get().family())) {
        violations.invalid(field, texts.get(i), "a Pod has at most one address of each family");
      } else {
        ip.ifPresent(ips::add);
      }
    }
    return ips;
  }

  private static Optional<Address> ip(String field, String text, Violations violations) {
    var address = Address.parse(text);
    if (address.isEmpty()) {
      violations.invalid(
          field, text, "must be an IP address without leading zeros, e.g. 10.244.1.7");
      return address;
    }
    var fault = unusable(address.get());
    if (!fault.isEmpty()) {
      violations.invalid(field, text, "must not be " + fault);
    }
    return address;
  }

  /** Why nobody else can reach that address, or "". */
  private static String unusable(Address address) {
    return switch (address.family()) {
      case IPV4 -> {
        long first = address.low() >>> 24;
        long firstTwo = address.low() >>> 16;
        yield first == 0
            ? "unspecified"
            : first == 127
                ? "a loopback address"
                : firstTwo == 0xa9fe
                    ? "a link-local address"
                    : first >= 224 ? "a multicast, reserved or broadcast address" : "";
      }
      case IPV6 -> {
        long top = address.high() >>> 48;
        yield address.high() == 0 && address.low() == 0
            ? "unspecified"
            : address.high() == 0 && address.low() == 1
                ? "a loopback address"
                : (top & 0xffc0) == 0xfe80
                    ? "a link-local address"
                    : (top & 0xff00) == 0xff00 ? "a multicast address" : "";
      }
    };
  }
}
