package io.fairlead.endpoints.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.WatchNodesReply;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Nodes that a caller watches.
 *
 * @param message with what is known of the node besides its record, at the time of telling
 */
record NodeSubject(ObjectFilter filter, Function<Versioned<Node>, io.fairlead.v1.Node> message)
    implements Subject<Versioned<Node>, WatchNodesReply> {
  @Override
  public WatchedKind kind() {
    return WatchedKind.NODES;
  }

  @Override
  public Collection<ObjectName> all(ClusterImage image) {
    return image.nodes().all().stream()
        .map(node -> new ObjectName("", node.object().name()))
        .toList();
  }

  @Override
  public Map<String, Versioned<Node>> at(ClusterImage image, ObjectName key) {
    return image
        .nodes()
        .get(key.name())
        .filter(node -> filter.matches(key, node.object().meta().labels()))
        .map(node -> Map.of("", node))
        .orElse(Map.of());
  }

  @Override
  public Object identity(Versioned<Node> node) {
    return node.object().uid();
  }

  @Override
  public WatchNodesReply message(Told<Versioned<Node>> told, Optional<Position> resume) {
    var reply = WatchNodesReply.newBuilder();
    resume.map(PositionCodec::proto).ifPresent(reply::setPosition);
    switch (told) {
      case Told.Added(var object) -> reply.setAdded(message.apply(object));
      case Told.Modified(var object) -> reply.setModified(message.apply(object));
      case Told.Deleted(var object) -> reply.setDeleted(message.apply(object));
      case Told.Synced(var at) -> reply.clearPosition().setSynced(PositionCodec.proto(at));
      case Told.Bookmark(var at) -> reply.clearPosition().setBookmark(PositionCodec.proto(at));
    }
    return reply.build();
  }
}
