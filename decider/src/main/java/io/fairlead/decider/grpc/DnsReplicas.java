package io.fairlead.decider.grpc;

import io.fairlead.decider.grpc.LogFollowers.Follower;
import io.fairlead.decider.grpc.LogFollowers.Known;
import io.fairlead.etcd.Coordination;
import io.fairlead.v1.FeatureLevelsGrpc;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The replicas of dns-service, by whoever knows them: a replica of endpoints-service, which hears
 * their acknowledgements. Blocks.
 */
public final class DnsReplicas implements Supplier<Known> {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final Coordination coordination;
  private final Peers peers;

  public DnsReplicas(Coordination coordination, Peers peers) {
    this.coordination = coordination;
    this.peers = peers;
  }

  @Override
  public Known get() {
    var why = new ArrayList<String>();
    for (var member : coordination.members("endpoints").values()) {
      try {
        var reply =
            FeatureLevelsGrpc.newBlockingStub(peers.at(member.address()))
                .withDeadlineAfter(LIMIT.toNanos(), TimeUnit.NANOSECONDS)
                .get(GetFeatureLevelRequest.getDefaultInstance());
        if (reply.getMissing().isEmpty()) {
          return new Known(
              reply.getFollowersList().stream()
                  .filter(f -> f.getService().equals(LogFollowers.DNS))
                  .map(f -> new Follower(f.getService(), f.getReplica(), f.getSupported()))
                  .toList(),
              Optional.empty());
        }
        why.add(
            "endpoints/%s does not know all replicas of dns-service: %s"
                .formatted(member.replica(), reply.getMissing()));
      } catch (StatusRuntimeException e) {
        why.add(
            "endpoints/%s, which knows the replicas of dns-service, does not tell them: %s"
                .formatted(member.replica(), e.getStatus().getCode()));
      }
    }
    return new Known(
        List.of(),
        Optional.of(
            why.isEmpty()
                ? "no replica of endpoints-service is there, which knows those of dns-service"
                : String.join("; ", why)));
  }
}
