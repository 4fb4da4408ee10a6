package io.fairlead.endpoints.grpc;

import static io.fairlead.endpoints.grpc.PodsService.answer;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.view.EndpointSlice;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Watches;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.EndpointSlicesGrpc.EndpointSlicesImplBase;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesReply;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import io.grpc.stub.StreamObserver;
import java.util.Comparator;
import java.util.List;

/** The EndpointSlices of the API, derived at each call from the image of this replica. */
final class EndpointSlicesService extends EndpointSlicesImplBase {
  private final Reads reads;
  private final Watches watches;

  EndpointSlicesService(Reads reads, Watches watches) {
    this.reads = reads;
    this.watches = watches;
  }

  @Override
  public void get(GetEndpointSliceRequest request, StreamObserver<EndpointSliceReply> replies) {
    if (request.getName().isEmpty()) {
      throw Errors.invalid("name", Reason.REQUIRED, "which slice");
    }
    var namespace =
        request.getNamespace().isEmpty() ? ObjectName.DEFAULT_NAMESPACE : request.getNamespace();
    var snapshot = reads.at(request.getFreshness());
    var found = slices(snapshot, ObjectFilter.of(namespace, request.getName(), ""));
    if (found.isEmpty()) {
      throw Errors.notFound("EndpointSlice", namespace, request.getName());
    }
    answer(
        replies,
        EndpointSliceReply.newBuilder()
            .setEndpointSlice(SliceCodec.proto(found.getFirst()))
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
    slices(snapshot, filter).forEach(slice -> reply.addItems(SliceCodec.proto(slice)));
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

  /** Sorted by namespace and name. */
  private static List<EndpointSlice> slices(Snapshot snapshot, ObjectFilter filter) {
    var subject = new SliceSubject(filter);
    return subject.all(snapshot.image()).stream()
        // a slice's name begins with its Service's: one slice costs one Service
        .filter(service -> filter.name().filter(n -> !n.startsWith(service.name())).isEmpty())
        .flatMap(service -> subject.at(snapshot.image(), service).values().stream())
        .sorted(
            Comparator.comparing((EndpointSlice slice) -> slice.service().namespace())
                .thenComparing(EndpointSlice::name))
        .toList();
  }
}
