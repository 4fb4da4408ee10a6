package io.fairlead.api;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.GatewayException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Makes the statuses that callers of the API see; the only place that does. Each carries a {@code
 * google.rpc.ErrorInfo} with a {@link Reason}.
 */
public final class Errors {
  /** Domain of every ErrorInfo. */
  public static final String DOMAIN = "fairlead.io";

  /** Name of the metadata that say who refused, where that was not the replica. */
  public static final String BY = "by";

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

  /** What a decider refused. */
  public static StatusRuntimeException refused(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Invalid(var object, var violations) ->
          invalid(
              object.name().isEmpty()
                  ? "the " + object.kind().text() + " is invalid"
                  : object.kind().text() + " \"" + object.name() + "\" is invalid",
              metadata(object),
              violations);
      case Refusal.NameTaken(var object) ->
          status(Reason.NAME_TAKEN, named(object) + " already exists", metadata(object));
      case Refusal.AddressTaken(var object, var address, var holder) -> {
        var metadata = metadata(object);
        metadata.put("address", address.toString());
        metadata.put("holder", holder.toString());
        yield status(
            Reason.CLUSTER_IP_TAKEN,
            object.kind() == Kind.RESERVATION
                ? address + " is allocated to Service " + holder
                : "%s \"%s\" is invalid: %s"
                    .formatted(
                        object.kind().text(), object.name(), taken(address.toString(), holder)),
            metadata);
      }
      case Refusal.AddressReserved(
              var object,
              var address,
              var holder,
              var reservation,
              var expires) -> {
        var metadata = metadata(object);
        metadata.put("address", address.toString());
        metadata.put("holder", holder.toString());
        metadata.put("reservation", reservation.toString());
        metadata.put("expires", expires.truncatedTo(ChronoUnit.SECONDS).toString());
        var words =
            "%s is reserved for Service %s until %s"
                .formatted(address, holder, expires.truncatedTo(ChronoUnit.SECONDS));
        yield status(
            Reason.CLUSTER_IP_RESERVED,
            object.kind() == Kind.RESERVATION
                ? words
                : "%s \"%s\" is invalid: spec.clusterIPs: %s"
                    .formatted(object.kind().text(), object.name(), words),
            metadata);
      }
      case Refusal.BandFull(_, var family, var ranges, int asked, int free, var ending) ->
          status(
              Reason.RANGE_FULL,
              (ranges.isEmpty()
                      ? "there is no range of " + family + " ClusterIPs"
                      : "%d free addresses were asked for; the static bands of %s have %d"
                          .formatted(asked, texts(ranges), free))
                  + Refusal.ending(ending),
              Map.of("family", family.text(), "ranges", texts(ranges)));
      case Refusal.WrongToken(var object) ->
          status(
              Reason.WRONG_TOKEN,
              named(object) + ": not the token that it was made with",
              metadata(object));
      case Refusal.Limit(var limit) -> limitReached(limit);
      case Refusal.RangeFull(_, var family, var ranges, var ending) ->
          status(
              Reason.RANGE_FULL,
              (ranges.isEmpty()
                      ? "there is no range of " + family + " ClusterIPs"
                      : "every " + family + " ClusterIP of " + texts(ranges) + " is allocated")
                  + Refusal.ending(ending),
              Map.of("family", family.text(), "ranges", texts(ranges)));
      case Refusal.NotFound(var object) ->
          status(
              Reason.NOT_FOUND,
              named(object)
                  + " not found"
                  + (object.kind() == Kind.RESERVATION
                      ? ": it ran out, was released, or etcd lost it"
                      : ""),
              metadata(object));
      case Refusal.Stale(var object, var field, var expected, var actual) -> {
        var metadata = metadata(object);
        metadata.put("field", field);
        metadata.put("expected", expected);
        metadata.put("actual", actual);
        yield status(
            Reason.STALE_VERSION,
            "%s: %s is %s, not \"%s\": read it again"
                .formatted(
                    named(object),
                    field,
                    actual.isEmpty() ? "changing" : '"' + actual + '"',
                    expected),
            metadata);
      }
      case Refusal.NotYours(var object, var message) ->
          status(Reason.NOT_YOURS, named(object) + ": " + message, metadata(object));
      case Refusal.NotEmpty(var object, var holds, var first) -> {
        var metadata = metadata(object);
        holds.forEach((kind, count) -> metadata.put(plural(kind), count.toString()));
        yield status(
            Reason.NOT_EMPTY,
            "%s: it holds %s, among them \"%s\": delete them first, or all of it with --cascade"
                .formatted(
                    named(object),
                    holds.entrySet().stream()
                        .map(e ->
                            e.getValue()
                                + " "
                                + (e.getValue() == 1
                                    ? e.getKey().text().toLowerCase(Locale.ROOT)
                                    : plural(e.getKey())))
                        .collect(Collectors.joining(" and ")),
                    first.name()),
            metadata);
      }
      case Refusal.Terminating(var object, var message) ->
          status(Reason.TERMINATING, named(object) + ": " + message, metadata(object));
      case Refusal.SessionEnded(var node, var session, var message) ->
          status(
              Reason.OLD_SESSION,
              named(node) + ": " + message,
              Map.of("node", node.name(), "session", Long.toString(session)));
      case Refusal.PortTaken(var object, var taken) -> {
        var metadata = metadata(object);
        metadata.put("address", taken.claim().address().toString());
        metadata.put("port", Integer.toString(taken.claim().port()));
        metadata.put("protocol", taken.claim().protocol().toString());
        metadata.put("holder", taken.holder().toString());
        yield status(
            Reason.POD_PORT_TAKEN, named(object) + ": " + taken + " on the same node", metadata);
      }
      case Refusal.NodeLives(var node, var streamAt) -> {
        var metadata = metadata(node);
        streamAt.ifPresent(replica -> metadata.put("streamReplica", replica));
        yield status(
            Reason.NODE_LIVES,
            named(node)
                + (streamAt.isPresent()
                    ? ": it is connected, to replica %s: end its agent, and delete the node when it is NotReady"
                        .formatted(streamAt.get())
                    : ": it is not lost yet: that takes up to --node-lost-after, 40s by default, from when its agent has ended, and five minutes more where many nodes are missing at once; delete it when it is NotReady"),
            metadata);
      }
      case Refusal.AboveFeatureLevel(var object, int needed, int level) -> {
        var metadata = metadata(object);
        metadata.put("needed", Integer.toString(needed));
        metadata.put("level", Integer.toString(level));
        yield status(
            Reason.FEATURE_LEVEL_TOO_LOW,
            "%s: it needs feature level %d, and the log has %d: when all replicas support it, raise it with fairlead feature-level raise %d"
                .formatted(named(object), needed, level, needed),
            metadata);
      }
      case Refusal.UnsupportedFeatureLevel(int level, var replicas) ->
          status(
              Reason.UNSUPPORTED_FEATURE_LEVEL,
              "feature level %d is not supported by all replicas: %s"
                  .formatted(level, String.join("; ", replicas)),
              Map.of("level", Integer.toString(level), "replicas", String.join(",", replicas)));
      case Refusal.Superseded(var node, var session, var address) ->
          status(
              Reason.SUPERSEDED,
              named(node)
                  + ": another agent with this name, on a host with address %s, opened a session later than this one's"
                      .formatted(address)
                  + " last one, %d: give each node a name of its own (--node)".formatted(session),
              Map.of("node", node.name(), "session", Long.toString(session)));
    };
  }

  /** As Kubernetes says it, and who has it. */
  private static Violation taken(String address, Object holder) {
    return new Violation(
        "spec.clusterIPs",
        Violation.Reason.INVALID,
        "[\"%s\"]: failed to allocate IP %s: provided IP is already allocated to Service %s"
            .formatted(address, address, holder));
  }

  /** An object that is derived, and so has no key in the log. */
  public static StatusRuntimeException notFound(String kind, String namespace, String name) {
    return status(
        Reason.NOT_FOUND,
        kind.toLowerCase(Locale.ROOT) + "s \"" + name + "\" not found",
        Map.of("kind", kind, "name", name, "namespace", namespace));
  }

  /** Faults of a request, all of them. */
  public static StatusRuntimeException invalid(String what, List<Violation> violations) {
    return invalid(what, Map.of(), violations);
  }

  private static StatusRuntimeException invalid(
      String what, Map<String, String> metadata, List<Violation> violations) {
    var badRequest = BadRequest.newBuilder();
    for (var violation : violations) {
      badRequest
          .addFieldViolationsBuilder()
          .setField(violation.field())
          .setReason(violation.reason().text())
          .setDescription(violation.message());
    }
    var words =
        violations.stream()
            .map(Violation::toString)
            .collect(Collectors.joining("; ", what + ": ", ""));
    return status(Reason.INVALID, words, metadata, Any.pack(badRequest.build()));
  }

  /** One fault of a request. */
  public static StatusRuntimeException invalid(
      String field, Violation.Reason reason, String message) {
    return invalid("invalid request", List.of(new Violation(field, reason, message)));
  }

  private static Map<String, String> metadata(ObjectKey object) {
    var metadata = new TreeMap<String, String>();
    if (object.name().isEmpty()) { // one that was to be made and would have got a name
      return metadata;
    }
    metadata.put("kind", object.kind().text());
    metadata.put("name", object.name());
    if (!object.namespace().isEmpty()) {
      metadata.put("namespace", object.namespace());
    }
    return metadata;
  }

  /** As Kubernetes names objects in its errors: {@code services "web"}. */
  private static String named(ObjectKey object) {
    return plural(object.kind()) + " \"" + object.name() + '"';
  }

  /**
   * All that a namespace held was deleted, and it holds something again.
   *
   * @param holds what the refusal said: counts by kind, among others
   */
  public static StatusRuntimeException keptAlive(
      String namespace, int deletedServices, Map<String, String> holds) {
    return status(
        Reason.NOT_EMPTY,
        "namespaces \"%s\": %d services were deleted, but %s came meanwhile and keep it alive"
            .formatted(namespace, deletedServices, holds.getOrDefault("services", "some")),
        holds);
  }

  private static String plural(Kind kind) {
    return kind.text().toLowerCase(Locale.ROOT) + 's';
  }

  private static String texts(List<?> values) {
    return values.stream().map(Object::toString).collect(Collectors.joining(", "));
  }

  /** What was asked of a container's process does not fit it, in kubectl's words. */
  public static StatusRuntimeException badContainer(ObjectName pod, String message) {
    return status(Reason.BAD_CONTAINER, message, metadata(ObjectKey.of(Kind.POD, pod)));
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

  /**
   * What was there at a position is not known any more.
   *
   * @param oldest the first position of which it is, in text form
   */
  public static StatusRuntimeException positionTooOld(String position, String oldest) {
    return status(
        Reason.POSITION_TOO_OLD,
        "what was there at %s is not known any more, only since %s: list again"
            .formatted(position, oldest),
        Map.of("position", position, "oldest", oldest));
  }

  /** No common version of the agents' protocol. */
  public static StatusRuntimeException unsupportedProtocol(int offered, String supported) {
    return status(
        Reason.UNSUPPORTED_PROTOCOL,
        "protocol " + offered + " is not supported, only " + supported,
        Map.of("offered", Integer.toString(offered), "supported", supported));
  }

  /** A node that cannot be asked: the log says that it is lost. */
  public static StatusRuntimeException nodeLost(String node, String why) {
    return status(
        Reason.NODE_LOST, "nodes \"" + node + "\" is lost: " + why, metadata(nodeKey(node)));
  }

  /** A node that could not be asked just now. */
  public static StatusRuntimeException nodeAway(String node, String why) {
    return status(
        Reason.NODE_AWAY,
        "nodes \"" + node + "\" could not be asked: " + why,
        metadata(nodeKey(node)));
  }

  /** A node whose agent says that it cannot answer: to ask it again at once is of no use. */
  public static StatusRuntimeException agentFailed(String node, String why) {
    var metadata = metadata(nodeKey(node));
    metadata.put(BY, "agent");
    return status(Reason.NODE_AWAY, "nodes \"" + node + "\" could not be asked: " + why, metadata);
  }

  /** A node whose agent does not answer questions. */
  public static StatusRuntimeException agentTooOld(String node, int protocol) {
    var metadata = metadata(nodeKey(node));
    metadata.put("protocol", Integer.toString(protocol));
    return status(
        Reason.AGENT_TOO_OLD,
        "the agent of nodes \"%s\" speaks protocol %d, in which it cannot be asked; replace it by a newer one"
            .formatted(node, protocol),
        metadata);
  }

  private static ObjectKey nodeKey(String node) {
    return ObjectKey.ofCluster(Kind.NODE, node);
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
