package io.fairlead.core.decide;

import io.fairlead.core.decide.PodDraft.HttpGetDraft;
import io.fairlead.core.decide.PodDraft.ProbeDraft;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The rules for readiness probes, and Kubernetes' defaults for what they do not say. */
final class ProbeRules {
  private static final int DEFAULT_PERIOD_SECONDS = 10;
  private static final int DEFAULT_TIMEOUT_SECONDS = 1;
  private static final int DEFAULT_SUCCESS_THRESHOLD = 1;
  private static final int DEFAULT_FAILURE_THRESHOLD = 3;

  /** RFC 9110 token. */
  private static final Pattern HEADER_NAME = Pattern.compile("[-!#$%&'*+.^_`|~A-Za-z0-9]+");

  private ProbeRules() {}

  /**
   * @return empty where it cannot be read, with violations
   */
  static Optional<Pod.Probe> read(Violations violations, String field, ProbeDraft draft) {
    int initialDelay =
        number(violations, field + ".initialDelaySeconds", draft.initialDelaySeconds(), 0);
    int period =
        number(violations, field + ".periodSeconds", draft.periodSeconds(), DEFAULT_PERIOD_SECONDS);
    int timeout =
        number(
            violations, field + ".timeoutSeconds", draft.timeoutSeconds(), DEFAULT_TIMEOUT_SECONDS);
    int success =
        number(
            violations,
            field + ".successThreshold",
            draft.successThreshold(),
            DEFAULT_SUCCESS_THRESHOLD);
    int failure =
        number(
            violations,
            field + ".failureThreshold",
            draft.failureThreshold(),
            DEFAULT_FAILURE_THRESHOLD);
    return action(violations, field, draft)
        .map(action ->
            new Pod.Probe(
                action,
                Duration.ofSeconds(initialDelay),
                Duration.ofSeconds(period),
                Duration.ofSeconds(timeout),
                success,
                failure));
  }

  /** 0 means the default, as in Kubernetes. */
  private static int number(Violations violations, String field, OptionalInt given, int byDefault) {
    int value = given.orElse(0);
    if (value < 0) {
      violations.invalid(field, value, "must not be negative");
    }
    return value == 0 ? byDefault : value;
  }

  private static Optional<Pod.Action> action(
      Violations violations, String field, ProbeDraft draft) {
    if (draft.httpGet().isPresent() && draft.tcpSocket().isPresent()) {
      violations.forbidden(field + ".tcpSocket", "not together with httpGet");
      return Optional.empty();
    }
    if (draft.httpGet().isPresent()) {
      return httpGet(violations, field + ".httpGet", draft.httpGet().get());
    }
    if (draft.tcpSocket().isPresent()) {
      var socket = draft.tcpSocket().get();
      return port(violations, field + ".tcpSocket.port", socket.port())
          .map(port -> new Pod.TcpSocket(text(socket.host()), port));
    }
    violations.required(field, "a probe needs httpGet or tcpSocket");
    return Optional.empty();
  }

  private static Optional<Pod.Action> httpGet(
      Violations violations, String field, HttpGetDraft draft) {
    var port = port(violations, field + ".port", draft.port());
    var scheme =
        Arrays.stream(Pod.Scheme.values())
            .filter(s -> s.name().equals(draft.scheme().isEmpty() ? "HTTP" : draft.scheme()))
            .findFirst();
    if (scheme.isEmpty()) {
      violations.notSupported(
          field + ".scheme",
          draft.scheme(),
          Arrays.stream(Pod.Scheme.values()).map(Pod.Scheme::name).toList());
    }
    new TreeMap<>(draft.headers())
        .keySet()
        .forEach(name -> {
          if (!HEADER_NAME.matcher(name).matches()) {
            violations.invalid(field + ".httpHeaders", name, "is not the name of an HTTP header");
          }
        });
    return port.isEmpty() || scheme.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Pod.HttpGet(
                scheme.get(),
                text(draft.host()),
                port.get(),
                draft.path().isEmpty() ? "/" : draft.path(),
                new TreeMap<>(draft.headers())));
  }

  private static Optional<PortRef> port(Violations violations, String field, String text) {
    if (text.isEmpty()) {
      violations.required(field, "the number or the name of a container port is needed");
      return Optional.empty();
    }
    return ServiceRules.portRef(violations, field, text);
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(v -> !v.isEmpty());
  }
}
