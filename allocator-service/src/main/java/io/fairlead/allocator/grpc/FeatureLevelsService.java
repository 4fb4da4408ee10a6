package io.fairlead.allocator.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.LogFollowers;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.v1.FeatureLevelReply;
import io.fairlead.v1.FeatureLevelsGrpc;
import io.fairlead.v1.FeatureLevelsGrpc.FeatureLevelsImplBase;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.fairlead.v1.RaiseFeatureLevelReply;
import io.fairlead.v1.RaiseFeatureLevelRequest;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** The feature level of the log. Blocks its thread, a virtual one. */
final class FeatureLevelsService extends FeatureLevelsImplBase {
  private final Changes changes;
  private final Reads reads;
  private final LogFollowers followers;

  FeatureLevelsService(Changes changes, Reads reads, LogFollowers followers) {
    this.changes = changes;
    this.reads = reads;
    this.followers = followers;
  }

  @Override
  public void get(GetFeatureLevelRequest request, StreamObserver<FeatureLevelReply> replies) {
    replies.onNext(followers.reply(reads.at(Freshness.LATEST)));
    replies.onCompleted();
  }

  /**
   * Who follows the log is asked for before the decision, and not again: a replica of an older
   * version that comes meanwhile finds the level in the log and ends.
   */
  @Override
  public void raise(
      RaiseFeatureLevelRequest request, StreamObserver<RaiseFeatureLevelReply> replies) {
    int wanted = request.getLevel();
    boolean isRaised = wanted > reads.at(Freshness.LATEST).image().featureLevel();
    // who asks again, after it was done, gets the first answer whoever is there now
    List<String> unsupported = isRaised ? followers.known().lacking(wanted) : List.of();
    changes.answer(
        FeatureLevelsGrpc.getRaiseMethod(),
        request,
        new ServiceCommand.RaiseFeatureLevel(wanted, unsupported),
        FeatureLevelsService::reply,
        replies);
  }

  private static RaiseFeatureLevelReply reply(Answer.Decided<ServiceOutcome> decided) {
    return switch (decided.reply()) {
      case ServiceOutcome.FeatureLevelRaised(var result, int level, _) ->
          RaiseFeatureLevelReply.newBuilder()
              .setResult(Results.proto(result))
              .setLevel(level)
              .setPosition(PositionCodec.proto(decided.position()))
              .build();
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.Stored _,
          ServiceOutcome.Deleted _,
          ServiceOutcome.NamespaceStored _,
          ServiceOutcome.NamespaceDeleted _,
          ServiceOutcome.Reserved _,
          ServiceOutcome.ReservationEnded _,
          ServiceOutcome.CidrStored _,
          ServiceOutcome.CidrTerminating _,
          ServiceOutcome.CidrDeleted _ ->
          throw new IllegalStateException("not of a feature level: " + decided.reply());
    };
  }
}
