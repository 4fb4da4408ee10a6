package io.fairlead.endpoints.grpc;

import io.fairlead.decider.grpc.LogFollowers;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.v1.FeatureLevelReply;
import io.fairlead.v1.FeatureLevelsGrpc.FeatureLevelsImplBase;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.grpc.stub.StreamObserver;

/**
 * The feature level of the log and who follows it, as this replica knows it; allocator-service
 * raises it. Blocks its thread, a virtual one.
 */
final class FeatureLevelsService extends FeatureLevelsImplBase {
  private final Reads reads;
  private final LogFollowers followers;

  FeatureLevelsService(Reads reads, LogFollowers followers) {
    this.reads = reads;
    this.followers = followers;
  }

  @Override
  public void get(GetFeatureLevelRequest request, StreamObserver<FeatureLevelReply> replies) {
    replies.onNext(followers.reply(reads.at(Freshness.LATEST)));
    replies.onCompleted();
  }
}
