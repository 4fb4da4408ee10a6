package io.fairlead.allocator.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.WatchServicesReply;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Services that a caller watches. */
record ServiceSubject(ObjectFilter filter)
    implements Subject<Versioned<Service>, WatchServicesReply> {
  private static final String CLUSTER_IP = "spec.clusterIP";
  private static final String TYPE = "spec.type";

  /** What a caller wants of a list or a watch. */
  static ObjectFilter filter(
      String namespace, String name, String labelSelector, String fieldSelector) {
    return ObjectFilter.of(
        namespace, name, labelSelector, fieldSelector, List.of(CLUSTER_IP, TYPE));
  }

  static boolean matches(ObjectFilter filter, Service service) {
    return filter.matches(
        service.name(), service.meta().labels(), field -> field(service.spec(), field));
  }

  private static String field(ServiceSpec spec, String field) {
    return switch (field) {
      case CLUSTER_IP ->
          switch (spec.exposure()) {
            case CLUSTER_IP -> spec.clusterIps().getFirst().toString();
            case HEADLESS -> "None";
            case EXTERNAL_NAME -> "";
          };
      case TYPE -> spec.exposure() == Exposure.EXTERNAL_NAME ? "ExternalName" : "ClusterIP";
      default -> "";
    };
  }

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
        .filter(service -> matches(filter, service.object()))
        .map(service -> Map.of("", service))
        .orElse(Map.of());
  }

  @Override
  public Object identity(Versioned<Service> service) {
    return service.object().uid();
  }

  @Override
  public WatchServicesReply message(Told<Versioned<Service>> told, Optional<Position> resume) {
    var reply = WatchServicesReply.newBuilder();
    resume.map(PositionCodec::proto).ifPresent(reply::setPosition);
    switch (told) {
      case Told.Added(var object) -> reply.setAdded(ServiceCodec.proto(object));
      case Told.Modified(var object) -> reply.setModified(ServiceCodec.proto(object));
      case Told.Deleted(var object) -> reply.setDeleted(ServiceCodec.proto(object));
      case Told.Synced(var at) -> reply.clearPosition().setSynced(PositionCodec.proto(at));
      case Told.Bookmark(var at) -> reply.clearPosition().setBookmark(PositionCodec.proto(at));
    }
    return reply.build();
  }
}
