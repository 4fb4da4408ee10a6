package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.NodeCodec;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.v1.DeleteNodeRequest;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.ListNodesReply;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.Result;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import io.fairlead.v1.WaitAppliedReply;
import io.fairlead.v1.WaitAppliedRequest;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.Function;

/** Nodes of the local control plane. */
final class LocalNodes extends NodesGrpc.NodesImplBase {
  private final LocalControlPlane plane;

  LocalNodes(LocalControlPlane plane) {
    this.plane = plane;
  }

  /** As the plane was told to answer. */
  @Override
  public void waitApplied(WaitAppliedRequest request, StreamObserver<WaitAppliedReply> observer) {
    plane.waits().add(request);
    plane.waitReplies().forEach(observer::onNext);
    observer.onCompleted();
  }

  /** Likewise. */
  @Override
  public void rules(NodeRulesRequest request, StreamObserver<NodeRulesReply> observer) {
    plane.rulesRequests().add(request);
    plane.rulesReplies().forEach(observer::onNext);
    observer.onCompleted();
  }

  /** Likewise. */
  @Override
  public void traceFlows(TraceFlowsRequest request, StreamObserver<TraceFlowsReply> observer) {
    plane.flowsRequests().add(request);
    plane.flowsReplies().forEach(observer::onNext);
    observer.onCompleted();
  }

  @Override
  public void open(OpenNodeRequest request, StreamObserver<NodeReply> observer) {
    plane.openNode(request.getNode());
    plane.answer(observer, request.getRequestId(), NodeReply::getDefaultInstance);
  }

  @Override
  public void delete(DeleteNodeRequest request, StreamObserver<NodeReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          var command =
              new PodCommand.DeleteNode(
                  request.getName(),
                  request.getUid(),
                  request.getResourceVersion(),
                  request.getDryRun() ? DryRun.YES : DryRun.NO,
                  Optional.empty());
          if (plane.decideOnPods(command) instanceof PodOutcome.Refused(var refusal)) {
            throw Errors.refused(refusal);
          }
          return NodeReply.newBuilder().setResult(Result.DELETED).build();
        });
  }

  @Override
  public void get(GetNodeRequest request, StreamObserver<NodeReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            NodeReply.newBuilder()
                .setNode(
                    NodeCodec.proto(
                        LocalControlPlane.found(
                            plane.image().nodes().get(request.getName()),
                            Kind.NODE,
                            "",
                            request.getName())))
                .build());
  }

  @Override
  public void list(ListNodesRequest request, StreamObserver<ListNodesReply> observer) {
    Function<Versioned<io.fairlead.core.model.Node>, io.fairlead.v1.Node> proto = NodeCodec::proto;
    plane.answer(
        observer,
        "",
        () ->
            ListNodesReply.newBuilder()
                .addAllItems(plane.image().nodes().all().stream().map(proto).toList())
                .build());
  }
}
