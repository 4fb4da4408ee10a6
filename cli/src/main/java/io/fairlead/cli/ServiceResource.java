package io.fairlead.cli;

import io.fairlead.api.ServiceCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.WatchServicesReply;
import io.fairlead.v1.WatchServicesRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Services, of allocator-service. */
record ServiceResource() implements Resource<Service> {
  @Override
  public List<String> names() {
    return List.of("services", "service", "svc");
  }

  @Override
  public boolean isNamespaced() {
    return true;
  }

  @Override
  public Service get(Session session, String namespace, String name, Freshness freshness) {
    var request =
        GetServiceRequest.newBuilder()
            .setNamespace(namespace)
            .setName(name)
            .setFreshness(freshness)
            .build();
    return session.services(stub -> stub.get(request)).getService();
  }

  @Override
  public List<Service> list(Session session, Listing listing) {
    var request =
        ListServicesRequest.newBuilder()
            .setNamespace(listing.namespace())
            .setLabelSelector(listing.selector())
            .setFieldSelector(listing.fieldSelector())
            .setFreshness(listing.freshness());
    return listing.all(part -> {
      var page = request.setLimit(part.limit()).setContinue(part.next()).build();
      var reply = session.services(stub -> stub.list(page));
      return new Listing.Page<>(reply.getItemsList(), reply.getContinue());
    });
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Service> reader) {
    var request =
        WatchServicesRequest.newBuilder()
            .setNamespace(query.namespace())
            .setLabelSelector(query.selector())
            .setFieldSelector(query.fieldSelector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness());
    Watching.run(
        session,
        Session.Part.ALLOCATOR,
        ServicesGrpc::newBlockingStub,
        (stub, from) -> stub.watch(request.setFrom(from).build()),
        ServiceResource::told,
        reader);
  }

  private static Told<Service> told(WatchServicesReply reply) {
    return switch (reply.getEventCase()) {
      case ADDED -> new Told.There<>(reply.getAdded(), reply.getPosition());
      case MODIFIED -> new Told.There<>(reply.getModified(), reply.getPosition());
      case DELETED -> new Told.Gone<>(reply.getDeleted(), reply.getPosition());
      case SYNCED -> new Told.Synced<>(reply.getSynced());
      case BOOKMARK -> new Told.Bookmark<>(reply.getBookmark());
      case EVENT_NOT_SET -> new Told.Unknown<>();
    };
  }

  @Override
  public List<Service> of(ClusterImage image) {
    Function<Versioned<io.fairlead.core.model.Service>, Service> proto = ServiceCodec::proto;
    return image.services().all().stream().map(proto).toList();
  }

  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var request =
        DeleteServiceRequest.newBuilder()
            .setRequestId(session.requestId())
            .setNamespace(namespace)
            .setName(name)
            .setDryRun(how.tried())
            .build();
    session.services(stub -> stub.delete(request));
    return new Deleted.Gone();
  }

  @Override
  public ObjectMeta meta(Service service) {
    return service.getMetadata();
  }

  @Override
  public Map<String, Object> tree(Service service) {
    return ManifestWriter.tree(service);
  }

  @Override
  public TextTable table(List<Service> services, Width width, Namespaces namespaces, Instant now) {
    return Tables.services(services, width, namespaces, now);
  }

  /** With the Pods its selector matches. */
  @Override
  public String describe(Session session, Service service) {
    List<Pod> pods = List.of();
    if (service.getSpec().getSelectorCount() > 0) {
      var selector =
          new TreeMap<>(service.getSpec().getSelectorMap())
              .entrySet().stream()
                  .map(e -> e.getKey() + "=" + e.getValue())
                  .collect(Collectors.joining(","));
      pods =
          new PodResource()
              .list(session, service.getMetadata().getNamespace(), selector, Freshness.LATEST);
    }
    return Descriptions.of(service, pods, written(session, service));
  }

  /** The slices that somebody wrote for it. */
  private static List<EndpointSlice> written(Session session, Service service) {
    var meta = service.getMetadata();
    return service.getSpec().getSelectorCount() > 0
        ? List.of()
        : new EndpointSliceResource()
            .list(
                session,
                meta.getNamespace(),
                ManualSlice.SERVICE_NAME_LABEL + "=" + meta.getName(),
                Freshness.LATEST);
  }
}
