package io.fairlead.cli;

import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.ObjectMeta;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the verbs need to know of a kind of objects. Names of namespaces are ignored by kinds that
 * have none.
 */
sealed interface Resource<T>
    permits ServiceResource,
        PodResource,
        EndpointSliceResource,
        NodeResource,
        NamespaceResource,
        ServiceCidrResource,
        AllocationResource,
        ReservationResource {
  /** What {@code get all} shows. */
  String ALL = "all";

  /** What can be typed for it: plural first, then singular, then short names. */
  List<String> names();

  /** Whether its objects are in namespaces. */
  boolean isNamespaced();

  T get(Session session, String namespace, String name, Freshness freshness);

  /** Sorted by namespace and name. */
  List<T> list(Session session, Listing listing);

  /** Sorted by namespace and name; empty namespace = all of them. */
  default List<T> list(Session session, String namespace, String selector, Freshness freshness) {
    return list(session, Listing.of(namespace, selector, freshness));
  }

  /**
   * Which objects are watched.
   *
   * @param namespace "" = all of them
   * @param fieldSelector "" = all of them
   * @param name empty = all of them
   */
  record Query(
      String namespace,
      String selector,
      String fieldSelector,
      Optional<String> name,
      Freshness freshness) {
    /** For kinds whose fields cannot be selected by. */
    void refuseFields(String plural) {
      if (!fieldSelector.isEmpty()) {
        throw Listing.refused(plural);
      }
    }
  }

  /** Tells what is there and then what changes, until the reader has enough. */
  void watch(Session session, Query query, ObjectsReader<T> reader);

  /** Of an image of the log; sorted by namespace and name. */
  List<T> of(ClusterImage image);

  /** How a deletion is asked for; without a grace, the server decides. */
  record Deletion(Optional<Duration> grace, Cascade cascade, Senders.DryRun dryRun) {
    boolean tried() {
      return dryRun == Senders.DryRun.SERVER;
    }
  }

  /** Whether what an object holds is deleted with it. */
  enum Cascade {
    NO,
    YES
  }

  /** What came of it. */
  sealed interface Deleted {
    record Gone() implements Deleted {}

    /** It is there until it has ended, for so long at most. */
    record Terminating(String uid, Duration grace) implements Deleted {}

    /** It is there as long as something needs it; nobody waits for that. */
    record Held(String words) implements Deleted {}

    /**
     * It is there until what it holds has ended.
     *
     * @param grace of what ends in time
     * @param words what it holds
     */
    record Emptying(Duration grace, String words) implements Deleted {}
  }

  Deleted delete(Session session, String namespace, String name, Deletion how);

  /** Why none of them is deleted so, whatever the server would say; empty where it is asked. */
  default Optional<String> notDeleted(Deletion how) {
    return Optional.empty();
  }

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

  /** The kind that is typed so, in any case. */
  static Resource<?> of(String typed) {
    return find(typed)
        .orElseThrow(() ->
            new UsageException(
                "error: the server doesn't have a resource type \""
                    + typed
                    + "\"; it has services (svc), pods (po), endpointslices (eps), nodes (no), namespaces (ns), servicecidrs, allocations (ip), reservations (rsv)"));
  }

  /** Whether that is meant as TYPE, TYPE,TYPE or TYPE/NAME. */
  static boolean isTyped(String argument) {
    return Arrays.stream(argument.split("/", 2)[0].split(",", -1))
        .anyMatch(typed -> typed.equals(ALL) || find(typed).isPresent());
  }

  private static Optional<Resource<?>> find(String typed) {
    return Stream.<Resource<?>>of(
            new ServiceResource(),
            new PodResource(),
            new EndpointSliceResource(),
            new NodeResource(),
            new NamespaceResource(),
            new ServiceCidrResource(),
            new AllocationResource(),
            new ReservationResource())
        .filter(resource -> resource.names().contains(typed.toLowerCase(Locale.ROOT)))
        .findFirst();
  }

  /** The kinds of {@code svc,po} or {@code all}. */
  static List<Resource<?>> all(String typed) {
    return Arrays.stream(typed.split(",", -1))
        .<Resource<?>>mapMulti((each, into) -> {
          if (each.equals(ALL)) {
            into.accept(new PodResource());
            into.accept(new ServiceResource());
          } else {
            into.accept(Resource.of(each));
          }
        })
        .distinct()
        .toList();
  }
}
