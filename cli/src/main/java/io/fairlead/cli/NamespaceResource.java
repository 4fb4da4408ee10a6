package io.fairlead.cli;

import io.fairlead.api.NamespaceCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.FieldSelector;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Namespaces: those that were made and those that hold Services, of allocator-service; and those
 * that hold Pods or written EndpointSlices only, which only endpoints-service knows.
 */
record NamespaceResource() implements Resource<Namespace> {
  @Override
  public List<String> names() {
    return List.of("namespaces", "namespace", "ns");
  }

  @Override
  public boolean isNamespaced() {
    return false;
  }

  @Override
  public Namespace get(Session session, String namespace, String name, Freshness freshness) {
    var request = GetNamespaceRequest.newBuilder().setName(name).setFreshness(freshness).build();
    try {
      return session.namespaces(stub -> stub.get(request)).getNamespace();
    } catch (CallFailedException e) {
      if (e.isNotFound() && !Held.of(session, name, freshness).isEmpty()) {
        return NamespaceCodec.implied(name);
      }
      throw e;
    }
  }

  @Override
  public List<Namespace> list(Session session, Listing listing) {
    var request =
        ListNamespacesRequest.newBuilder()
            .setLabelSelector(listing.selector())
            .setFieldSelector(listing.fieldSelector())
            .setFreshness(listing.freshness());
    var known =
        listing.<Namespace>all(part -> {
          var page = request.setLimit(part.limit()).setContinue(part.next()).build();
          var reply = session.namespaces(stub -> stub.list(page));
          return new Listing.Page<>(reply.getItemsList(), reply.getContinue());
        });
    var byName = new TreeMap<String, Namespace>();
    known.forEach(namespace -> byName.put(namespace.getMetadata().getName(), namespace));
    var implied = implied(listing.selector(), listing.fieldSelector());
    if (implied.mayMatch()) {
      for (var name : Held.of(session, "", listing.freshness()).namespaces()) {
        if (implied.matches(name)) {
          byName.computeIfAbsent(name, NamespaceCodec::implied);
        }
      }
    }
    return List.copyOf(byName.values());
  }

  /** What endpoints-service knows a namespace to hold, or all of them. */
  private record Held(List<Pod> pods, List<EndpointSlice> slices) {
    static Held of(Session session, String namespace, Freshness freshness) {
      return new Held(
          new PodResource().list(session, namespace, "", freshness),
          new EndpointSliceResource()
              .list(session, namespace, EndpointSliceResource.WRITTEN, freshness));
    }

    boolean isEmpty() {
      return pods.isEmpty() && slices.isEmpty();
    }

    Set<String> namespaces() {
      var names = new TreeSet<String>();
      pods.forEach(pod -> names.add(pod.getMetadata().getNamespace()));
      slices.forEach(slice -> names.add(slice.getMetadata().getNamespace()));
      return names;
    }

    /** {@code 1 pod and 2 endpointslices}. */
    String words(int services) {
      var words = new ArrayList<String>();
      add(words, pods.size(), "pod");
      add(words, services, "service");
      add(words, slices.size(), "endpointslice");
      return String.join(" and ", words);
    }

    private static void add(List<String> words, int number, String what) {
      if (number > 0) {
        words.add(number + " " + what + (number == 1 ? "" : "s"));
      }
    }
  }

  /** Which of the namespaces that were not made are meant: they have no labels. */
  record Implied(LabelSelector labels, FieldSelector fields) {
    boolean mayMatch() {
      return labels.matches(Map.of());
    }

    boolean matches(String name) {
      return mayMatch() && fields.matches(_ -> name);
    }
  }

  /**
   * @throws CliException one of them is no selector
   */
  static Implied implied(String selector, String fieldSelector) {
    return switch (FieldSelector.parse(fieldSelector, List.of("metadata.name"))) {
      case FieldSelector.Parsed.Valid(var fields) ->
          new Implied(Selection.selector(selector), fields);
      case FieldSelector.Parsed.Invalid(var message) ->
          throw new UsageException("error: --field-selector: " + message);
    };
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Namespace> reader) {
    var implied = implied(query.selector(), query.fieldSelector());
    new NamespacesWatch(session, query, implied, reader).run();
  }

