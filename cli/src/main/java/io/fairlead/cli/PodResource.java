package io.fairlead.cli;

import io.fairlead.api.PodCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.Result;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Pods, of endpoints-service. */
record PodResource() implements Resource<Pod> {
  @Override
  public List<String> names() {
    return List.of("pods", "pod", "po");
  }

  @Override
  public boolean isNamespaced() {
    return true;
  }

  @Override
  public Pod get(Session session, String namespace, String name, Freshness freshness) {
    var request =
        GetPodRequest.newBuilder()
            .setNamespace(namespace)
            .setName(name)
            .setFreshness(freshness)
            .build();
    return session.pods(stub -> stub.get(request)).getPod();
  }

  @Override
  public List<Pod> list(Session session, Listing listing) {
    listing.refuseFields(plural());
    var request =
        ListPodsRequest.newBuilder()
            .setNamespace(listing.namespace())
            .setLabelSelector(listing.selector())
            .setFreshness(listing.freshness())
            .build();
    return session.pods(stub -> stub.list(request)).getItemsList();
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Pod> reader) {
    query.refuseFields(plural());
    var request =
        WatchPodsRequest.newBuilder()
            .setNamespace(query.namespace())
            .setLabelSelector(query.selector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness());
    Watching.run(
        session,
        Session.Part.ENDPOINTS,
        PodsGrpc::newBlockingStub,
        (stub, from) -> stub.watch(request.setFrom(from).build()),
        PodResource::told,
        reader);
  }

  private static Told<Pod> told(WatchPodsReply reply) {
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
  public List<Pod> of(ClusterImage image) {
    return image.pods().all().stream().map(pod -> PodCodec.proto(image, pod)).toList();
  }

  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var request =
        DeletePodRequest.newBuilder()
            .setRequestId(session.requestId())
            .setNamespace(namespace)
            .setName(name);
    how.grace()
        .ifPresent(grace -> request.setGracePeriodSeconds(Math.toIntExact(grace.toSeconds())));
    var reply = session.pods(stub -> stub.delete(request.build()));
    var pod = reply.getPod();
    return reply.getResult() == Result.DELETED || !pod.getMetadata().hasDeletionTimestamp()
        ? new Deleted.Gone()
        : new Deleted.Terminating(
            pod.getMetadata().getUid(),
            how.grace()
                .orElse(Duration.ofSeconds(pod.getSpec().getTerminationGracePeriodSeconds())));
  }

  @Override
  public Optional<String> notDeleted(Deletion how) {
    return how.tried() ? Optional.of("--dry-run=server is not for pods") : Optional.empty();
  }

  @Override
  public ObjectMeta meta(Pod pod) {
    return pod.getMetadata();
  }

  @Override
  public Map<String, Object> tree(Pod pod) {
    return ManifestWriter.tree(pod);
  }

  @Override
  public TextTable table(List<Pod> pods, Width width, Namespaces namespaces, Instant now) {
    return Tables.pods(pods, width, namespaces, now);
  }

  @Override
  public String describe(Session session, Pod pod) {
    return Descriptions.of(pod, session.time().now());
  }
}
