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
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Namespaces: those that were made and those that hold Services, of allocator-service; and those
 * that hold Pods only, which only endpoints-service knows.
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
      if (e.isNotFound() && !new PodResource().list(session, name, "", freshness).isEmpty()) {
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
      for (var pod : new PodResource().list(session, "", "", listing.freshness())) {
        var name = pod.getMetadata().getNamespace();
        if (implied.matches(name)) {
          byName.computeIfAbsent(name, NamespaceCodec::implied);
        }
      }
    }
    return List.copyOf(byName.values());
  }

  /** Which of the namespaces that only hold Pods are meant: they have no labels. */
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
          throw new CliException("error: --field-selector: " + message);
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
    Stream.concat(
            image.services().all().stream().map(s -> s.object().meta().namespace()),
            image.pods().all().stream().map(p -> p.object().meta().namespace()))
        .forEach(name -> names.computeIfAbsent(name, NamespaceCodec::implied));
    return List.copyOf(names.values());
  }

  /** The server sees to it that it holds no Services; Pods it does not know. */
  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var pods = new PodResource().list(session, name, "", Freshness.LATEST);
    return switch (how.cascade()) {
      case NO -> {
        if (!pods.isEmpty()) {
          int services = new ServiceResource().list(session, name, "", Freshness.LATEST).size();
          throw new CliException(
              "error: namespace \"%s\" holds %s: delete them first, or all of it with --cascade"
                  .formatted(
                      name,
                      count(pods.size(), "pod")
                          + (services == 0 ? "" : " and " + count(services, "service"))));
        }
        var request = request(session, name).setDryRun(how.tried()).build();
        session.namespaces(stub -> stub.delete(request));
        yield new Deleted.Gone();
      }
      case YES -> how.tried() ? tryAll(session, name, pods) : deleteAll(session, name, pods, how);
    };
  }

  private static DeleteNamespaceRequest.Builder request(Session session, String name) {
    return DeleteNamespaceRequest.newBuilder().setRequestId(session.requestId()).setName(name);
  }

  /** That each Service could be deleted is tried; Pods always can. */
  private static Deleted tryAll(Session session, String name, List<Pod> pods) {
    try {
      var all = request(session, name).setCascade(true).setDryRun(true).build();
      session.namespaces(stub -> stub.delete(all));
    } catch (CallFailedException e) {
      if (!e.isNotFound() || pods.isEmpty()) { // else it is there for its Pods only
        throw e;
      }
    }
    return new Deleted.Gone();
  }

  private static Deleted deleteAll(Session session, String name, List<Pod> pods, Deletion how) {
    int deleted = 0;
    for (var pod : pods) {
      try {
        var _ = new PodResource().delete(session, name, pod.getMetadata().getName(), how);
        deleted++;
      } catch (CallFailedException e) {
        if (!e.isNotFound()) {
          throw e;
        }
      }
    }
    try {
      var all = request(session, name).setCascade(true).build();
      session.namespaces(stub -> stub.delete(all));
    } catch (CallFailedException e) {
      if (!e.isNotFound() || deleted == 0) { // else it was there for its Pods only
        throw e;
      }
    }
    int left = new PodResource().list(session, name, "", Freshness.LATEST).size();
    return left == 0
        ? new Deleted.Gone()
        : new Deleted.Held(
            "namespace/%s is there until it holds no Pods: %s".formatted(name, count(left, "pod")));
  }

  private static String count(int number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
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
