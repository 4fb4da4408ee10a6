package io.fairlead.cli;

import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.v1.DeleteServiceCidrRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetServiceCidrRequest;
import io.fairlead.v1.ListServiceCidrsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.ServiceCidrsGrpc;
import io.fairlead.v1.WatchServiceCidrsRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Ranges of ClusterIPs, of allocator-service. */
record ServiceCidrResource() implements Resource<ServiceCidr> {
  @Override
  public List<String> names() {
    return List.of("servicecidrs", "servicecidr");
  }

  @Override
  public boolean isNamespaced() {
    return false;
  }

  @Override
  public ServiceCidr get(Session session, String namespace, String name, Freshness freshness) {
    var request = GetServiceCidrRequest.newBuilder().setName(name).setFreshness(freshness).build();
    return session.serviceCidrs(stub -> stub.get(request)).getServiceCidr();
  }

  @Override
  public List<ServiceCidr> list(
      Session session, String namespace, String selector, Freshness freshness) {
    var request =
        ListServiceCidrsRequest.newBuilder()
            .setLabelSelector(selector)
            .setFreshness(freshness)
            .build();
    return session.serviceCidrs(stub -> stub.list(request)).getItemsList();
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<ServiceCidr> reader) {
    var request =
        WatchServiceCidrsRequest.newBuilder()
            .setLabelSelector(query.selector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness())
            .build();
    session.read(
        Session.Part.ALLOCATOR,
        ServiceCidrsGrpc::newBlockingStub,
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
  public List<ServiceCidr> of(ClusterImage image) {
    return image.serviceCidrs().all().stream()
        .map(cidr -> ServiceCidrCodec.proto(cidr, image))
        .toList();
  }

  /** One that holds addresses goes with the last of them: nobody waits for that. */
  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var request =
        DeleteServiceCidrRequest.newBuilder()
            .setRequestId(session.requestId())
            .setName(name)
            .build();
    var cidr = session.serviceCidrs(stub -> stub.delete(request)).getServiceCidr();
    return cidr.getStatus().getConditionsList().stream()
        .filter(condition -> condition.getReason().equals("Terminating"))
        .findFirst()
        .<Deleted>map(condition ->
            new Deleted.Held(
                title(name) + " is Terminating until they are freed: " + condition.getMessage()))
        .orElseGet(Deleted.Gone::new);
  }

  @Override
  public ObjectMeta meta(ServiceCidr cidr) {
    return cidr.getMetadata();
  }

  @Override
  public Map<String, Object> tree(ServiceCidr cidr) {
    return ManifestWriter.tree(cidr);
  }

  @Override
  public TextTable table(List<ServiceCidr> cidrs, Width width, Namespaces namespaces, Instant now) {
    return Tables.serviceCidrs(cidrs, width, now);
  }

  @Override
  public String describe(Session session, ServiceCidr cidr) {
    return Descriptions.of(cidr);
  }
}
