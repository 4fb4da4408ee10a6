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
import io.fairlead.v1.WatchServiceCidrsReply;
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
  public List<ServiceCidr> list(Session session, Listing listing) {
    var request =
        ListServiceCidrsRequest.newBuilder()
            .setLabelSelector(listing.selector())
            .setFieldSelector(listing.fieldSelector())
            .setFreshness(listing.freshness());
    return listing.all(part -> {
      var page = request.setLimit(part.limit()).setContinue(part.next()).build();
      var reply = session.serviceCidrs(stub -> stub.list(page));
      return new Listing.Page<>(reply.getItemsList(), reply.getContinue());
    });
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<ServiceCidr> reader) {
    var request =
        WatchServiceCidrsRequest.newBuilder()
            .setLabelSelector(query.selector())
            .setFieldSelector(query.fieldSelector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness());
    Watching.run(
        session,
        Session.Part.ALLOCATOR,
        ServiceCidrsGrpc::newBlockingStub,
        (stub, from) -> stub.watch(request.setFrom(from).build()),
        ServiceCidrResource::told,
        reader);
  }

  private static Told<ServiceCidr> told(WatchServiceCidrsReply reply) {
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
            .setDryRun(how.tried())
            .build();
    var cidr = session.serviceCidrs(stub -> stub.delete(request)).getServiceCidr();
    return cidr.getStatus().getConditionsList().stream()
        .filter(condition -> condition.getReason().equals("Terminating"))
        .findFirst()
        .<Deleted>map(condition ->
            new Deleted.Held("terminating, until they are freed: " + condition.getMessage()))
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
