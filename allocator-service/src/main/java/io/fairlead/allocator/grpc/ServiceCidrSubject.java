package io.fairlead.allocator.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.WatchServiceCidrsReply;
import java.util.Collection;
import java.util.Map;

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
  public WatchServiceCidrsReply added(ServiceCidr cidr) {
    return WatchServiceCidrsReply.newBuilder().setAdded(cidr).build();
  }

  @Override
  public WatchServiceCidrsReply modified(ServiceCidr cidr) {
    return WatchServiceCidrsReply.newBuilder().setModified(cidr).build();
  }

  @Override
  public WatchServiceCidrsReply deleted(ServiceCidr cidr) {
    return WatchServiceCidrsReply.newBuilder().setDeleted(cidr).build();
  }

  @Override
  public WatchServiceCidrsReply synced(Position position) {
    return WatchServiceCidrsReply.newBuilder().setSynced(PositionCodec.proto(position)).build();
  }
}
