package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.ServiceCidrCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.v1.AddressClaim;
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
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceCidrReply;
import io.fairlead.v1.ServiceCidrsGrpc;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;

/** The ranges of a {@link LocalControlPlane}: its decider behind Fairlead's own messages. */
final class LocalServiceCidrs extends ServiceCidrsGrpc.ServiceCidrsImplBase {
  private final Supplier<ClusterImage> image;
  private final Function<ServiceCommand, ServiceOutcome> decide;

  LocalServiceCidrs(Supplier<ClusterImage> image, Function<ServiceCommand, ServiceOutcome> decide) {
    this.image = image;
    this.decide = decide;
  }

  private static <R> void answer(StreamObserver<R> observer, R reply) {
    observer.onNext(reply);
    observer.onCompleted();
  }

  private static DryRun dryRun(boolean asked) {
    return asked ? DryRun.YES : DryRun.NO;
  }

  private ServiceCidrReply decided(ServiceCommand command) {
    return switch (decide.apply(command)) {
      case ServiceOutcome.CidrStored(var result, var cidr, var version) ->
          reply(cidr, version, Result.valueOf(result.name()));
      case ServiceOutcome.CidrTerminating(var cidr, var version) ->
          reply(cidr, version, Result.DELETED);
      case ServiceOutcome.CidrDeleted _ ->
          ServiceCidrReply.newBuilder().setResult(Result.DELETED).build();
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome other -> throw new IllegalStateException("no ServiceCIDR: " + other);
    };
  }

  private ServiceCidrReply reply(ServiceCidr cidr, OptionalLong version, Result result) {
    return ServiceCidrReply.newBuilder()
        .setServiceCidr(ServiceCidrCodec.proto(cidr, version, image.get()))
        .setResult(result)
        .build();
  }

  @Override
  public void create(CreateServiceCidrRequest request, StreamObserver<ServiceCidrReply> observer) {
    var draft = ServiceCidrCodec.draft(request.getServiceCidr());
    answer(observer, decided(new ServiceCommand.CreateCidr(draft, dryRun(request.getDryRun()))));
  }

  @Override
  public void apply(ApplyServiceCidrRequest request, StreamObserver<ServiceCidrReply> observer) {
    var draft = ServiceCidrCodec.draft(request.getServiceCidr());
    answer(observer, decided(new ServiceCommand.ApplyCidr(draft, dryRun(request.getDryRun()))));
  }

  @Override
  public void delete(DeleteServiceCidrRequest request, StreamObserver<ServiceCidrReply> observer) {
    answer(
        observer,
        decided(
            new ServiceCommand.DeleteCidr(request.getName(), "", "", dryRun(request.getDryRun()))));
  }

  @Override
  public void get(GetServiceCidrRequest request, StreamObserver<ServiceCidrReply> observer) {
    var found =
        image
            .get()
            .serviceCidrs()
            .get(request.getName())
            .orElseThrow(() ->
                Errors.refused(
                    new Refusal.NotFound(
                        ObjectKey.ofCluster(Kind.SERVICE_CIDR, request.getName()))));
    answer(
        observer,
        ServiceCidrReply.newBuilder()
            .setServiceCidr(ServiceCidrCodec.proto(found, image.get()))
            .build());
  }

  @Override
  public void list(
      ListServiceCidrsRequest request, StreamObserver<ListServiceCidrsReply> observer) {
    answer(
        observer,
        ListServiceCidrsReply.newBuilder()
            .addAllItems(new ServiceCidrResource().of(image.get()))
            .build());
  }

  /** Each in a portion of its own. */
  @Override
  public void listAllocations(
      ListAllocationsRequest request, StreamObserver<ListAllocationsReply> observer) {
    for (var allocation : new AllocationResource().of(image.get())) {
      if ((request.getNamespace().isEmpty()
              || request.getNamespace().equals(allocation.getNamespace()))
          && (request.getName().isEmpty() || request.getName().equals(allocation.getName()))) {
        observer.onNext(ListAllocationsReply.newBuilder().addItems(allocation).build());
      }
    }
    observer.onCompleted();
  }

  @Override
  public void getAllocation(
      GetAllocationRequest request, StreamObserver<AllocationReply> observer) {
    var reserved =
        image.get().reservations().of(Address.of(request.getAddress())).stream().findFirst();
    if (reserved.isPresent()
        && image.get().services().holder(Address.of(request.getAddress())).isEmpty()) {
      var reservation = reserved.get();
      answer(
          observer,
          AllocationReply.newBuilder()
              .setClaim(
                  AddressClaim.newBuilder()
                      .setNamespace(reservation.holder().namespace())
                      .setName(reservation.holder().name())
                      .setReservation(reservation.uid().toString())
                      .setExpires(Timestamps.proto(reservation.created().plus(reservation.ttl())))
                      .setRevision(41))
              .build());
      return;
    }
    var held =
        new AllocationResource()
            .of(image.get()).stream()
                .filter(allocation -> allocation.getAddress().equals(request.getAddress()))
                .findFirst()
                .orElseThrow(() -> Errors.notFound("Allocation", "", request.getAddress()));
    var names =
        image.get().serviceCidrs().all().stream()
            .filter(cidr ->
                cidr.object().cidrs().stream()
                    .anyMatch(range ->
                        Optional.of(Address.of(request.getAddress()))
                            .filter(range::contains)
                            .isPresent()))
            .map(cidr -> cidr.object().meta().name())
            .toList();
    answer(
        observer,
        AllocationReply.newBuilder()
            .setAllocation(held)
            .addAllServiceCidrs(names)
            .setClaim(
                AddressClaim.newBuilder()
                    .setNamespace(held.getNamespace())
                    .setName(held.getName())
                    .setUid(held.getUid())
                    .setRevision(41))
            .build());
  }
}
