package io.fairlead.allocator.grpc;

import static io.fairlead.core.decide.Result.UNCHANGED;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.Pages;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.decider.watch.ObjectFilter;
import io.fairlead.decider.watch.Watches;
import io.fairlead.v1.AllocationReply;
import io.fairlead.v1.ApplyServiceCidrRequest;
import io.fairlead.v1.CreateServiceCidrRequest;
import io.fairlead.v1.DeleteServiceCidrRequest;
import io.fairlead.v1.GetAllocationRequest;
import io.fairlead.v1.GetServiceCidrRequest;
import io.fairlead.v1.ListAllocationsReply;
import io.fairlead.v1.ListAllocationsRequest;
import io.fairlead.v1.ListServiceCidrsReply;
import io.fairlead.v1.ListServiceCidrsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceCidrReply;
import io.fairlead.v1.ServiceCidrsGrpc;
import io.fairlead.v1.ServiceCidrsGrpc.ServiceCidrsImplBase;
import io.fairlead.v1.WatchServiceCidrsReply;
import io.fairlead.v1.WatchServiceCidrsRequest;
import io.grpc.stub.StreamObserver;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * The ranges that ClusterIPs come from, and what is allocated in them. Blocks its thread, a virtual
 * one; what it throws becomes the status.
 */
final class ServiceCidrsService extends ServiceCidrsImplBase {
  private final Changes changes;
  private final Reads reads;
  private final Pages pages;
  private final Watches watches;
  private final Supplier<ClusterImage> decided;
  private final Allocations allocations;

  /**
   * @param decided what the deciders here answer from: never behind an answer that they gave
   */
  ServiceCidrsService(
      Changes changes,
      Reads reads,
      Pages pages,
      Watches watches,
      Supplier<ClusterImage> decided,
      Allocations allocations) {
    this.changes = changes;
    this.reads = reads;
    this.pages = pages;
    this.watches = watches;
    this.decided = decided;
    this.allocations = allocations;
  }

  @Override
  public void create(CreateServiceCidrRequest request, StreamObserver<ServiceCidrReply> replies) {
    var command =
        new ServiceCommand.CreateCidr(
            ServiceCidrCodec.draft(request.getServiceCidr()), Changes.dryRun(request.getDryRun()));
    changes.answer(ServiceCidrsGrpc.getCreateMethod(), request, command, this::reply, replies);
  }

  @Override
  public void apply(ApplyServiceCidrRequest request, StreamObserver<ServiceCidrReply> replies) {
    var command =
        new ServiceCommand.ApplyCidr(
            ServiceCidrCodec.draft(request.getServiceCidr()), Changes.dryRun(request.getDryRun()));
    changes.answer(ServiceCidrsGrpc.getApplyMethod(), request, command, this::reply, replies);
  }

  @Override
  public void delete(DeleteServiceCidrRequest request, StreamObserver<ServiceCidrReply> replies) {
    var command =
        new ServiceCommand.DeleteCidr(
            request.getName(),
            request.getUid(),
            request.getResourceVersion(),
            Changes.dryRun(request.getDryRun()));
    changes.answer(ServiceCidrsGrpc.getDeleteMethod(), request, command, this::reply, replies);
  }

  private ServiceCidrReply reply(Answer.Decided<ServiceOutcome> answer) {
    var reply = ServiceCidrReply.newBuilder().setPosition(PositionCodec.proto(answer.position()));
    var image = decided.get();
    return switch (answer.reply()) {
      case ServiceOutcome.CidrStored(var result, var cidr, var version) ->
          reply
              .setServiceCidr(
                  ServiceCidrCodec.proto(
                      cidr, result == UNCHANGED ? known(image, cidr, version) : version, image))
              .setResult(Results.proto(result))
              .build();
      case ServiceOutcome.CidrTerminating(var cidr, var version) ->
          reply
              .setServiceCidr(ServiceCidrCodec.proto(cidr, known(image, cidr, version), image))
              .setResult(Result.DELETED)
              .build();
      case ServiceOutcome.CidrDeleted(var name, var uid, var version) -> {
        var meta = ObjectMeta.newBuilder().setName(name).setUid(uid.toString());
        version.ifPresent(offset -> meta.setResourceVersion(Long.toString(offset)));
        yield reply
            .setServiceCidr(io.fairlead.v1.ServiceCidr.newBuilder().setMetadata(meta))
            .setResult(Result.DELETED)
            .build();
      }
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.FeatureLevelRaised _,
          ServiceOutcome.Stored _,
          ServiceOutcome.Deleted _,
          ServiceOutcome.NamespaceStored _,
          ServiceOutcome.NamespaceDeleted _,
          ServiceOutcome.Reserved _,
          ServiceOutcome.ReservationEnded _ ->
          throw new IllegalStateException("no reply to this request: " + answer.reply());
    };
  }

  /** Where it was stored by the same transaction, the version was not known when it was decided. */
  private static OptionalLong known(ClusterImage image, ServiceCidr cidr, OptionalLong version) {
    return version.isPresent()
        ? version
        : image
            .serviceCidrs()
            .get(cidr.meta().name())
            .filter(stored -> !stored.isPending() && stored.object().equals(cidr))
            .stream()
            .mapToLong(Versioned::offset)
            .findFirst();
  }

  @Override
  public void get(GetServiceCidrRequest request, StreamObserver<ServiceCidrReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var found =
        snapshot
            .image()
            .serviceCidrs()
            .get(request.getName())
            .orElseThrow(() ->
                Errors.refused(
                    new Refusal.NotFound(
                        ObjectKey.ofCluster(Kind.SERVICE_CIDR, request.getName()))));
    replies.onNext(
        ServiceCidrReply.newBuilder()
            .setServiceCidr(ServiceCidrCodec.proto(found, snapshot.image()))
            .setPosition(PositionCodec.proto(snapshot.position()))
            .build());
    replies.onCompleted();
  }

  @Override
  public void list(ListServiceCidrsRequest request, StreamObserver<ListServiceCidrsReply> replies) {
    var filter = ObjectFilter.ofCluster("", request.getLabelSelector(), request.getFieldSelector());
    var page =
        pages.open(request, request.getLimit(), request.getContinue(), request.getFreshness());
    var filled =
        page.fill(
            page.image().serviceCidrs().all(),
            cidr -> cidr.object().meta().objectName(),
            cidr ->
                filter.matches(cidr.object().meta().objectName(), cidr.object().meta().labels()),
            cidr -> ServiceCidrCodec.proto(cidr, page.image()));
    var reply =
        ListServiceCidrsReply.newBuilder()
            .setPosition(PositionCodec.proto(page.position()))
            .addAllItems(filled.items())
            .setContinue(filled.next());
    replies.onNext(reply.build());
    replies.onCompleted();
  }

  @Override
  public void watch(
      WatchServiceCidrsRequest request, StreamObserver<WatchServiceCidrsReply> replies) {
    var filter =
        ObjectFilter.ofCluster(
            request.getName(), request.getLabelSelector(), request.getFieldSelector());
    var from = reads.begin(request.getFreshness(), request.getFrom());
    watches.open(new ServiceCidrSubject(filter), from, replies);
  }

  @Override
  public void listAllocations(
      ListAllocationsRequest request, StreamObserver<ListAllocationsReply> replies) {
    allocations.open(request, reads.at(request.getFreshness()), replies);
  }

  @Override
  public void getAllocation(GetAllocationRequest request, StreamObserver<AllocationReply> replies) {
    replies.onNext(allocations.get(request, reads.at(request.getFreshness())));
    replies.onCompleted();
  }
}
