package io.fairlead.endpoints.grpc;

import static io.fairlead.endpoints.grpc.PodsService.answer;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.env.ServiceEnvironment;
import io.fairlead.core.env.ServiceEnvironment.Links;
import io.fairlead.core.model.ObjectName;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.v1.EnvironmentVariable;
import io.fairlead.v1.GetServiceEnvironmentRequest;
import io.fairlead.v1.ServiceEnvironmentReply;
import io.fairlead.v1.ServiceEnvironmentsGrpc.ServiceEnvironmentsImplBase;
import io.grpc.stub.StreamObserver;

/** The variables of Services, derived at each call from the image of this replica. */
final class EnvironmentsService extends ServiceEnvironmentsImplBase {
  private final Reads reads;

  EnvironmentsService(Reads reads) {
    this.reads = reads;
  }

  @Override
  public void get(
      GetServiceEnvironmentRequest request, StreamObserver<ServiceEnvironmentReply> replies) {
    var snapshot = reads.at(request.getFreshness());
    var namespace =
        request.getNamespace().isEmpty() ? ObjectName.DEFAULT_NAMESPACE : request.getNamespace();
    var links =
        request.hasEnableServiceLinks() && !request.getEnableServiceLinks()
            ? Links.DISABLED
            : Links.ENABLED;
    var reply =
        ServiceEnvironmentReply.newBuilder().setPosition(PositionCodec.proto(snapshot.position()));
    ServiceEnvironment.of(namespace, links, snapshot.image().services())
        .forEach((name, value) ->
            reply.addVariables(EnvironmentVariable.newBuilder().setName(name).setValue(value)));
    answer(replies, reply.build());
  }
}
