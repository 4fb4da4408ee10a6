package io.fairlead.api;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.fairlead.core.decide.Violation;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.protobuf.StatusProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a client makes of a failed call: the inverse of {@link Errors}.
 *
 * @param reason empty where the status is not Fairlead's, e.g. of gRPC itself, or of a newer server
 * @param metadata of the ErrorInfo, sorted
 * @param faults of fields; empty but for {@link Reason#INVALID}
 */
public record ErrorReport(
    Code code,
    Optional<Reason> reason,
    String message,
    SortedMap<String, String> metadata,
    List<FieldFault> faults) {
  /**
   * One wrong field.
   *
   * @param reason as in Kubernetes: Required, Invalid, Duplicate...
   */
  public record FieldFault(String field, String reason, String message) {
    /** {@code spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive}. */
    public String words() {
      for (var known : Violation.Reason.values()) {
        if (known.text().equals(reason)) {
          return field + ": " + known.title() + ": " + message;
        }
      }
      return field + ": " + message; // a newer server has more reasons
    }
  }

  public ErrorReport {
    metadata = Collections.unmodifiableSortedMap(new TreeMap<>(metadata));
    faults = List.copyOf(faults);
  }

  /** Of what a stub threw. */
  public static ErrorReport of(Throwable thrown) {
    var plain = Status.fromThrowable(thrown);
    Optional<Reason> reason = Optional.empty();
    Map<String, String> metadata = Map.of();
    var faults = new ArrayList<FieldFault>();
    var details = StatusProto.fromThrowable(thrown);
    for (var detail : details == null ? List.<Any>of() : details.getDetailsList()) {
      try {
        if (detail.is(ErrorInfo.class)) {
          var info = detail.unpack(ErrorInfo.class);
          if (info.getDomain().equals(Errors.DOMAIN)) {
            reason = Reason.of(info.getReason());
            metadata = info.getMetadataMap();
          }
        } else if (detail.is(BadRequest.class)) {
          for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
            faults.add(
                new FieldFault(
                    violation.getField(), violation.getReason(), violation.getDescription()));
          }
        }
      } catch (InvalidProtocolBufferException _) {
        // a detail that cannot be read tells nothing; code and message still do
      }
    }
    var message = plain.getDescription();
    return new ErrorReport(
        plain.getCode(),
        reason,
        message == null ? plain.getCode().name() : message,
        new TreeMap<>(metadata),
        faults);
  }

  /** Whether the same request with the same id may be sent again at once, and is worth it. */
  public boolean isTransient() {
    return code == Code.UNAVAILABLE;
  }

  /**
   * Whether nobody answered, rather than somebody who said why not. A server that ends resets the
   * calls it still has, which is CANCELLED to callers that did not cancel them.
   */
  public boolean isLostConnection() {
    return (code == Code.UNAVAILABLE || code == Code.CANCELLED) && reason.isEmpty();
  }

  /**
   * As kubectl says it: {@code Error from server (NotFound): services "web" not found}, and of a
   * faulty object {@code The Service "web" is invalid:} with its faults, each on a line of its own
   * where there are several.
   */
  public String words() {
    return words("");
  }

  /**
   * {@link #words} with what the call was about.
   *
   * @param about e.g. {@code error with service/web (web.yaml:1): }; left out where an object is
   *     called faulty, which names it
   */
  public String words(String about) {
    if (metadata.containsKey("kind")) {
      if (!faults.isEmpty()) {
        return invalid(
            metadata.get("kind"),
            metadata.getOrDefault("name", ""),
            faults.stream().map(FieldFault::words).toList());
      }
      if (reason.equals(Optional.of(Reason.CLUSTER_IP_TAKEN))
          || reason.equals(Optional.of(Reason.CLUSTER_IP_RESERVED))) {
        return "The " + message;
      }
    }
    return "Error from server (" + kubernetesReason() + "): " + about + message;
  }

  /**
   * What is wrong with an object, in kubectl's words.
   *
   * @param faults at least one, e.g. {@code spec.ports: Required value: ...}
   */
  public static String invalid(String kind, String name, List<String> faults) {
    var title = "The %s \"%s\" is invalid:".formatted(kind, name);
    return faults.size() == 1
        ? title + " " + faults.getFirst()
        : faults.stream().collect(Collectors.joining("\n* ", title + "\n* ", ""));
  }

  private String kubernetesReason() {
    return switch (code) {
      case INVALID_ARGUMENT -> faults.isEmpty() ? "BadRequest" : "Invalid";
      case ALREADY_EXISTS -> "AlreadyExists";
      case NOT_FOUND -> "NotFound";
      case ABORTED -> "Conflict";
      case UNAUTHENTICATED -> "Unauthorized";
      case PERMISSION_DENIED -> "Forbidden";
      case UNAVAILABLE -> "ServiceUnavailable";
      case DEADLINE_EXCEEDED -> "Timeout";
      case RESOURCE_EXHAUSTED -> "ResourceExhausted";
      case FAILED_PRECONDITION -> "FailedPrecondition";
      case UNIMPLEMENTED -> "NotImplemented";
      case OUT_OF_RANGE -> "Expired";
      case OK, CANCELLED, UNKNOWN, INTERNAL, DATA_LOSS -> "InternalError";
    };
  }
}
