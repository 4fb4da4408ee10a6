package io.fairlead.allocator.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.WatchServiceCidrsReply;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** ServiceCIDRs that a caller watches. How much of them is in use is told with their changes. */
record ServiceCidrSubject(ObjectFilter filter)
    implements Subject<ServiceCidr, WatchServiceCidrsReply> {
  @Override
  public WatchedKind kind() {
    return WatchedKind.SERVICE_CIDRS;
  }

  @Override
  public Collection<ObjectName> all(ClusterImage image) {
    return image.serviceCidrs().byName().keySet().stream()
        .map(name -> new ObjectName("", name))
        .toList();
  }

  @Override
  public Map<String, ServiceCidr> at(ClusterImage image, ObjectName key) {
    return image
        .serviceCidrs()
        .get(key.name())
        .filter(cidr -> filter.matches(key, cidr.object().meta().labels()))
        .map(cidr -> Map.of("", ServiceCidrCodec.proto(cidr, image)))
        .orElse(Map.of());
  }

  @Override
  public Object identity(ServiceCidr cidr) {
    return cidr.getMetadata().getUid();
  }

  @Override
  public WatchServiceCidrsReply message(Told<ServiceCidr> told, Optional<Position> resume) {
    var reply = WatchServiceCidrsReply.newBuilder();
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
