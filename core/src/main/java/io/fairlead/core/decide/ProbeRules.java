package io.fairlead.core.decide;

import io.fairlead.core.decide.PodDraft.ExecDraft;
import io.fairlead.core.decide.PodDraft.GrpcDraft;
import io.fairlead.core.decide.PodDraft.HttpGetDraft;
import io.fairlead.core.decide.PodDraft.ProbeDraft;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * The rules for readiness and startup probes, and Kubernetes' defaults for what they do not say.
 */
final class ProbeRules {
  private static final int DEFAULT_PERIOD_SECONDS = 10;
  private static final int DEFAULT_TIMEOUT_SECONDS = 1;
  private static final int DEFAULT_SUCCESS_THRESHOLD = 1;
  private static final int DEFAULT_FAILURE_THRESHOLD = 3;

  /** What a probe is for. */
  enum Purpose {
    READINESS,
    STARTUP
  }

  /** RFC 9110 token. */
  private static final Pattern HEADER_NAME = Pattern.compile("[-!#$%&'*+.^_`|~A-Za-z0-9]+");

  private ProbeRules() {}

  /** Empty where it cannot be read, with violations. */
  static Optional<Pod.Probe> read(
      Violations violations, String field, ProbeDraft draft, Purpose purpose) {
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
    if (purpose == Purpose.STARTUP && success > 1) {
      violations.invalid(
          field + ".successThreshold", success, "must be 1: a container starts once");
    }
    checkGrace(violations, field + ".terminationGracePeriodSeconds", draft, purpose);
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

  /** It is of probes whose failure ends a container. */
  private static void checkGrace(
      Violations violations, String field, ProbeDraft draft, Purpose purpose) {
    if (draft.terminationGraceSeconds().isEmpty()) {
      return;
    }
    long seconds = draft.terminationGraceSeconds().getAsLong();
    switch (purpose) {
      case READINESS ->
          violations.forbidden(field, "a readiness probe ends no container: leave it out");
      case STARTUP -> {
        if (seconds < 1 || seconds > Integer.MAX_VALUE) {
          violations.invalid(
              field, Long.toString(seconds), "must be within 1 and " + Integer.MAX_VALUE);
        }
      }
    }
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
    var given = new ArrayList<String>();
    draft.httpGet().ifPresent(_ -> given.add("httpGet"));
    draft.tcpSocket().ifPresent(_ -> given.add("tcpSocket"));
    draft.exec().ifPresent(_ -> given.add("exec"));
    draft.grpc().ifPresent(_ -> given.add("grpc"));
    if (given.size() > 1) {
      given.stream()
          .skip(1)
          .forEach(other ->
              violations.forbidden(field + "." + other, "not together with " + given.getFirst()));
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
    if (draft.exec().isPresent()) {
      return exec(violations, field + ".exec", draft.exec().get());
    }
    if (draft.grpc().isPresent()) {
      return grpc(violations, field + ".grpc", draft.grpc().get());
    }
    violations.required(field, "a probe needs httpGet, tcpSocket, exec or grpc");
    return Optional.empty();
  }

  private static Optional<Pod.Action> exec(Violations violations, String field, ExecDraft draft) {
    if (draft.command().isEmpty() || draft.command().getFirst().isEmpty()) {
      violations.required(field + ".command", "the program to run, then its arguments");
      return Optional.empty();
    }
    return Optional.of(new Pod.Exec(draft.command()));
  }

  private static Optional<Pod.Action> grpc(Violations violations, String field, GrpcDraft draft) {
    if (draft.port() == 0) {
      violations.required(field + ".port", "the number of the port; a name is not taken here");
      return Optional.empty();
    }
    if (!ServiceRules.isPort(draft.port())) {
      violations.invalid(field + ".port", draft.port(), ServiceRules.PORT_RULE);
    }
    return Optional.of(new Pod.Grpc(draft.port(), draft.service()));
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
    for (int i = 0; i < draft.headers().size(); i++) {
      var name = draft.headers().get(i).name();
      if (!HEADER_NAME.matcher(name).matches()) {
        violations.invalid(
            field + ".httpHeaders[" + i + "].name", name, "is not the name of an HTTP header");
      }
    }
    return port.isEmpty() || scheme.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Pod.HttpGet(
                scheme.get(),
                text(draft.host()),
                port.get(),
                draft.path().isEmpty() ? "/" : draft.path(),
                draft.headers()));
  }

  /** A name may be one that no port of the container has, as in Kubernetes: {@link PodWarnings}. */
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
