package io.fairlead.cli;

import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.ObjectMeta;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the verbs need to know of a kind of objects. Names of namespaces are ignored by kinds that
 * have none.
 */
sealed interface Resource<T> permits ServiceResource, PodResource, NodeResource {
  /** What can be typed for it: plural first, then singular, then short names. */
  List<String> names();

  /** Whether its objects are in namespaces. */
  boolean isNamespaced();

  T get(Session session, String namespace, String name, Freshness freshness);

  /** Sorted by namespace and name; empty namespace = all of them. */
  List<T> list(Session session, String namespace, String selector, Freshness freshness);

  /** How a deletion is asked for. */
  record Deletion(Optional<Duration> grace) {}

  void delete(Session session, String namespace, String name, Deletion how);

  ObjectMeta meta(T object);

  Map<String, Object> tree(T object);

  TextTable table(List<T> objects, Width width, Namespaces namespaces, Instant now);

  String describe(Session session, T object);

  default String plural() {
    return names().getFirst();
  }

  default String singular() {
    return names().get(1);
  }

  /** {@code service/web}. */
  default String title(String name) {
    return singular() + "/" + name;
  }

  /** The kind that is typed so. */
  static Resource<?> of(String typed) {
    return Stream.<Resource<?>>of(new ServiceResource(), new PodResource(), new NodeResource())
        .filter(resource -> resource.names().contains(typed))
        .findFirst()
        .orElseThrow(() ->
            new CliException(
                "error: the server doesn't have a resource type \""
                    + typed
                    + "\"; it has services (svc), pods (po), nodes (no)"));
  }

  /** The kinds of {@code svc,po}. */
  static List<Resource<?>> all(String typed) {
    return Arrays.stream(typed.split(",", -1)).<Resource<?>>map(Resource::of).toList();
  }
}
