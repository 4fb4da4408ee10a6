package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.NamespaceCodec;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.v1.ApplyNamespaceRequest;
import io.fairlead.v1.CreateNamespaceRequest;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.ListNamespacesReply;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.NamespaceReply;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.Result;
import io.fairlead.v1.WatchNamespacesReply;
import io.fairlead.v1.WatchNamespacesRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Namespaces of the local control plane: those that were made, and those that hold Services. */
final class LocalNamespaces extends NamespacesGrpc.NamespacesImplBase {
  private final LocalControlPlane plane;

  LocalNamespaces(LocalControlPlane plane) {
    this.plane = plane;
  }

  private List<Namespace> matching(String name, LabelSelector selector) {
    var all = new TreeMap<String, Namespace>();
    for (var service : plane.image().services().all()) {
      var holder = service.object().meta().namespace();
      all.put(holder, NamespaceCodec.implied(holder));
    }
    for (var made : plane.image().namespaces().all()) {
      var proto = NamespaceCodec.proto(made.object(), OptionalLong.of(made.offset()));
      all.put(proto.getMetadata().getName(), proto);
    }
    return all.values().stream()
        .filter(n -> LocalControlPlane.isMeant(n.getMetadata(), "", name, selector))
        .toList();
  }

  private void decide(StreamObserver<NamespaceReply> observer, String id, ServiceCommand command) {
    plane.answer(
        observer,
        id,
        () ->
            switch (plane.decide(command)) {
              case ServiceOutcome.NamespaceStored(var result, var namespace, var version) ->
                  NamespaceReply.newBuilder()
                      .setNamespace(NamespaceCodec.proto(namespace, version))
                      .setResult(LocalControlPlane.result(result))
                      .build();
              case ServiceOutcome.NamespaceDeleted _ ->
                  NamespaceReply.newBuilder().setResult(Result.DELETED).build();
              case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
              case ServiceOutcome.FeatureLevelRaised _,
                  ServiceOutcome.Stored _,
                  ServiceOutcome.Deleted _,
                  ServiceOutcome.Reserved _,
                  ServiceOutcome.ReservationEnded _,
                  ServiceOutcome.CidrStored _,
                  ServiceOutcome.CidrTerminating _,
                  ServiceOutcome.CidrDeleted _ ->
                  throw new IllegalStateException("no namespace");
            });
  }

  private static DryRun dryRun(boolean asked) {
    return asked ? DryRun.YES : DryRun.NO;
  }

  @Override
  public void create(CreateNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
    var draft = NamespaceCodec.draft(request.getNamespace());
    decide(
        observer,
        request.getRequestId(),
        new ServiceCommand.CreateNamespace(draft, dryRun(request.getDryRun())));
  }

  @Override
  public void apply(ApplyNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
    var draft = NamespaceCodec.draft(request.getNamespace());
    decide(
        observer,
        request.getRequestId(),
        new ServiceCommand.ApplyNamespace(draft, dryRun(request.getDryRun())));
  }

  @Override
  public void delete(DeleteNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          var name = request.getName();
          int deleted = 0;
          if (request.getCascade()) {
            for (var service : plane.image().services().byNamespace(name)) {
              var dryRun = request.getDryRun() ? DryRun.YES : DryRun.NO;
              plane.decide(new ServiceCommand.Delete(service.object().name(), "", "", dryRun));
              deleted++;
            }
          }
          boolean tried = request.getDryRun() && deleted > 0;
          if (!tried && (deleted == 0 || plane.image().namespaces().get(name).isPresent())) {
            var delete =
                new ServiceCommand.DeleteNamespace(
                    name,
                    request.getUid(),
                    request.getResourceVersion(),
                    request.getDryRun() ? DryRun.YES : DryRun.NO);
            if (plane.decide(delete) instanceof ServiceOutcome.Refused(var refusal)) {
              throw Errors.refused(refusal);
            }
          }
          return NamespaceReply.newBuilder()
              .setResult(Result.DELETED)
              .setDeletedServices(deleted)
              .build();
        });
  }

  @Override
  public void get(GetNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            NamespaceReply.newBuilder()
                .setNamespace(
                    matching(request.getName(), LocalControlPlane.selector("")).stream()
                        .findFirst()
                        .orElseThrow(() ->
                            Errors.refused(
                                new Refusal.NotFound(
                                    ObjectKey.ofCluster(Kind.NAMESPACE, request.getName())))))
                .build());
  }

  @Override
  public void list(ListNamespacesRequest request, StreamObserver<ListNamespacesReply> observer) {
    plane.answer(
        observer,
        "",
        () -> {
          var page =
              plane.page(
                  request.getLimit(),
                  request.getContinue(),
                  () -> matching("", LocalControlPlane.selector(request.getLabelSelector())));
          return ListNamespacesReply.newBuilder()
              .addAllItems(page.items())
              .setContinue(page.next())
              .build();
        });
  }

  @Override
  public void watch(WatchNamespacesRequest request, StreamObserver<WatchNamespacesReply> observer) {
    var selector = LocalControlPlane.selector(request.getLabelSelector());
    plane.watch(
        observer,
        request.getFrom(),
        new LocalControlPlane.Telling<Namespace, WatchNamespacesReply>(
            o -> WatchNamespacesReply.newBuilder().setAdded(o).build(),
            o -> WatchNamespacesReply.newBuilder().setModified(o).build(),
            o -> WatchNamespacesReply.newBuilder().setDeleted(o).build(),
            at -> WatchNamespacesReply.newBuilder().setSynced(at).build()),
        () ->
            LocalControlPlane.byName(
                matching(request.getName(), selector), Namespace::getMetadata));
  }
}
