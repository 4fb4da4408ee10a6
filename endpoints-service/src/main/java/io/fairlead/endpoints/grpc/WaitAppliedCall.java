package io.fairlead.endpoints.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.endpoints.acks.Acks;
import io.fairlead.endpoints.acks.Fleet;
import io.fairlead.endpoints.acks.Progress;
import io.fairlead.endpoints.acks.RefusedRules;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.NodeBehind;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.WaitAppliedReply;
import io.fairlead.v1.WaitAppliedRequest;
import io.grpc.stub.StreamObserver;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Nodes.WaitApplied. */
final class WaitAppliedCall {
  /** Nodes that an answer names. */
  static final int NAMED = 100;

  private final Reads reads;
  private final Fleet fleet;
  private final Acks acks;
  private final AckWaits waits;

  WaitAppliedCall(Reads reads, Fleet fleet, Acks acks, AckWaits waits) {
    this.reads = reads;
    this.fleet = fleet;
    this.acks = acks;
    this.waits = waits;
  }

  void serve(WaitAppliedRequest request, StreamObserver<WaitAppliedReply> replies) {
    var timeout = AckWaits.timeout(request.hasTimeout(), request.getTimeout());
    var position =
        request.hasPosition() && !request.getPosition().getLog().isEmpty()
            ? position(request.getPosition())
            : reads.at(Freshness.LATEST).position();
    waits.run(
        timeout,
        replies,
        _ -> look(position, request.getServicesList()),
        message -> message.toBuilder().setDone(true).build());
  }

  private Position position(io.fairlead.v1.Position text) {
    var position =
        PositionCodec.model(text)
            .orElseThrow(() ->
                Errors.invalid(
                    "position",
                    Reason.INVALID,
                    "must be a position that this API gave out, e.g. s:871,p7:12"));
    var log = reads.current().position().log();
    if (!position.log().equals(log)) {
      throw Errors.foreignLog(log.toString(), position.log().toString());
    }
    return position;
  }

  private AckWaits.Look<WaitAppliedReply> look(Position position, List<ServiceName> services) {
    var now = reads.current();
    var behindItself =
        now.position().covers(position)
            ? Optional.<String>empty()
            : Optional.of(
                "this replica has not read the log so far itself, it is at "
                    + now.position().offsets());
    var trouble = acks.trouble().or(() -> behindItself);
    var progress =
        Progress.of(
            fleet.look(now.image()), position, concerning(now.image(), services), acks.trouble());
    var reply =
        WaitAppliedReply.newBuilder()
            .setApplied(progress.applied() && behindItself.isEmpty())
            .setNodes(progress.nodes())
            .setThere(progress.nodes() - progress.behind().size())
            .addAllLost(progress.lost())
            .setTrouble(trouble.orElse(""))
            .setPosition(PositionCodec.proto(position));
    progress.behind().stream()
        .limit(NAMED)
        .forEach(behind -> reply.addBehind(proto(behind, position)));
    return new AckWaits.Look<>(reply.build(), reply.getApplied());
  }

  static NodeBehind proto(Progress.Behind behind, Position position) {
    var standing = behind.standing();
    var proto =
        NodeBehind.newBuilder()
            .setNode(standing.node())
            .setWhy(
                switch (behind.why()) {
                  case NO_STREAM -> NodeBehind.Why.NO_STREAM;
                  case BEHIND -> NodeBehind.Why.BEHIND;
                  case QUARANTINED -> NodeBehind.Why.QUARANTINED;
                  case UNKNOWN -> NodeBehind.Why.UNKNOWN;
                })
            .setMessage(behind.message());
    standing.position().map(PositionCodec::proto).ifPresent(proto::setAcknowledged);
    standing.lag(position).ifPresent(proto::setLag);
    return proto.build();
  }

  /** Refused rules of these Services, and those whose Service nobody knows any more. */
  private static Predicate<Refused> concerning(ClusterImage image, List<ServiceName> services) {
    if (services.isEmpty()) {
      return _ -> true;
    }
    var named = new HashSet<ObjectName>();
    for (var name : services) {
      var namespace = name.getNamespace();
      named.add(
          new ObjectName(
              namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace, name.getName()));
    }
    return refused ->
        RefusedRules.service(image, refused).filter(s -> !named.contains(s)).isEmpty();
  }
}
