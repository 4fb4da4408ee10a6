package io.fairlead.allocator.grpc;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.api.NamespaceCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Reason;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.Pages;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.grpc.RequestStamps;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Watches;
import io.fairlead.v1.ApplyNamespaceRequest;
import io.fairlead.v1.CreateNamespaceRequest;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.ListNamespacesReply;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.NamespaceReply;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.NamespacesGrpc.NamespacesImplBase;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.WatchNamespacesReply;
import io.fairlead.v1.WatchNamespacesRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/**
 * Namespaces: those that were made, and those that are there because they hold a Service. Blocks
 * its thread, a virtual one; what it throws becomes the status.
 */
final class NamespacesService extends NamespacesImplBase {
  private final Changes changes;
  private final Reads reads;
  private final Pages pages;
  private final Watches watches;

  NamespacesService(Changes changes, Reads reads, Pages pages, Watches watches) {
    this.changes = changes;
    this.reads = reads;
    this.pages = pages;
    this.watches = watches;
  }

  @Override
  public void create(CreateNamespaceRequest request, StreamObserver<NamespaceReply> replies) {
    var command =
        new ServiceCommand.CreateNamespace(
            NamespaceCodec.draft(request.getNamespace()), Changes.dryRun(request.getDryRun()));
    changes.answer(
        NamespacesGrpc.getCreateMethod(), request, command, NamespacesService::reply, replies);
  }

  @Override
  public void apply(ApplyNamespaceRequest request, StreamObserver<NamespaceReply> replies) {
    var command =
        new ServiceCommand.ApplyNamespace(
            NamespaceCodec.draft(request.getNamespace()), Changes.dryRun(request.getDryRun()));
    changes.answer(
        NamespacesGrpc.getApplyMethod(), request, command, NamespacesService::reply, replies);
  }

  @Override
  public void delete(DeleteNamespaceRequest request, StreamObserver<NamespaceReply> replies) {
    if (request.getCascade()) {
      replies.onNext(deleteAll(request));
      replies.onCompleted();
    } else {
      replies.onNext(deleteEmpty(request));
      replies.onCompleted();
    }
  }

  /** First its Services, then the namespace; what came meanwhile keeps it alive. */
  private NamespaceReply deleteAll(DeleteNamespaceRequest request) {
    var caller = Caller.current();
    RequestStamps.checkId(request.getRequestId());
    var image = reads.at(Freshness.LATEST).image();
    var name = request.getName();
    checkExpected(image, request);
    int deleted =
        new NamespaceCascade(changes, Changes.dryRun(request.getDryRun()))
            .delete(
                image.services().byNamespace(name), request.getRequestId(), caller, reads.left());
    if (request.getDryRun()) {
      return tried(image, name, deleted);
    }
    try {
      return deleteEmpty(
              request.toBuilder()
                  .clearCascade()
                  .setRequestId(NamespaceCascade.derived(request.getRequestId(), "namespace"))
                  .build())
          .toBuilder()
          .setDeletedServices(deleted)
          .build();
    } catch (StatusRuntimeException e) {
      var report = ErrorReport.of(e);
      if (report.reason().equals(Optional.of(Reason.NOT_EMPTY))) {
        throw Errors.keptAlive(name, deleted, report.metadata());
      }
      if (deleted > 0 && report.reason().equals(Optional.of(Reason.NOT_FOUND))) {
        // it was there for its Services only, and went with them
        return gone(ObjectMeta.newBuilder().setName(name), deleted);
      }
      throw e;
    }
  }

  private NamespaceReply gone(ObjectMeta.Builder meta, int deletedServices) {
    return NamespaceReply.newBuilder()
        .setNamespace(Namespace.newBuilder().setMetadata(meta))
        .setPosition(PositionCodec.proto(reads.at(Freshness.LATEST).position()))
        .setResult(io.fairlead.v1.Result.DELETED)
        .setDeletedServices(deletedServices)
        .build();
  }

  /** What would have been done; that its Services can be deleted has been tried. */
  private NamespaceReply tried(ClusterImage image, String name, int services) {
    var meta = ObjectMeta.newBuilder().setName(name);
    var found = image.namespaces().get(name);
    found.ifPresent(made -> meta.setUid(made.object().uid().toString()));
    if (found.isEmpty() && services == 0) {
      throw Errors.refused(new Refusal.NotFound(ObjectKey.ofCluster(Kind.NAMESPACE, name)));
    }
    return gone(meta, services);
  }

