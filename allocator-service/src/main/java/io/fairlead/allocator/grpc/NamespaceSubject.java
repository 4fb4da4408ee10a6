package io.fairlead.allocator.grpc;

import io.fairlead.api.NamespaceCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Subject;
import io.fairlead.decider.watch.Told;
import io.fairlead.decider.watch.WatchedKind;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.WatchNamespacesReply;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Namespaces that a caller watches: those that were made, and those that are there because they
 * hold a Service.
 */
record NamespaceSubject(ObjectFilter filter) implements Subject<Namespace, WatchNamespacesReply> {
  /** All names there are. */
  static SortedSet<String> names(ClusterImage image) {
    var names = new TreeSet<>(image.namespaces().byName().keySet());
    image.services().byName().keySet().forEach(service -> names.add(service.namespace()));
    return names;
  }

  static Optional<Namespace> find(ClusterImage image, String name) {
    return image
        .namespaces()
        .get(name)
        .map(made -> NamespaceCodec.proto(made.object(), OptionalLong.of(made.offset())))
        .or(() ->
            image.services().byNamespace(name).isEmpty()
                ? Optional.empty()
                : Optional.of(NamespaceCodec.implied(name)));
  }

  @Override
  public WatchedKind kind() {
    return WatchedKind.NAMESPACES;
  }

  @Override
  public Collection<ObjectName> all(ClusterImage image) {
    return names(image).stream().map(name -> new ObjectName("", name)).toList();
  }

  @Override
  public Map<String, Namespace> at(ClusterImage image, ObjectName key) {
    return find(image, key.name())
        .filter(namespace -> filter.matches(key, namespace.getMetadata().getLabelsMap()))
        .map(namespace -> Map.of("", namespace))
        .orElse(Map.of());
  }

  /** One that was made is, to those who watch, the one that was there for its Services before. */
  @Override
  public Object identity(Namespace namespace) {
    return namespace.getMetadata().getName();
  }

  @Override
  public WatchNamespacesReply message(Told<Namespace> told, Optional<Position> resume) {
    var reply = WatchNamespacesReply.newBuilder();
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
