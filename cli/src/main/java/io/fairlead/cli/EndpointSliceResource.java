package io.fairlead.cli;

import io.fairlead.api.SliceCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.v1.DeleteEndpointSliceRequest;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * EndpointSlices, of endpoints-service: derived from Services and Pods, or written for Services
 * without a selector.
 */
record EndpointSliceResource() implements Resource<EndpointSlice> {
  /** A selector of those that somebody wrote. */
  static final String WRITTEN = ManualSlice.MANAGED_BY_LABEL + "!=" + ManualSlice.DERIVED;

  @Override
  public List<String> names() {
    return List.of("endpointslices", "endpointslice", "eps", "endpointslices.discovery.k8s.io");
  }

  @Override
  public boolean isNamespaced() {
    return true;
  }

  @Override
  public String title(String name) {
    return "endpointslice.discovery.k8s.io/" + name;
  }

  @Override
  public EndpointSlice get(Session session, String namespace, String name, Freshness freshness) {
    var request =
        GetEndpointSliceRequest.newBuilder()
            .setNamespace(namespace)
            .setName(name)
            .setFreshness(freshness)
            .build();
    return session.endpointSlices(stub -> stub.get(request)).getEndpointSlice();
  }

  @Override
  public List<EndpointSlice> list(Session session, Listing listing) {
    listing.refuseFields(plural());
    var request =
        ListEndpointSlicesRequest.newBuilder()
            .setNamespace(listing.namespace())
            .setLabelSelector(listing.selector())
            .setFreshness(listing.freshness())
            .build();
    return session.endpointSlices(stub -> stub.list(request)).getItemsList();
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<EndpointSlice> reader) {
    query.refuseFields(plural());
    var request =
        WatchEndpointSlicesRequest.newBuilder()
            .setNamespace(query.namespace())
            .setLabelSelector(query.selector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness());
    Watching.run(
        session,
        Session.Part.ENDPOINTS,
        EndpointSlicesGrpc::newBlockingStub,
        (stub, from) -> stub.watch(request.setFrom(from).build()),
        EndpointSliceResource::told,
        reader);
  }

  private static Told<EndpointSlice> told(WatchEndpointSlicesReply reply) {
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
  public List<EndpointSlice> of(ClusterImage image) {
    var services = new TreeSet<>(image.slices().services());
    image.services().all().forEach(service -> services.add(service.object().name()));
    return SliceCodec.all(image, services);
  }

  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var request =
        DeleteEndpointSliceRequest.newBuilder()
            .setRequestId(session.requestId())
            .setNamespace(namespace)
            .setName(name)
            .setDryRun(how.tried())
            .build();
    session.endpointSlices(stub -> stub.delete(request));
    return new Deleted.Gone();
  }

  @Override
  public ObjectMeta meta(EndpointSlice slice) {
    return slice.getMetadata();
  }

  @Override
  public Map<String, Object> tree(EndpointSlice slice) {
    return ManifestWriter.tree(slice);
  }

  @Override
  public TextTable table(
      List<EndpointSlice> slices, Width width, Namespaces namespaces, Instant now) {
    return Tables.endpointSlices(slices, namespaces, now);
  }

  @Override
  public String describe(Session session, EndpointSlice slice) {
    return Descriptions.of(slice);
  }
}