  @Override
  public List<Namespace> of(ClusterImage image) {
    var names = new TreeMap<String, Namespace>();
    image.namespaces().all().stream()
        .map(made -> NamespaceCodec.proto(made.object(), OptionalLong.of(made.offset())))
        .forEach(made -> names.put(made.getMetadata().getName(), made));
    Stream.of(
            image.services().all().stream().map(s -> s.object().meta().namespace()),
            image.pods().all().stream().map(p -> p.object().meta().namespace()),
            image.slices().all().stream().map(s -> s.object().meta().namespace()))
        .flatMap(all -> all)
        .forEach(name -> names.computeIfAbsent(name, NamespaceCodec::implied));
    return List.copyOf(names.values());
  }

  /** The server sees to it that it holds no Services; of the rest it does not know. */
  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var held = Held.of(session, name, Freshness.LATEST);
    return switch (how.cascade()) {
      case NO -> {
        if (!held.isEmpty()) {
          int services = new ServiceResource().list(session, name, "", Freshness.LATEST).size();
          throw new CliException(
              "error: namespace \"%s\" holds %s: delete them first, or all of it with --cascade"
                  .formatted(name, held.words(services)));
        }
        var request = request(session, name).setDryRun(how.tried()).build();
        session.namespaces(stub -> stub.delete(request));
        yield new Deleted.Gone();
      }
      case YES -> how.tried() ? tryAll(session, name, held) : deleteAll(session, name, held, how);
    };
  }

  private static DeleteNamespaceRequest.Builder request(Session session, String name) {
    return DeleteNamespaceRequest.newBuilder().setRequestId(session.requestId()).setName(name);
  }

  /** That each Service could be deleted is tried; the rest always can. */
  private static Deleted tryAll(Session session, String name, Held held) {
    try {
      var all = request(session, name).setCascade(true).setDryRun(true).build();
      session.namespaces(stub -> stub.delete(all));
    } catch (CallFailedException e) {
      if (!e.isNotFound() || held.isEmpty()) { // else it is there for what it holds only
        throw e;
      }
    }
    return new Deleted.Gone();
  }

  private static Deleted deleteAll(Session session, String name, Held held, Deletion how) {
    int deleted = 0;
    var grace = Duration.ZERO;
    for (var pod : held.pods()) {
      var done = delete(session, new PodResource(), name, pod.getMetadata().getName(), how);
      deleted += done.isPresent() ? 1 : 0;
      if (done.orElse(null) instanceof Deleted.Terminating(_, var its)
          && its.compareTo(grace) > 0) {
        grace = its;
      }
    }
    for (var slice : held.slices()) {
      var done =
          delete(session, new EndpointSliceResource(), name, slice.getMetadata().getName(), how);
      deleted += done.isPresent() ? 1 : 0;
    }
    try {
      var all = request(session, name).setCascade(true).build();
      session.namespaces(stub -> stub.delete(all));
    } catch (CallFailedException e) {
      if (!e.isNotFound() || deleted == 0) { // else it was there for what it held only
        throw e;
      }
    }
    var longest = grace;
    return held(session, name)
        .<Deleted>map(words -> new Deleted.Emptying(longest, words))
        .orElseGet(Deleted.Gone::new);
  }

  /** What keeps a namespace there that nobody made, or that was deleted; empty where it is gone. */
  static Optional<String> held(Session session, String name) {
    var left = Held.of(session, name, Freshness.LATEST);
    int services = new ServiceResource().list(session, name, "", Freshness.LATEST).size();
    return left.isEmpty() && services == 0 ? Optional.empty() : Optional.of(left.words(services));
  }

  /** Empty where it is gone already. */
  private static Optional<Deleted> delete(
      Session session, Resource<?> resource, String namespace, String name, Deletion how) {
    try {
      return Optional.of(resource.delete(session, namespace, name, how));
    } catch (CallFailedException e) {
      if (!e.isNotFound()) {
        throw e;
      }
      return Optional.empty();
    }
  }

  @Override
  public ObjectMeta meta(Namespace namespace) {
    return namespace.getMetadata();
  }

  @Override
  public Map<String, Object> tree(Namespace namespace) {
    return ManifestWriter.tree(namespace);
  }

  @Override
  public TextTable table(List<Namespace> objects, Width width, Namespaces namespaces, Instant now) {
    return Tables.namespaces(objects, now);
  }

  @Override
  public String describe(Session session, Namespace namespace) {
    return Descriptions.of(namespace);
  }
}
