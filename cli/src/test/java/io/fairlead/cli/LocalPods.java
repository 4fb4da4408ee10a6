package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.PodCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ListPodsReply;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.MarkDrainingRequest;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.Result;
import io.fairlead.v1.UpdatePodStatusRequest;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsRequest;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.OptionalInt;

/** Pods of the local control plane. */
final class LocalPods extends PodsGrpc.PodsImplBase {
  private final LocalControlPlane plane;

  LocalPods(LocalControlPlane plane) {
    this.plane = plane;
  }

  /** As the plane was told to answer. */
  @Override
  public void drain(DrainPodRequest request, StreamObserver<DrainPodReply> observer) {
    plane.arrived(request.getRequestId());
    plane.drainReplies().forEach(observer::onNext);
    observer.onCompleted();
  }

  @Override
  public void markDraining(MarkDrainingRequest request, StreamObserver<PodReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          if (!request.getDraining() && request.getName().equals("one")) {
            return PodReply.getDefaultInstance();
          }
          throw Errors.notFound("pods", request.getNamespace(), request.getName());
        });
  }

  @Override
  public void watch(WatchPodsRequest request, StreamObserver<WatchPodsReply> observer) {
    var selector = LocalControlPlane.selector(request.getLabelSelector());
    plane.watch(
        observer,
        request.getFrom(),
        new LocalControlPlane.Telling<io.fairlead.v1.Pod, WatchPodsReply>(
            o -> WatchPodsReply.newBuilder().setAdded(o).build(),
            o -> WatchPodsReply.newBuilder().setModified(o).build(),
            o -> WatchPodsReply.newBuilder().setDeleted(o).build(),
            at -> WatchPodsReply.newBuilder().setSynced(at).build()),
        () ->
            LocalControlPlane.byName(
                new PodResource()
                    .of(plane.image()).stream()
                        .filter(o ->
                            LocalControlPlane.isMeant(
                                o.getMetadata(),
                                request.getNamespace(),
                                request.getName(),
                                selector))
                        .toList(),
                io.fairlead.v1.Pod::getMetadata));
  }

  private io.fairlead.v1.Pod proto(Versioned<Pod> pod) {
    return PodCodec.proto(plane.image(), pod);
  }

  private PodReply reply(PodOutcome outcome) {
    var reply = PodReply.newBuilder().setPosition(PositionCodec.proto(plane.position()));
    return switch (outcome) {
      case PodOutcome.Stored(var result, var pod, _) ->
          reply
              .setPod(proto(plane.image().pods().get(pod.name()).orElseThrow()))
              .setResult(LocalControlPlane.result(result))
              .build();
      case PodOutcome.Deleted _ -> reply.setResult(Result.DELETED).build();
      case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case PodOutcome.NodeStored _,
          PodOutcome.NodeDeleted _,
          PodOutcome.Reported _,
          PodOutcome.Reconciled _,
          PodOutcome.Collected _,
          PodOutcome.SliceStored _,
          PodOutcome.SliceDeleted _ ->
          throw new IllegalStateException("not asked for: " + outcome);
    };
  }

  @Override
  public void apply(ApplyPodRequest request, StreamObserver<PodReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          var draft = PodCodec.draft(request.getPod());
          return reply(plane.decideOnPods(new PodCommand.ApplyPod(draft)));
        });
  }

  @Override
  public void delete(DeletePodRequest request, StreamObserver<PodReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () ->
            reply(
                plane.decideOnPods(
                    new PodCommand.DeletePod(
                        new ObjectName(request.getNamespace(), request.getName()),
                        request.getUid(),
                        request.hasGracePeriodSeconds()
                            ? OptionalInt.of(request.getGracePeriodSeconds())
                            : OptionalInt.empty()))));
  }

  @Override
  public void updateStatus(UpdatePodStatusRequest request, StreamObserver<PodReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () ->
            reply(
                plane.decideOnPods(
                    new PodCommand.UpdatePodStatus(
                        new ObjectName(request.getNamespace(), request.getName()),
                        request.getUid(),
                        request.getNodeName(),
                        request.hasStatus()
                            ? Optional.of(PodCodec.draft(request.getStatus()))
                            : Optional.empty(),
                        request.getConditionsList().stream().map(PodCodec::draft).toList()))));
  }

  @Override
  public void get(GetPodRequest request, StreamObserver<PodReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            PodReply.newBuilder()
                .setPod(
                    proto(
                        LocalControlPlane.found(
                            plane
                                .image()
                                .pods()
                                .get(new ObjectName(request.getNamespace(), request.getName())),
                            Kind.POD,
                            request.getNamespace(),
                            request.getName())))
                .build());
  }

  @Override
  public void list(ListPodsRequest request, StreamObserver<ListPodsReply> observer) {
    plane.answer(
        observer,
        "",
        () -> {
          var selector = LocalControlPlane.selector(request.getLabelSelector());
          var items =
              request.getNamespace().isEmpty()
                  ? plane.image().pods().all()
                  : plane.image().pods().inNamespace(request.getNamespace());
          return ListPodsReply.newBuilder()
              .addAllItems(
                  items.stream()
                      .filter(pod -> selector.matches(pod.object().meta().labels()))
                      .map(this::proto)
                      .toList())
              .build();
        });
  }
}
