package io.fairlead.allocator.grpc;

import static io.fairlead.core.decide.Result.UNCHANGED;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Service;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.Pages;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.Watches;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.ServicesGrpc.ServicesImplBase;
import io.fairlead.v1.UpdateServiceRequest;
import io.fairlead.v1.WatchServicesReply;
import io.fairlead.v1.WatchServicesRequest;
import io.grpc.stub.StreamObserver;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Services of the control plane: changes go to the owner of their partition, reads are answered
 * here. Blocks its thread, a virtual one; what it throws becomes the status.
 */
final class ServicesService extends ServicesImplBase {
  private final Changes changes;
  private final Reads reads;
  private final Pages pages;
  private final Watches watches;
  private final Supplier<ClusterImage> decided;

  /**
   * @param decided what the deciders here answer from: never behind an answer that they gave
   */
  ServicesService(
      Changes changes, Reads reads, Pages pages, Watches watches, Supplier<ClusterImage> decided) {
    this.changes = changes;
    this.reads = reads;
    this.pages = pages;
    this.watches = watches;
    this.decided = decided;
  }

  @Override
  public void create(CreateServiceRequest request, StreamObserver<ServiceReply> replies) {
    var command =
        new ServiceCommand.Create(
            ServiceCodec.draft(request.getService()), Changes.dryRun(request.getDryRun()));
    changes.answer(ServicesGrpc.getCreateMethod(), request, command, this::reply, replies);
  }

  @Override
  public void apply(ApplyServiceRequest request, StreamObserver<ServiceReply> replies) {
    var command =
        new ServiceCommand.Apply(
            ServiceCodec.draft(request.getService()), Changes.dryRun(request.getDryRun()));
    changes.answer(ServicesGrpc.getApplyMethod(), request, command, this::reply, replies);
  }

  @Override
  public void update(UpdateServiceRequest request, StreamObserver<ServiceReply> replies) {
    var command =
        new ServiceCommand.Update(
            ServiceCodec.draft(request.getService()), Changes.dryRun(request.getDryRun()));
    changes.answer(ServicesGrpc.getUpdateMethod(), request, command, this::reply, replies);
  }

  @Override
  public void delete(DeleteServiceRequest request, StreamObserver<ServiceReply> replies) {
    var command =
        new ServiceCommand.Delete(
            name(request.getNamespace(), request.getName()),
            request.getUid(),
            request.getResourceVersion(),
            Changes.dryRun(request.getDryRun()));
    changes.answer(ServicesGrpc.getDeleteMethod(), request, command, this::reply, replies);
  }

  private ServiceReply reply(Answer.Decided<ServiceOutcome> decided) {
    var reply = ServiceReply.newBuilder().setPosition(PositionCodec.proto(decided.position()));
    return switch (decided.reply()) {
      case ServiceOutcome.Stored(var result, var service, var version) ->
          reply
              .setService(
                  ServiceCodec.proto(
                      service, result == UNCHANGED ? known(service, version) : version))
              .setResult(Results.proto(result))
              .build();
      case ServiceOutcome.Deleted(var name, var uid, var version) -> {
        var meta =
            ObjectMeta.newBuilder()
                .setNamespace(name.namespace())
                .setName(name.name())
                .setUid(uid.toString());
        version.ifPresent(offset -> meta.setResourceVersion(Long.toString(offset)));
        yield reply
            .setService(io.fairlead.v1.Service.newBuilder().setMetadata(meta))
            .setResult(Result.DELETED)
            .build();
      }
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.FeatureLevelRaised _,
          ServiceOutcome.NamespaceStored _,
          ServiceOutcome.NamespaceDeleted _,
          ServiceOutcome.Reserved _,
          ServiceOutcome.ReservationEnded _,
          ServiceOutcome.CidrStored _,
          ServiceOutcome.CidrTerminating _,
          ServiceOutcome.CidrDeleted _ ->
          throw new IllegalStateException("no reply to this request: " + decided.reply());
    };
  }

  /**
   * The version of a Service that was not changed: where it was stored by the same transaction, it
   * was not known yet when this was decided.
   */
  private OptionalLong known(Service service, OptionalLong version) {
    return version.isPresent()
        ? version
        : decided
            .get()
            .services()
            .get(service.name())
            .filter(stored -> !stored.isPending() && stored.object().equals(service))
            .stream()
            .mapToLong(Versioned::offset)
            .findFirst();
  }

  @Override
  public void get(GetServiceRequest request, StreamObserver<ServiceReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var name = name(request.getNamespace(), request.getName());
    var service =
        snapshot
            .image()
            .services()
            .get(name)
            .orElseThrow(
                () -> Errors.refused(new Refusal.NotFound(ObjectKey.of(Kind.SERVICE, name))));
    replies.onNext(
        ServiceReply.newBuilder()
            .setService(ServiceCodec.proto(service))
            .setPosition(PositionCodec.proto(snapshot.position()))
            .build());
    replies.onCompleted();
  }

  @Override
  public void list(ListServicesRequest request, StreamObserver<ListServicesReply> replies) {
    var filter =
        ServiceSubject.filter(
            request.getNamespace(), "", request.getLabelSelector(), request.getFieldSelector());
    var page =
        pages.open(request, request.getLimit(), request.getContinue(), request.getFreshness());
    var services = page.image().services();
    var candidates =
        request.getNamespace().isEmpty()
            ? services.byName()
            : services.inNamespace(request.getNamespace());
    var filled =
        page.fill(
            page.rest(candidates).values(),
            service -> service.object().name(),
            service -> ServiceSubject.matches(filter, service.object()),
            ServiceCodec::proto);
    var reply =
        ListServicesReply.newBuilder()
            .setPosition(PositionCodec.proto(page.position()))
            .addAllItems(filled.items())
            .setContinue(filled.next());
    replies.onNext(reply.build());
    replies.onCompleted();
  }

  @Override
  public void watch(WatchServicesRequest request, StreamObserver<WatchServicesReply> replies) {
    var filter =
        ServiceSubject.filter(
            request.getNamespace(),
            request.getName(),
            request.getLabelSelector(),
            request.getFieldSelector());
    var from = reads.begin(request.getFreshness(), request.getFrom());
    watches.open(new ServiceSubject(filter), from, replies);
  }

  private static ObjectName name(String namespace, String name) {
    return new ObjectName(namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace, name);
  }
}
