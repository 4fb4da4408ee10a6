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
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicesGrpc;
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
  public List<Service> list(
      Session session, String namespace, String selector, Freshness freshness) {
    var request =
        ListServicesRequest.newBuilder()
            .setNamespace(namespace)
            .setLabelSelector(selector)
            .setFreshness(freshness)
            .build();
    return session.services(stub -> stub.list(request)).getItemsList();
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Service> reader) {
    var request =
        WatchServicesRequest.newBuilder()
            .setNamespace(query.namespace())
            .setLabelSelector(query.selector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness())
            .build();
    session.read(
        Session.Part.ALLOCATOR,
        ServicesGrpc::newBlockingStub,
        stub -> stub.watch(request),
        reader::opened,
        event ->
            switch (event.getEventCase()) {
              case ADDED -> reader.put(event.getAdded());
              case MODIFIED -> reader.put(event.getModified());
              case DELETED -> reader.gone(event.getDeleted());
              case SYNCED -> reader.synced();
              case EVENT_NOT_SET -> ObjectsReader.Then.MORE; // a newer server tells more
            });
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
    return Descriptions.of(service, pods);
  }
}
