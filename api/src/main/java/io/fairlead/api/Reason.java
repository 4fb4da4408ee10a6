package io.fairlead.api;

import io.grpc.Status.Code;
import java.util.Arrays;
import java.util.Optional;

/**
 * Why a call was refused or failed: the {@code reason} of {@code google.rpc.ErrorInfo}, domain
 * {@link Errors#DOMAIN}. Never renamed.
 */
public enum Reason {
  INVALID(
      Code.INVALID_ARGUMENT,
      "of an object: kind, name, namespace",
      Retry.NEVER,
      "Fields are wrong. google.rpc.BadRequest names every one of them with its path, reason and words."),
  REQUEST_ID_REUSED(
      Code.INVALID_ARGUMENT,
      "requestId",
      Retry.NEVER,
      "The request id was used within the last hour for a request with another content."),
  NAME_TAKEN(
      Code.ALREADY_EXISTS,
      "kind, name, namespace",
      Retry.NEVER,
      "An object of that kind and name exists."),
  CLUSTER_IP_TAKEN(
      Code.ALREADY_EXISTS,
      "kind, name, namespace, address, holder",
      Retry.NEVER,
      "The address belongs to another Service. Where other fields are wrong too, it is a violation of INVALID instead."),
  CLUSTER_IP_RESERVED(
      Code.ALREADY_EXISTS,
      "kind, name, namespace, address, holder, reservation, expires",
      Retry.LATER,
      "The address is reserved, for the Service that holder names; until expires, unless it is renewed. Where other fields are wrong too, it is a violation of INVALID instead."),
  NOT_FOUND(Code.NOT_FOUND, "kind, name, namespace", Retry.NEVER, "There is no such object."),
  WRONG_TOKEN(
      Code.PERMISSION_DENIED,
      "kind, name",
      Retry.NEVER,
      "Not the token that the reservation was made with. Nothing was changed."),
  STALE_VERSION(
      Code.ABORTED,
      "actual, expected",
      Retry.AFTER_READING,
      "The object is not, or not any more, the one the request names by resourceVersion or uid. Nothing was changed."),
  RANGE_FULL(
      Code.RESOURCE_EXHAUSTED,
      "ranges",
      Retry.NEVER,
      "No address is free in the ranges of that family, or not so many in their static bands."),
  LIMIT_REACHED(
      Code.RESOURCE_EXHAUSTED,
      "limit",
      Retry.LATER,
      "A bound of the server is reached, such as the requests that wait."),
  NOT_OWNER(
      Code.FAILED_PRECONDITION,
      "partition, revision",
      Retry.LATER,
      "Between replicas only: the one a request was forwarded to does not own the partition, as of that revision of the key."),
  NOT_YOURS(
      Code.FAILED_PRECONDITION,
      "kind, name, namespace",
      Retry.NEVER,
      "The object belongs to the control plane or to another source of Pods, or is an EndpointSlice that is derived from a selector."),
  NOT_EMPTY(
      Code.FAILED_PRECONDITION,
      "kind, name, services",
      Retry.NEVER,
      "The namespace still holds Services, so many. Nothing was deleted; with cascade: only what had been there at its beginning."),
  TERMINATING(
      Code.FAILED_PRECONDITION,
      "kind, name",
      Retry.NEVER,
      "The object is being deleted and goes when nothing holds it any more; it cannot be changed meanwhile."),
  OLD_SESSION(
      Code.FAILED_PRECONDITION,
      "node, session",
      Retry.NEVER,
      "A newer session of that node exists; what an older one says does not count."),
  POD_PORT_TAKEN(
      Code.ALREADY_EXISTS,
      "kind, name, namespace, address, port, protocol, holder",
      Retry.LATER,
      "Another Pod of the node, the holder, claims that address and port. Nothing was changed; it can be had when that Pod is gone."),
  NODE_LIVES(
      Code.FAILED_PRECONDITION,
      "kind, name, and streamReplica where one holds its stream",
      Retry.LATER,
      "The node is not lost, so it is not deleted: its rules are still in force, and its agent would come back. End its agent; the node is lost when it had no stream for 40 s (--node-lost-after), or five minutes later where many are missing at once."),
  NODE_LOST(
      Code.FAILED_PRECONDITION,
      "kind, name",
      Retry.NEVER,
      "The node is lost, or its agent never came: nobody can ask it. Its rules may be in force all the same."),
  NODE_AWAY(
      Code.UNAVAILABLE,
      "kind, name, and by (agent) where its agent said why",
      Retry.LATER,
      "The node could not be asked: no replica has its stream at the moment, or its agent did not answer, or cannot. The message says which."),
  AGENT_TOO_OLD(
      Code.FAILED_PRECONDITION,
      "kind, name, protocol",
      Retry.NEVER,
      "The node's agent is of a release that does not answer such questions. Replace it."),
  SUPERSEDED(
      Code.FAILED_PRECONDITION,
      "node, session",
      Retry.NEVER,
      "Another agent opened a session under this node's name, later than this one's: the node is that one's, this agent ends."),
  FEATURE_LEVEL_TOO_LOW(
      Code.FAILED_PRECONDITION,
      "kind, name, namespace, needed, level",
      Retry.NEVER,
      "The log may not hold such an object yet: replicas of an older version would not understand it. When all replicas are of a version that does, raise the log's feature level with fairlead feature-level raise. Nothing was changed."),
  UNSUPPORTED_FEATURE_LEVEL(
      Code.FAILED_PRECONDITION,
      "level, replicas",
      Retry.LATER,
      "The log's feature level was not raised: the named replicas do not support it, or are not there to be asked. Replace them by newer ones, or start them."),
  FOREIGN_LOG(
      Code.FAILED_PRECONDITION,
      "actual, expected",
      Retry.NEVER,
      "A position of another log than the one this cluster has."),
  POSITION_TOO_OLD(
      Code.OUT_OF_RANGE,
      "oldest, position",
      Retry.FROM_THE_BEGINNING,
      "What was there at that position is not known any more, because the log was compacted or too much happened since. List again, and watch from there."),
  UNSUPPORTED_PROTOCOL(
      Code.FAILED_PRECONDITION,
      "offered, supported",
      Retry.NEVER,
      "Agent and replica speak no common version of the protocol."),
  NO_OWNER(
      Code.UNAVAILABLE,
      "partition",
      Retry.SAME_ID,
      "Nobody owned the partition until the deadline. Nothing was changed."),
  OUTCOME_UNKNOWN(
      Code.UNAVAILABLE,
      "",
      Retry.SAME_ID,
      "The change may have happened. The same request id again gets the answer, and never does it twice."),
  DEPENDENCY_UNAVAILABLE(
      Code.UNAVAILABLE,
      "",
      Retry.SAME_ID,
      "Kafka, etcd or a replica does not answer. Nothing was changed. Of etcd the message says since when. Meanwhile rules and DNS go on, and reads with local freshness are answered."),
  NOT_SYNCED(
      Code.UNAVAILABLE,
      "",
      Retry.SAME_ID,
      "The replica has not read the log to its end yet. Nothing was changed."),
  SHUTTING_DOWN(
      Code.UNAVAILABLE, "", Retry.SAME_ID, "The replica is about to end. Nothing was changed."),
  BAD_CONTAINER(
      Code.INVALID_ARGUMENT,
      "kind, name, namespace",
      Retry.NEVER,
      "The Pod has no such container, or it is not in the state that is needed, or the Pod is not run as a process here."),
  FAULT(Code.INTERNAL, "", Retry.NEVER, "A defect of Fairlead; the log of the replica has more.");

