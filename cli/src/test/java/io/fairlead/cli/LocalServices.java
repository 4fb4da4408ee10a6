package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCodec;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.model.FieldSelector;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectName;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.UpdateServiceRequest;
import io.fairlead.v1.WatchServicesReply;
import io.fairlead.v1.WatchServicesRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** Services of the local control plane. */
final class LocalServices extends ServicesGrpc.ServicesImplBase {
  private final LocalControlPlane plane;

  LocalServices(LocalControlPlane plane) {
    this.plane = plane;
  }

  @Override
  public void watch(WatchServicesRequest request, StreamObserver<WatchServicesReply> observer) {
    var selector = LocalControlPlane.selector(request.getLabelSelector());
    plane.watch(
        observer,
        request.getFrom(),
        new LocalControlPlane.Telling<io.fairlead.v1.Service, WatchServicesReply>(
            o -> WatchServicesReply.newBuilder().setAdded(o).build(),
            o -> WatchServicesReply.newBuilder().setModified(o).build(),
            o -> WatchServicesReply.newBuilder().setDeleted(o).build(),
            at -> WatchServicesReply.newBuilder().setSynced(at).build()),
        () ->
            LocalControlPlane.byName(
                new ServiceResource()
                    .of(plane.image()).stream()
                        .filter(o ->
                            LocalControlPlane.isMeant(
                                o.getMetadata(),
                                request.getNamespace(),
                                request.getName(),
                                selector))
                        .toList(),
                io.fairlead.v1.Service::getMetadata));
  }

  private ServiceReply reply(ServiceOutcome outcome) {
    return switch (outcome) {
      case ServiceOutcome.Stored(var result, var service, var version) ->
          ServiceReply.newBuilder()
              .setService(ServiceCodec.proto(service, version))
              .setPosition(PositionCodec.proto(plane.position()))
              .setResult(LocalControlPlane.result(result))
              .build();
      case ServiceOutcome.Deleted _ ->
          ServiceReply.newBuilder()
              .setPosition(PositionCodec.proto(plane.position()))
              .setResult(Result.DELETED)
              .build();
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.FeatureLevelRaised _,
          ServiceOutcome.NamespaceStored _,
          ServiceOutcome.NamespaceDeleted _,
          ServiceOutcome.Reserved _,
          ServiceOutcome.ReservationEnded _,
          ServiceOutcome.CidrStored _,
          ServiceOutcome.CidrTerminating _,
          ServiceOutcome.CidrDeleted _ ->
          throw new IllegalStateException("no Service: " + outcome);
    };
  }

  private DryRun dryRun(io.fairlead.v1.CreateServiceRequest request) {
    return request.getDryRun() ? DryRun.YES : DryRun.NO;
  }

  @Override
  public void create(CreateServiceRequest request, StreamObserver<ServiceReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () ->
            reply(
                plane.decide(
                    new ServiceCommand.Create(
                        ServiceCodec.draft(request.getService()), dryRun(request)))));
  }

  @Override
  public void apply(ApplyServiceRequest request, StreamObserver<ServiceReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () ->
            reply(
                plane.decide(
                    new ServiceCommand.Apply(
                        ServiceCodec.draft(request.getService()),
                        request.getDryRun() ? DryRun.YES : DryRun.NO))));
  }

  @Override
  public void update(UpdateServiceRequest request, StreamObserver<ServiceReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () ->
            reply(
                plane.decide(
                    new ServiceCommand.Update(
                        ServiceCodec.draft(request.getService()),
                        request.getDryRun() ? DryRun.YES : DryRun.NO))));
  }

  @Override
  public void delete(DeleteServiceRequest request, StreamObserver<ServiceReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () ->
            reply(
                plane.decide(
                    new ServiceCommand.Delete(
                        new ObjectName(request.getNamespace(), request.getName()),
                        request.getUid(),
                        request.getResourceVersion(),
                        request.getDryRun() ? DryRun.YES : DryRun.NO))));
  }

  @Override
  public void get(GetServiceRequest request, StreamObserver<ServiceReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            ServiceReply.newBuilder()
                .setService(
                    ServiceCodec.proto(
                        LocalControlPlane.found(
                            plane
                                .image()
                                .services()
                                .get(new ObjectName(request.getNamespace(), request.getName())),
                            Kind.SERVICE,
                            request.getNamespace(),
                            request.getName())))
                .build());
  }

  @Override
  public void list(ListServicesRequest request, StreamObserver<ListServicesReply> observer) {
    plane.answer(
        observer,
        "",
        () -> {
          var selector = LocalControlPlane.selector(request.getLabelSelector());
          var page =
              plane.page(
                  request.getLimit(),
                  request.getContinue(),
                  () ->
                      new ServiceResource()
                          .of(plane.image()).stream()
                              .filter(o ->
                                  LocalControlPlane.isMeant(
                                      o.getMetadata(), request.getNamespace(), "", selector))
                              .filter(o -> isMeant(o, request.getFieldSelector()))
                              .toList());
          return ListServicesReply.newBuilder()
              .addAllItems(page.items())
              .setContinue(page.next())
              .build();
        });
  }

  private static boolean isMeant(io.fairlead.v1.Service service, String fieldSelector) {
    return switch (FieldSelector.parse(fieldSelector, List.of("metadata.name", "spec.type"))) {
      case FieldSelector.Parsed.Valid(var fields) ->
          fields.matches(field ->
              field.equals("spec.type")
                  ? service.getSpec().getType()
                  : service.getMetadata().getName());
      case FieldSelector.Parsed.Invalid(var message) ->
          throw Errors.invalid(
              "fieldSelector", io.fairlead.core.decide.Violation.Reason.INVALID, message);
    };
  }
}
