package io.fairlead.endpoints.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.WatchPodsReply;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/**
 * Pods that a caller watches.
 *
 * @param node only those of that node; empty = all
 */
record PodSubject(ObjectFilter filter, Optional<String> node)
    implements Subject<PodMessages.Seen, WatchPodsReply> {
  @Override
  public WatchedKind kind() {
    return WatchedKind.PODS;
  }

  @Override
  public Collection<ObjectName> all(ClusterImage image) {
    if (node.isPresent()) {
      return image.pods().onNode(node.get());
    }
    return filter.namespace().map(image.pods()::inNamespace).orElseGet(image.pods()::all).stream()
        .map(pod -> pod.object().name())
        .toList();
  }

  @Override
  public Map<String, PodMessages.Seen> at(ClusterImage image, ObjectName key) {
    return image
        .pods()
        .get(key)
        .filter(pod -> wants(pod.object()))
        .map(pod -> Map.of("", PodMessages.see(image, pod)))
        .orElse(Map.of());
  }

  private boolean wants(Pod pod) {
    return filter.matches(pod.name(), pod.meta().labels())
        && (node.isEmpty() || node.equals(pod.spec().nodeName()));
  }

  @Override
  public Object identity(PodMessages.Seen seen) {
    return seen.pod().object().uid();
  }

  @Override
  public WatchPodsReply message(Told<PodMessages.Seen> told, Optional<Position> resume) {
    var reply = WatchPodsReply.newBuilder();
    resume.map(PositionCodec::proto).ifPresent(reply::setPosition);
    switch (told) {
      case Told.Added(var object) -> reply.setAdded(object.message());
      case Told.Modified(var object) -> reply.setModified(object.message());
      case Told.Deleted(var object) -> reply.setDeleted(object.message());
      case Told.Synced(var at) -> reply.clearPosition().setSynced(PositionCodec.proto(at));
      case Told.Bookmark(var at) -> reply.clearPosition().setBookmark(PositionCodec.proto(at));
    }
    return reply.build();
  }
}