  /** What a client does about it. */
  public enum Retry {
    NEVER("no"),
    AFTER_READING("after reading the object again"),
    FROM_THE_BEGINNING("after listing again"),
    LATER("later"),
    SAME_ID("with the same request id");

    private final String text;

    Retry(String text) {
      this.text = text;
    }
  }

  private final Code code;
  private final String metadata;
  private final Retry retry;
  private final String meaning;

  Reason(Code code, String metadata, Retry retry, String meaning) {
    this.code = code;
    this.metadata = metadata;
    this.retry = retry;
    this.meaning = meaning;
  }

  public Code code() {
    return code;
  }

  public Retry retry() {
    return retry;
  }

  /** The reason of that name, or empty where a newer server knows more. */
  public static Optional<Reason> of(String name) {
    return Arrays.stream(values()).filter(r -> r.name().equals(name)).findFirst();
  }

  /** All reasons as a Markdown table, for the documentation. */
  public static String markdown() {
    var text = new StringBuilder();
    text.append("| reason | gRPC code | metadata | again? | meaning |\n|---|---|---|---|---|\n");
    for (var reason : values()) {
      text.append("| `").append(reason).append("` | `").append(reason.code).append("` | ");
      text.append(reason.metadata).append(" | ").append(reason.retry.text).append(" | ");
      text.append(reason.meaning).append(" |\n");
    }
    return text.toString();
  }
}
