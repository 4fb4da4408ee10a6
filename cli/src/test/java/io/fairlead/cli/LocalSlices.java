package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.model.ObjectName;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.CreateEndpointSliceRequest;
import io.fairlead.v1.DeleteEndpointSliceRequest;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesReply;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.Result;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** EndpointSlices of the local control plane. */
final class LocalSlices extends EndpointSlicesGrpc.EndpointSlicesImplBase {
  private final LocalControlPlane plane;

  LocalSlices(LocalControlPlane plane) {
    this.plane = plane;
  }

  private List<io.fairlead.v1.EndpointSlice> slices(
      String namespace, String name, LabelSelector selector) {
    return new EndpointSliceResource()
        .of(plane.image()).stream()
            .filter(
                slice -> LocalControlPlane.isMeant(slice.getMetadata(), namespace, name, selector))
            .toList();
  }

  @Override
  public void create(
      CreateEndpointSliceRequest request, StreamObserver<EndpointSliceReply> observer) {
    var draft = SliceCodec.draft(request.getEndpointSlice());
    change(
        observer,
        request.getRequestId(),
        new PodCommand.CreateSlice(draft, dryRun(request.getDryRun())));
  }

  @Override
  public void apply(
      ApplyEndpointSliceRequest request, StreamObserver<EndpointSliceReply> observer) {
    var draft = SliceCodec.draft(request.getEndpointSlice());
    change(
        observer,
        request.getRequestId(),
        new PodCommand.ApplySlice(draft, dryRun(request.getDryRun())));
  }

  @Override
  public void delete(
      DeleteEndpointSliceRequest request, StreamObserver<EndpointSliceReply> observer) {
    change(
        observer,
        request.getRequestId(),
        new PodCommand.DeleteSlice(
            new ObjectName(request.getNamespace(), request.getName()),
            request.getUid(),
            request.getResourceVersion(),
            dryRun(request.getDryRun())));
  }

  private static DryRun dryRun(boolean asked) {
    return asked ? DryRun.YES : DryRun.NO;
  }

  private void change(
      StreamObserver<EndpointSliceReply> observer, String requestId, PodCommand command) {
    plane.answer(
        observer,
        requestId,
        () ->
            switch (plane.decideOnPods(command)) {
              case PodOutcome.SliceStored(var result, var slice, var version) ->
                  EndpointSliceReply.newBuilder()
                      .setEndpointSlice(
                          SliceCodec.proto(
                              plane.image(),
                              version.isPresent()
                                  ? Versioned.at(slice, version.getAsLong())
                                  : Versioned.pending(slice)))
                      .setResult(LocalControlPlane.result(result))
                      .setPosition(PositionCodec.proto(plane.position()))
                      .build();
              case PodOutcome.SliceDeleted _ ->
                  EndpointSliceReply.newBuilder().setResult(Result.DELETED).build();
              case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
              case PodOutcome other -> throw new IllegalStateException("" + other);
            });
  }

  @Override
  public void get(GetEndpointSliceRequest request, StreamObserver<EndpointSliceReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            EndpointSliceReply.newBuilder()
                .setEndpointSlice(
                    slices(
                            request.getNamespace(),
                            request.getName(),
                            LocalControlPlane.selector(""))
                        .stream()
                        .findFirst()
                        .orElseThrow(() ->
                            io.grpc.Status.NOT_FOUND
                                .withDescription(
                                    "endpointslices \"" + request.getName() + "\" not found")
                                .asRuntimeException()))
                .build());
  }

  @Override
  public void list(
      ListEndpointSlicesRequest request, StreamObserver<ListEndpointSlicesReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            ListEndpointSlicesReply.newBuilder()
                .addAllItems(
                    slices(
                        request.getNamespace(),
                        "",
                        LocalControlPlane.selector(request.getLabelSelector())))
                .build());
  }

  @Override
  public void watch(
      WatchEndpointSlicesRequest request, StreamObserver<WatchEndpointSlicesReply> observer) {
    var selector = LocalControlPlane.selector(request.getLabelSelector());
    plane.watch(
        observer,
        request.getFrom(),
        new LocalControlPlane.Telling<io.fairlead.v1.EndpointSlice, WatchEndpointSlicesReply>(
            o -> WatchEndpointSlicesReply.newBuilder().setAdded(o).build(),
            o -> WatchEndpointSlicesReply.newBuilder().setModified(o).build(),
            o -> WatchEndpointSlicesReply.newBuilder().setDeleted(o).build(),
            at -> WatchEndpointSlicesReply.newBuilder().setSynced(at).build()),
        () ->
            LocalControlPlane.byName(
                slices(request.getNamespace(), request.getName(), selector),
                io.fairlead.v1.EndpointSlice::getMetadata));
  }
}
