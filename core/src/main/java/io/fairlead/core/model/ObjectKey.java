package io.fairlead.core.model;

import java.util.Comparator;
import java.util.Optional;

/**
 * What a record of the log is compacted by. Text form {@code Kind/namespace/name}; objects of
 * cluster scope have the empty namespace.
 */
public record ObjectKey(Kind kind, String namespace, String name) implements Comparable<ObjectKey> {
  private static final Comparator<ObjectKey> ORDER =
      Comparator.comparing(ObjectKey::kind)
          .thenComparing(ObjectKey::namespace)
          .thenComparing(ObjectKey::name);

  public ObjectKey {
    if (namespace.isEmpty() != (kind.scope() == Kind.Scope.CLUSTER)) {
      throw new IllegalArgumentException(kind.text() + " with namespace '" + namespace + "'");
    }
  }

  public static ObjectKey of(Kind kind, ObjectName name) {
    return new ObjectKey(kind, name.namespace(), name.name());
  }

  public static ObjectKey ofCluster(Kind kind, String name) {
    return new ObjectKey(kind, "", name);
  }

  /** The inverse of {@link #toString}, or empty. */
  public static Optional<ObjectKey> parse(String text) {
    int first = text.indexOf('/');
    int second = text.indexOf('/', first + 1);
    if (first < 0 || second < 0 || text.indexOf('/', second + 1) >= 0) {
      return Optional.empty();
    }
    var namespace = text.substring(first + 1, second);
    return Kind.parse(text.substring(0, first))
        .filter(kind -> namespace.isEmpty() == (kind.scope() == Kind.Scope.CLUSTER))
        .map(kind -> new ObjectKey(kind, namespace, text.substring(second + 1)));
  }

  public ObjectName objectName() {
    return new ObjectName(namespace, name);
  }

  @Override
  public int compareTo(ObjectKey other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return kind.text() + "/" + namespace + "/" + name;
  }
}
