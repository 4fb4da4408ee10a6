package io.fairlead.endpoints.grpc;

import static io.fairlead.endpoints.grpc.PodsService.answer;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.view.EndpointSlices;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Watches;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.CreateEndpointSliceRequest;
import io.fairlead.v1.DeleteEndpointSliceRequest;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.EndpointSlicesGrpc.EndpointSlicesImplBase;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesReply;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import io.grpc.stub.StreamObserver;
import java.util.Comparator;

/**
 * The EndpointSlices of the API. Those of Services with a selector are derived at each call from
 * the image of this replica; owners decide what people write.
 */
final class EndpointSlicesService extends EndpointSlicesImplBase {
  private final PodCalls calls;
  private final Reads reads;
  private final Watches watches;

  EndpointSlicesService(PodCalls calls, Reads reads, Watches watches) {
    this.calls = calls;
    this.reads = reads;
    this.watches = watches;
  }

  @Override
  public void create(
      CreateEndpointSliceRequest request, StreamObserver<EndpointSliceReply> replies) {
    answer(replies, calls.create(request, Caller.current(), reads.left()));
  }

  @Override
  public void apply(ApplyEndpointSliceRequest request, StreamObserver<EndpointSliceReply> replies) {
    answer(replies, calls.apply(request, Caller.current(), reads.left()));
  }

  @Override
  public void delete(
      DeleteEndpointSliceRequest request, StreamObserver<EndpointSliceReply> replies) {
    answer(replies, calls.delete(request, Caller.current(), reads.left()));
  }

  @Override
  public void get(GetEndpointSliceRequest request, StreamObserver<EndpointSliceReply> replies) {
    if (request.getName().isEmpty()) {
      throw Errors.invalid("name", Reason.REQUIRED, "which slice");
    }
    var namespace =
        request.getNamespace().isEmpty() ? ObjectName.DEFAULT_NAMESPACE : request.getNamespace();
    var snapshot = reads.at(request.getFreshness());
    var name = new ObjectName(namespace, request.getName());
    var image = snapshot.image();
    var found =
        image
            .slices()
            .get(name)
            .map(slice -> SliceCodec.proto(image, slice))
            .or(() -> EndpointSlices.find(image, name).map(SliceCodec::proto))
            .orElseThrow(() -> Errors.notFound("EndpointSlice", namespace, request.getName()));
    answer(
        replies,
        EndpointSliceReply.newBuilder()
            .setEndpointSlice(found)
            .setPosition(PositionCodec.proto(snapshot.position()))
            .build());
  }

  @Override
  public void list(
      ListEndpointSlicesRequest request, StreamObserver<ListEndpointSlicesReply> replies) {
    var filter = ObjectFilter.of(request.getNamespace(), "", request.getLabelSelector());
    var snapshot = reads.at(request.getFreshness());
    var reply =
        ListEndpointSlicesReply.newBuilder().setPosition(PositionCodec.proto(snapshot.position()));
    var subject = new SliceSubject(filter);
    subject.all(snapshot.image()).stream()
        .flatMap(service -> subject.at(snapshot.image(), service).values().stream())
        .sorted(
            Comparator.<EndpointSlice, String>comparing(s -> s.getMetadata().getNamespace())
                .thenComparing(s -> s.getMetadata().getName()))
        .forEach(reply::addItems);
    answer(replies, reply.build());
  }

  @Override
  public void watch(
      WatchEndpointSlicesRequest request, StreamObserver<WatchEndpointSlicesReply> replies) {
    var filter =
        ObjectFilter.of(request.getNamespace(), request.getName(), request.getLabelSelector());
    var from = reads.begin(request.getFreshness(), request.getFrom());
    watches.open(new SliceSubject(filter), from, replies);
  }
}
