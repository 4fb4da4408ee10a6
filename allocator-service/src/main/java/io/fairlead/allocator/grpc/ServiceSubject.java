package io.fairlead.allocator.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.WatchServicesReply;
import java.util.Collection;
import java.util.Map;

/** Services that a caller watches. */
record ServiceSubject(ObjectFilter filter)
    implements Subject<Versioned<Service>, WatchServicesReply> {
  @Override
  public WatchedKind kind() {
    return WatchedKind.SERVICES;
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
  public Map<String, Versioned<Service>> at(ClusterImage image, ObjectName key) {
    return image
        .services()
        .get(key)
        .filter(service -> filter.matches(key, service.object().meta().labels()))
        .map(service -> Map.of("", service))
        .orElse(Map.of());
  }

  @Override
  public Object identity(Versioned<Service> service) {
    return service.object().uid();
  }

  @Override
  public WatchServicesReply added(Versioned<Service> service) {
    return WatchServicesReply.newBuilder().setAdded(ServiceCodec.proto(service)).build();
  }

  @Override
  public WatchServicesReply modified(Versioned<Service> service) {
    return WatchServicesReply.newBuilder().setModified(ServiceCodec.proto(service)).build();
  }

  @Override
  public WatchServicesReply deleted(Versioned<Service> service) {
    return WatchServicesReply.newBuilder().setDeleted(ServiceCodec.proto(service)).build();
  }

  @Override
  public WatchServicesReply synced(Position position) {
    return WatchServicesReply.newBuilder().setSynced(PositionCodec.proto(position)).build();
  }
}
