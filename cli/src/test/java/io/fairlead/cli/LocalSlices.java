package io.fairlead.cli;

import io.fairlead.core.model.LabelSelector;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesReply;
import io.fairlead.v1.ListEndpointSlicesRequest;
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