  /** Before anything is deleted; the decider looks again. */
  private static void checkExpected(ClusterImage image, DeleteNamespaceRequest request) {
    var key = ObjectKey.ofCluster(Kind.NAMESPACE, request.getName());
    var found = image.namespaces().get(request.getName());
    var uid = found.map(n -> n.object().uid().toString()).orElse("");
    var version = found.map(n -> Long.toString(n.offset())).orElse("");
    if (!request.getUid().isEmpty() && !request.getUid().equals(uid)) {
      throw Errors.refused(new Refusal.Stale(key, "metadata.uid", request.getUid(), uid));
    }
    if (!request.getResourceVersion().isEmpty() && !request.getResourceVersion().equals(version)) {
      throw Errors.refused(
          new Refusal.Stale(
              key, "metadata.resourceVersion", request.getResourceVersion(), version));
    }
  }

  private NamespaceReply deleteEmpty(DeleteNamespaceRequest request) {
    var command =
        new ServiceCommand.DeleteNamespace(
            request.getName(),
            request.getUid(),
            request.getResourceVersion(),
            Changes.dryRun(request.getDryRun()));
    return changes.call(
        NamespacesGrpc.getDeleteMethod(),
        request,
        command,
        NamespacesService::reply,
        Caller.current(),
        reads.left());
  }

  private static NamespaceReply reply(Answer.Decided<ServiceOutcome> decided) {
    var reply = NamespaceReply.newBuilder().setPosition(PositionCodec.proto(decided.position()));
    return switch (decided.reply()) {
      case ServiceOutcome.NamespaceStored(var result, var namespace, var version) ->
          reply
              .setNamespace(NamespaceCodec.proto(namespace, version))
              .setResult(Results.proto(result))
              .build();
      case ServiceOutcome.NamespaceDeleted(var name, var uid, var version) -> {
        var meta = ObjectMeta.newBuilder().setName(name).setUid(uid.toString());
        version.ifPresent(offset -> meta.setResourceVersion(Long.toString(offset)));
        yield reply
            .setNamespace(Namespace.newBuilder().setMetadata(meta))
            .setResult(io.fairlead.v1.Result.DELETED)
            .build();
      }
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.FeatureLevelRaised _,
          ServiceOutcome.Stored _,
          ServiceOutcome.Deleted _,
          ServiceOutcome.Reserved _,
          ServiceOutcome.ReservationEnded _,
          ServiceOutcome.CidrStored _,
          ServiceOutcome.CidrTerminating _,
          ServiceOutcome.CidrDeleted _ ->
          throw new IllegalStateException("no reply to this request: " + decided.reply());
    };
  }

  @Override
  public void get(GetNamespaceRequest request, StreamObserver<NamespaceReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var found =
        NamespaceSubject.find(snapshot.image(), request.getName())
            .orElseThrow(() ->
                Errors.refused(
                    new Refusal.NotFound(ObjectKey.ofCluster(Kind.NAMESPACE, request.getName()))));
    replies.onNext(
        NamespaceReply.newBuilder()
            .setNamespace(found)
            .setPosition(PositionCodec.proto(snapshot.position()))
            .build());
    replies.onCompleted();
  }

  @Override
  public void list(ListNamespacesRequest request, StreamObserver<ListNamespacesReply> replies) {
    var filter = ObjectFilter.ofCluster("", request.getLabelSelector(), request.getFieldSelector());
    var page =
        pages.open(request, request.getLimit(), request.getContinue(), request.getFreshness());
    var names = NamespaceSubject.names(page.image());
    var filled =
        page.fill(
            names.stream()
                .flatMap(name -> NamespaceSubject.find(page.image(), name).stream())
                .toList(),
            namespace -> new ObjectName("", namespace.getMetadata().getName()),
            namespace ->
                filter.matches(
                    new ObjectName("", namespace.getMetadata().getName()),
                    namespace.getMetadata().getLabelsMap()),
            namespace -> namespace);
    replies.onNext(
        ListNamespacesReply.newBuilder()
            .setPosition(PositionCodec.proto(page.position()))
            .addAllItems(filled.items())
            .setContinue(filled.next())
            .build());
    replies.onCompleted();
  }

  @Override
  public void watch(WatchNamespacesRequest request, StreamObserver<WatchNamespacesReply> replies) {
    var filter =
        ObjectFilter.ofCluster(
            request.getName(), request.getLabelSelector(), request.getFieldSelector());
    var from = reads.begin(request.getFreshness(), request.getFrom());
    watches.open(new NamespaceSubject(filter), from, replies);
  }
}
