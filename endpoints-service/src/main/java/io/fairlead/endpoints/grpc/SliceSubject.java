package io.fairlead.endpoints.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.EndpointSlice;
import io.fairlead.core.view.EndpointSlices;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.WatchEndpointSlicesReply;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** EndpointSlices that a caller watches, or lists. Keys are the Services. */
record SliceSubject(ObjectFilter filter)
    implements Subject<EndpointSlice, WatchEndpointSlicesReply> {
  @Override
  public WatchedKind kind() {
    return WatchedKind.ENDPOINT_SLICES;
  }

  @Override
  public Collection<ObjectName> all(ClusterImage image) {
    return filter
        .namespace()
        .map(image.services()::byNamespace)
        .orElseGet(image.services()::all)
        .stream()
        .map(service -> service.object().name())
        .toList();
  }

  @Override
  public Map<String, EndpointSlice> at(ClusterImage image, ObjectName key) {
    var wanted = new LinkedHashMap<String, EndpointSlice>();
    image
        .services()
        .get(key)
        .filter(_ -> filter.namespace().filter(n -> !n.equals(key.namespace())).isEmpty())
        .ifPresent(service -> {
          for (var slice : EndpointSlices.of(image, service.object())) {
            if (filter.matches(new ObjectName(key.namespace(), slice.name()), slice.labels())) {
              wanted.put(slice.name(), slice);
            }
          }
        });
    return wanted;
  }

  /** Its name says whose it is: another Service's slices have other names. */
  @Override
  public Object identity(EndpointSlice slice) {
    return slice.serviceUid();
  }

  @Override
  public WatchEndpointSlicesReply message(Told<EndpointSlice> told, Optional<Position> resume) {
    var reply = WatchEndpointSlicesReply.newBuilder();
    resume.map(PositionCodec::proto).ifPresent(reply::setPosition);
    switch (told) {
      case Told.Added(var object) -> reply.setAdded(SliceCodec.proto(object));
      case Told.Modified(var object) -> reply.setModified(SliceCodec.proto(object));
      case Told.Deleted(var object) -> reply.setDeleted(SliceCodec.proto(object));
      case Told.Synced(var at) -> reply.clearPosition().setSynced(PositionCodec.proto(at));
      case Told.Bookmark(var at) -> reply.clearPosition().setBookmark(PositionCodec.proto(at));
    }
    return reply.build();
  }
}
