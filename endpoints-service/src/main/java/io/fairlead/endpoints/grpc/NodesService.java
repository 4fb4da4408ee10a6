package io.fairlead.endpoints.grpc;

import static io.fairlead.endpoints.grpc.PodsService.answer;

import io.fairlead.api.Errors;
import io.fairlead.api.NodeCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Watches;
import io.fairlead.endpoints.acks.Fleet;
import io.fairlead.endpoints.acks.Standing;
import io.fairlead.v1.DeleteNodeRequest;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.ListNodesReply;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.NodesGrpc.NodesImplBase;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.Question;
import io.fairlead.v1.RefusedRule;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import io.fairlead.v1.WaitAppliedReply;
import io.fairlead.v1.WaitAppliedRequest;
import io.fairlead.v1.WatchNodesReply;
import io.fairlead.v1.WatchNodesRequest;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The Nodes of the API, with what they acknowledged to whichever replica. */
final class NodesService extends NodesImplBase {
  private final PodCalls calls;
  private final Reads reads;
  private final Fleet fleet;
  private final WaitAppliedCall waits;
  private final Watches watches;
  private final NodeQuestions questions;

  NodesService(
      PodCalls calls,
      Reads reads,
      Fleet fleet,
      WaitAppliedCall waits,
      Watches watches,
      NodeQuestions questions) {
    this.watches = watches;
    this.questions = questions;
    this.calls = calls;
    this.reads = reads;
    this.fleet = fleet;
    this.waits = waits;
  }

  @Override
  public void open(OpenNodeRequest request, StreamObserver<NodeReply> replies) {
    answer(replies, calls.open(request, Caller.current(), reads.left()));
  }

  @Override
  public void delete(DeleteNodeRequest request, StreamObserver<NodeReply> replies) {
    var streamAt = fleet.holder(request.getName());
    answer(replies, calls.delete(request, streamAt, Caller.current(), reads.left()));
  }

  @Override
  public void get(GetNodeRequest request, StreamObserver<NodeReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var node =
        snapshot
            .image()
            .nodes()
            .get(request.getName())
            .orElseThrow(() ->
                Errors.refused(
                    new Refusal.NotFound(ObjectKey.ofCluster(Kind.NODE, request.getName()))));
    answer(
        replies,
        NodeReply.newBuilder()
            .setNode(proto(node, snapshot.position()))
            .setPosition(PositionCodec.proto(snapshot.position()))
            .build());
  }

  @Override
  public void list(ListNodesRequest request, StreamObserver<ListNodesReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var reply = ListNodesReply.newBuilder().setPosition(PositionCodec.proto(snapshot.position()));
    snapshot
        .image()
        .nodes()
        .all()
        .forEach(node -> reply.addItems(proto(node, snapshot.position())));
    answer(replies, reply.build());
  }

  @Override
  public void watch(WatchNodesRequest request, StreamObserver<WatchNodesReply> replies) {
    var filter = ObjectFilter.ofCluster(request.getName(), request.getLabelSelector());
    var from = reads.begin(request.getFreshness(), request.getFrom());
    watches.open(
        new NodeSubject(filter, node -> proto(node, reads.current().position())), from, replies);
  }

  private io.fairlead.v1.Node proto(Versioned<Node> node, Position applied) {
    var standing = fleet.of(node);
    var proto =
        NodeCodec.proto(node).toBuilder()
            .setLastError(standing.error())
            .setRefusedManifests(standing.manifests().refused())
            .setManifestError(standing.manifests().error());
    if (standing.stream() instanceof Standing.Held(var replica, _)) {
      proto.setStreamReplica(replica);
    }
    standing.position().map(PositionCodec::proto).ifPresent(proto::setAcknowledged);
    standing.lag(applied).ifPresent(proto::setLag);
    for (var refused : standing.refused()) {
      proto.addRefused(
          RefusedRule.newBuilder().setFrontend(refused.frontend()).setReason(refused.reason()));
    }
    return proto.build();
  }

  @Override
  public void waitApplied(WaitAppliedRequest request, StreamObserver<WaitAppliedReply> replies) {
    waits.serve(request, replies);
  }

  @Override
  public void rules(NodeRulesRequest request, StreamObserver<NodeRulesReply> replies) {
    var asked = checked(request);
    questions.answer(
        new NodeQuestions.Call<>(
            asked.getNode(),
            NodesGrpc.getRulesMethod(),
            asked,
            Question.newBuilder().setRules(asked),
            (answer, records) -> records.with(answer.getRules())),
        Caller.current(),
        reads,
        replies);
  }

  @Override
  public void traceFlows(TraceFlowsRequest request, StreamObserver<TraceFlowsReply> replies) {
    check(request);
    questions.answer(
        new NodeQuestions.Call<>(
            request.getNode(),
            NodesGrpc.getTraceFlowsMethod(),
            request,
            Question.newBuilder().setFlows(request),
            (answer, records) -> records.with(answer.getFlows())),
        Caller.current(),
        reads,
        replies);
  }

  private static void check(TraceFlowsRequest request) {
    var violations = new ArrayList<Violation>();
    var client = address("client", request.getClient(), violations);
    var vip = address("vip", request.getVip(), violations);
    if (client.isPresent() && vip.isPresent() && client.get().family() != vip.get().family()) {
      violations.add(
          new Violation(
              "client", Violation.Reason.INVALID, "must be of the same IP family as vip"));
    }
    port("client_port", request.getClientPort(), violations);
    port("port", request.getPort(), violations);
    if (!List.of("", "TCP", "UDP", "SCTP").contains(request.getProtocol())) {
      violations.add(
          new Violation(
              "protocol",
              Violation.Reason.NOT_SUPPORTED,
              "must be TCP, UDP or SCTP, or empty for all"));
    }
    if (request.getLimit() < 0 || request.getLimit() > 500) {
      violations.add(
          new Violation("limit", Violation.Reason.INVALID, "must be from 1 to 500, or 0 for 100"));
    }
    if (!violations.isEmpty()) {
      throw Errors.invalid("request", violations);
    }
  }

  private static Optional<Address> address(String field, String text, List<Violation> violations) {
    var address = Address.parse(text);
    if (address.isEmpty()) {
      violations.add(
          new Violation(field, Violation.Reason.INVALID, "must be an IPv4 or IPv6 address"));
    }
    return address;
  }

  private static void port(String field, int port, List<Violation> violations) {
    if (port < 0 || port > 65_535) {
      violations.add(
          new Violation(field, Violation.Reason.INVALID, "must be from 0 (any) to 65535"));
    }
  }

  private static NodeRulesRequest checked(NodeRulesRequest request) {
    var violations = new ArrayList<Violation>();
    if (!request.getVip().isEmpty()) {
      var _ = address("vip", request.getVip(), violations);
    }
    port("port", request.getPort(), violations);
    if (request.hasService() && request.getService().getName().isEmpty()) {
      violations.add(new Violation("service.name", Violation.Reason.REQUIRED, "a name is needed"));
    }
    if (!violations.isEmpty()) {
      throw Errors.invalid("request", violations);
    }
    var asked = request.toBuilder();
    if (request.hasService() && request.getService().getNamespace().isEmpty()) {
      asked.getServiceBuilder().setNamespace(ObjectName.DEFAULT_NAMESPACE);
    }
    return asked.build();
  }
}
