package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.v1.FeatureLevelReply;
import io.fairlead.v1.FeatureLevelsGrpc;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.fairlead.v1.LogFollower;
import io.fairlead.v1.RaiseFeatureLevelReply;
import io.fairlead.v1.RaiseFeatureLevelRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;

/**
 * The feature level of the local control plane's log, which a replica of another service follows,
 * too.
 */
final class LocalFeatureLevels extends FeatureLevelsGrpc.FeatureLevelsImplBase {
  private final LocalControlPlane plane;

  LocalFeatureLevels(LocalControlPlane plane) {
    this.plane = plane;
  }

  @Override
  public void get(GetFeatureLevelRequest request, StreamObserver<FeatureLevelReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            FeatureLevelReply.newBuilder()
                .setLevel(plane.image().featureLevel())
                .addFollowers(
                    LogFollower.newBuilder()
                        .setService("allocator")
                        .setReplica(plane.replica())
                        .setSupported(3))
                .addFollowers(LogFollower.newBuilder().setService("dns").setReplica("dns-1"))
                .setMissing(plane.dnsSupports() == 0 ? "dns-1 is silent" : "")
                .build());
  }

  @Override
  public void raise(
      RaiseFeatureLevelRequest request, StreamObserver<RaiseFeatureLevelReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          List<String> lacking =
              request.getLevel() > plane.dnsSupports()
                  ? List.of("dns/dns-1 supports up to " + plane.dnsSupports())
                  : List.of();
          var command = new ServiceCommand.RaiseFeatureLevel(request.getLevel(), lacking);
          return switch (plane.decide(command)) {
            case ServiceOutcome.FeatureLevelRaised(var result, int level, _) ->
                RaiseFeatureLevelReply.newBuilder()
                    .setResult(LocalControlPlane.result(result))
                    .setLevel(level)
                    .setPosition(PositionCodec.proto(plane.position()))
                    .build();
            case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
            case ServiceOutcome other -> throw new IllegalStateException("not that: " + other);
          };
        });
  }
}
