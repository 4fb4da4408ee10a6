package io.fairlead.endpoints.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.image.PodsImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Watches;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ListPodsReply;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.MarkDrainingRequest;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodsGrpc.PodsImplBase;
import io.fairlead.v1.ReconcileSourceReply;
import io.fairlead.v1.ReconcileSourceRequest;
import io.fairlead.v1.ReportReadinessReply;
import io.fairlead.v1.ReportReadinessRequest;
import io.fairlead.v1.UpdatePodStatusRequest;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsRequest;
import io.grpc.stub.StreamObserver;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Stream;

/** The Pods of the API. Every replica answers; owners decide. */
final class PodsService extends PodsImplBase {
  private final PodCalls calls;
  private final Reads reads;
  private final DrainCall drains;
  private final Watches watches;

  PodsService(PodCalls calls, Reads reads, DrainCall drains, Watches watches) {
    this.drains = drains;
    this.calls = calls;
    this.reads = reads;
    this.watches = watches;
  }

  @Override
  public void apply(ApplyPodRequest request, StreamObserver<PodReply> replies) {
    answer(replies, calls.apply(request, Caller.current(), reads.left()));
  }

  @Override
  public void delete(DeletePodRequest request, StreamObserver<PodReply> replies) {
    answer(replies, calls.delete(request, Caller.current(), reads.left()));
  }

  @Override
  public void markDraining(MarkDrainingRequest request, StreamObserver<PodReply> replies) {
    answer(replies, calls.markDraining(request, Caller.current(), reads.left()));
  }

  @Override
  public void drain(DrainPodRequest request, StreamObserver<DrainPodReply> replies) {
    drains.serve(request, replies);
  }

  @Override
  public void updateStatus(UpdatePodStatusRequest request, StreamObserver<PodReply> replies) {
    answer(replies, calls.updateStatus(request, Caller.current(), reads.left()));
  }

  @Override
  public void reportReadiness(
      ReportReadinessRequest request, StreamObserver<ReportReadinessReply> replies) {
    answer(replies, calls.report(request, Caller.current(), reads.left()));
  }

  @Override
  public void reconcileSource(
      ReconcileSourceRequest request, StreamObserver<ReconcileSourceReply> replies) {
    answer(replies, calls.reconcile(request, Caller.current(), reads.left()));
  }

  @Override
  public void get(GetPodRequest request, StreamObserver<PodReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var namespace =
        request.getNamespace().isEmpty() ? ObjectName.DEFAULT_NAMESPACE : request.getNamespace();
    var name = new ObjectName(namespace, request.getName());
    var pods = snapshot.image().pods();
    var pod =
        pods.get(name)
            .orElseThrow(() -> Errors.refused(new Refusal.NotFound(ObjectKey.of(Kind.POD, name))));
    answer(
        replies,
        PodReply.newBuilder()
            .setPod(PodMessages.of(snapshot.image(), pod))
            .setPosition(PositionCodec.proto(snapshot.position()))
            .build());
  }

  @Override
  public void list(ListPodsRequest request, StreamObserver<ListPodsReply> replies) {
    var filter = ObjectFilter.of(request.getNamespace(), "", request.getLabelSelector());
    var snapshot = reads.at(request.getFreshness());
    var pods = snapshot.image().pods();
    var reply = ListPodsReply.newBuilder().setPosition(PositionCodec.proto(snapshot.position()));
    candidates(pods, request)
        .filter(pod -> filter.matches(pod.object().name(), pod.object().meta().labels()))
        .forEach(pod -> reply.addItems(PodMessages.of(snapshot.image(), pod)));
    answer(replies, reply.build());
  }

  @Override
  public void watch(WatchPodsRequest request, StreamObserver<WatchPodsReply> replies) {
    var filter =
        ObjectFilter.of(request.getNamespace(), request.getName(), request.getLabelSelector());
    var node = Optional.of(request.getNodeName()).filter(name -> !name.isEmpty());
    var from = reads.begin(request.getFreshness(), request.getFrom());
    watches.open(new PodSubject(filter, node), from, replies);
  }

  /** Those that may be wanted, sorted by namespace and name. */
  private static Stream<Versioned<Pod>> candidates(PodsImage pods, ListPodsRequest request) {
    if (!request.getNodeName().isEmpty()) {
      return pods.onNode(request.getNodeName()).stream().flatMap(name -> pods.get(name).stream());
    }
    Collection<Versioned<Pod>> all =
        request.getNamespace().isEmpty() ? pods.all() : pods.inNamespace(request.getNamespace());
    return all.stream();
  }

  static <T> void answer(StreamObserver<T> replies, T reply) {
    replies.onNext(reply);
    replies.onCompleted();
  }
}
