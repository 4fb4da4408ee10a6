package io.fairlead.etcd;

import io.grpc.Status;
import java.util.Optional;

/**
 * Why a call to etcd failed and how far it had come. Travels as the cause inside jetcd's
 * exceptions.
 */
final class BrokenCallException extends Exception {
  private static final long serialVersionUID = 1;

  /** How far a call came before it failed. */
  enum Reach {
    /** It was never given to a connection: etcd cannot have seen it. */
    NEVER_SENT,
    SENT
  }

  private final transient Status status;
  private final Reach reach;

  BrokenCallException(Status status, Reach reach) {
    super(
        status.getCode() + (status.getDescription() == null ? "" : ": " + status.getDescription()),
        status.getCause());
    this.status = status;
    this.reach = reach;
  }

  Status.Code code() {
    return status.getCode();
  }

  /** What etcd itself said, such as that it has no leader; empty where the words are gRPC's. */
  Optional<String> ofEtcd() {
    return Optional.ofNullable(status.getDescription())
        .filter(words -> words.startsWith("etcdserver: "));
  }

  /** Whether etcd cannot have done what was asked for. */
  boolean withoutEffect() {
    return reach == Reach.NEVER_SENT
        || switch (status.getCode()) {
          // etcd's own answers to a request that it refuses
          case INVALID_ARGUMENT,
              NOT_FOUND,
              ALREADY_EXISTS,
              PERMISSION_DENIED,
              FAILED_PRECONDITION,
              OUT_OF_RANGE,
              UNIMPLEMENTED,
              UNAUTHENTICATED,
              RESOURCE_EXHAUSTED ->
              true;
          case OK,
              CANCELLED,
              UNKNOWN,
              DEADLINE_EXCEEDED,
              ABORTED,
              INTERNAL,
              UNAVAILABLE,
              DATA_LOSS ->
              false;
        };
  }

  /** Whether another connection could help. */
  boolean connectionTrouble() {
    return switch (status.getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED -> true;
      default -> false;
    };
  }
}
