package io.fairlead.endpoints.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.WatchEndpointSlicesReply;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * EndpointSlices that a caller watches, or lists: derived ones and those that somebody wrote. Keys
 * are the Services that they are of; a written one may be of a Service that is not there.
 */
record SliceSubject(ObjectFilter filter)
    implements Subject<EndpointSlice, WatchEndpointSlicesReply> {
  @Override
  public WatchedKind kind() {
    return WatchedKind.ENDPOINT_SLICES;
  }

  @Override
  public Collection<ObjectName> all(ClusterImage image) {
    var names = new TreeSet<ObjectName>();
    filter
        .namespace()
        .map(image.services()::byNamespace)
        .orElseGet(image.services()::all)
        .forEach(service -> names.add(service.object().name()));
    filter
        .namespace()
        .map(image.slices()::inNamespace)
        .orElseGet(image.slices()::all)
        .forEach(slice -> names.add(slice.object().service()));
    return names;
  }

  @Override
  public Map<String, EndpointSlice> at(ClusterImage image, ObjectName key) {
    var wanted = new LinkedHashMap<String, EndpointSlice>();
    if (filter.namespace().filter(n -> !n.equals(key.namespace())).isEmpty()) {
      for (var slice : SliceCodec.all(image, List.of(key))) {
        var meta = slice.getMetadata();
        if (filter.matches(new ObjectName(key.namespace(), meta.getName()), meta.getLabelsMap())) {
          wanted.put(meta.getName(), slice);
        }
      }
    }
    return wanted;
  }

  /** The name of a derived one says whose it is: another Service's have other names. */
  @Override
  public Object identity(EndpointSlice slice) {
    return slice.getMetadata().getUid();
  }

  @Override
  public WatchEndpointSlicesReply message(Told<EndpointSlice> told, Optional<Position> resume) {
    var reply = WatchEndpointSlicesReply.newBuilder();
    resume.map(PositionCodec::proto).ifPresent(reply::setPosition);
    switch (told) {
      case Told.Added(var object) -> reply.setAdded(object);
      case Told.Modified(var object) -> reply.setModified(object);
      case Told.Deleted(var object) -> reply.setDeleted(object);
      case Told.Synced(var at) -> reply.clearPosition().setSynced(PositionCodec.proto(at));
      case Told.Bookmark(var at) -> reply.clearPosition().setBookmark(PositionCodec.proto(at));
    }
    return reply.build();
  }
}
