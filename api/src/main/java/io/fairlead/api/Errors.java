package io.fairlead.api;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes the statuses that callers of the API see; the only place that does. Each carries a {@code
 * google.rpc.ErrorInfo} with a {@link Reason}.
 */
public final class Errors {
  /** Domain of every ErrorInfo. */
  public static final String DOMAIN = "fairlead.io";

  private Errors() {}

  /**
   * What a handler threw, as a status: statuses made here as they are, trouble outside as
   * UNAVAILABLE, anything else as INTERNAL without its words.
   */
  public static StatusRuntimeException of(Throwable thrown) {
    return switch (thrown) {
      case StatusRuntimeException status -> status;
      case StatusException status -> status.getStatus().asRuntimeException(status.getTrailers());
      case GatewayException trouble ->
          switch (trouble.outcome()) {
            case KNOWN_FAILED -> dependencyUnavailable(String.valueOf(trouble.getMessage()));
            case UNKNOWN -> outcomeUnknown(String.valueOf(trouble.getMessage()));
          };
      default -> status(Reason.FAULT, "internal fault", Map.of());
    };
  }

  /** Kafka, etcd or a peer does not answer; nothing happened. */
  public static StatusRuntimeException dependencyUnavailable(String message) {
    return status(Reason.DEPENDENCY_UNAVAILABLE, message, Map.of());
  }

  /** The change may have happened. */
  public static StatusRuntimeException outcomeUnknown(String message) {
    return status(Reason.OUTCOME_UNKNOWN, message, Map.of());
  }

  /** The replica has not read the log to its end. */
  public static StatusRuntimeException notSynced(String message) {
    return status(Reason.NOT_SYNCED, message, Map.of());
  }

  public static StatusRuntimeException shuttingDown() {
    return status(Reason.SHUTTING_DOWN, "the replica is shutting down", Map.of());
  }

  /** To the replica that forwarded: not mine, as of that revision of the ownership key. */
  public static StatusRuntimeException notOwner(LogPartition partition, long revision) {
    return status(
        Reason.NOT_OWNER,
        "not the owner of partition " + partition,
        Map.of("partition", partition.toString(), "revision", Long.toString(revision)));
  }

  /** Nobody owned the partition until the deadline. */
  public static StatusRuntimeException noOwner(LogPartition partition) {
    return status(
        Reason.NO_OWNER,
        "no replica owns partition " + partition + " at the moment",
        Map.of("partition", partition.toString()));
  }

  /** The id was used for another payload. */
  public static StatusRuntimeException requestIdReused(String requestId) {
    return status(
        Reason.REQUEST_ID_REUSED,
        "request id \"" + requestId + "\" was used for another request",
        Map.of("requestId", requestId));
  }

  /** A bound of the server; {@code limit} says which one and how high. */
  public static StatusRuntimeException limitReached(String limit) {
    return status(Reason.LIMIT_REACHED, "too much at once: " + limit, Map.of("limit", limit));
  }

  /** A position of another log. */
  public static StatusRuntimeException foreignLog(String expected, String actual) {
    return status(
        Reason.FOREIGN_LOG,
        "the position is of log " + actual + ", this cluster's log is " + expected,
        Map.of("expected", expected, "actual", actual));
  }

  /** No common version of the agents' protocol. */
  public static StatusRuntimeException unsupportedProtocol(int offered, String supported) {
    return status(
        Reason.UNSUPPORTED_PROTOCOL,
        "protocol " + offered + " is not supported, only " + supported,
        Map.of("offered", Integer.toString(offered), "supported", supported));
  }

  static StatusRuntimeException status(
      Reason reason, String message, Map<String, String> metadata, Any... more) {
    var status =
        com.google.rpc.Status.newBuilder().setCode(reason.code().value()).setMessage(message);
    status.addDetails(
        Any.pack(
            ErrorInfo.newBuilder()
                .setDomain(DOMAIN)
                .setReason(reason.name())
                .putAllMetadata(new TreeMap<>(metadata))
                .build()));
    for (var detail : more) {
      status.addDetails(detail);
    }
    if (reason.code() == Status.Code.UNAVAILABLE) {
      status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(RETRY_DELAY).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  private static final com.google.protobuf.Duration RETRY_DELAY =
      com.google.protobuf.Duration.newBuilder()
          .setNanos((int) Duration.ofMillis(200).toNanos())
          .build();
}
