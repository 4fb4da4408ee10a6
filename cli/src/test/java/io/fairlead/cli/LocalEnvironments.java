package io.fairlead.cli;

import io.fairlead.core.env.ServiceEnvironment;
import io.fairlead.core.env.ServiceEnvironment.Links;
import io.fairlead.v1.EnvironmentVariable;
import io.fairlead.v1.GetServiceEnvironmentRequest;
import io.fairlead.v1.ServiceEnvironmentReply;
import io.fairlead.v1.ServiceEnvironmentsGrpc.ServiceEnvironmentsImplBase;
import io.grpc.stub.StreamObserver;

/** The environment of the local control plane. */
final class LocalEnvironments extends ServiceEnvironmentsImplBase {
  private final LocalControlPlane plane;

  LocalEnvironments(LocalControlPlane plane) {
    this.plane = plane;
  }

  @Override
  public void get(
      GetServiceEnvironmentRequest request, StreamObserver<ServiceEnvironmentReply> observer) {
    plane.answer(
        observer,
        "",
        () -> {
          var reply = ServiceEnvironmentReply.newBuilder();
          var links = request.getEnableServiceLinks() ? Links.ENABLED : Links.DISABLED;
          ServiceEnvironment.of(request.getNamespace(), links, plane.image().services())
              .forEach((name, value) ->
                  reply.addVariables(
                      EnvironmentVariable.newBuilder().setName(name).setValue(value)));
          return reply.build();
        });
  }
}
