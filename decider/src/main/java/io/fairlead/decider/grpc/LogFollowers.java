package io.fairlead.decider.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.FeatureLevelReply;
import io.fairlead.v1.LogFollower;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Who follows the log, and which feature level of it each supports. Blocks. */
public final class LogFollowers {
  /** The services whose replicas are members in etcd. */
  private static final List<String> SERVICES = List.of("allocator", "endpoints");

  /** And the one whose replicas are not. */
  public static final String DNS = "dns";

  /**
   * A replica.
   *
   * @param supported the highest level; 0 = it has not said
   */
  public record Follower(String service, String replica, int supported) {}

  /**
   * Those that are known.
   *
   * @param missing why some may not be among them; empty = they are all
   */
  public record Known(List<Follower> all, Optional<String> missing) {
    public Known {
      all = List.copyOf(all);
    }

    /** Who does not support a level, in words; empty = all do. */
    public List<String> lacking(int level) {
      var lacking = new ArrayList<String>();
      for (var follower : all) {
        if (follower.supported() < level) {
          lacking.add(
              "%s/%s %s"
                  .formatted(
                      follower.service(),
                      follower.replica(),
                      follower.supported() == 0
                          ? "has not said what it supports"
                          : "supports up to " + follower.supported()));
        }
      }
      missing.ifPresent(lacking::add);
      return lacking;
    }
  }

  private final Coordination coordination;
  private final Supplier<Known> dns;

  /**
   * @param dns tells the replicas of dns-service
   */
  public LogFollowers(Coordination coordination, Supplier<Known> dns) {
    this.coordination = coordination;
    this.dns = dns;
  }

  /**
   * All of them.
   *
   * @throws io.fairlead.core.run.GatewayException etcd is away
   */
  public Known known() {
    var all = new ArrayList<Follower>();
    for (var service : SERVICES) {
      coordination
          .members(service)
          .values()
          .forEach(m -> all.add(new Follower(service, m.replica(), m.featureLevel())));
    }
    var others = dns.get();
    all.addAll(others.all());
    return new Known(all, others.missing());
  }

  /** As a caller is told it. */
  public FeatureLevelReply reply(Snapshot snapshot) {
    var known = known();
    var reply =
        FeatureLevelReply.newBuilder()
            .setLevel(snapshot.image().featureLevel())
            .setMissing(known.missing().orElse(""))
            .setPosition(PositionCodec.proto(snapshot.position()));
    for (var follower : known.all()) {
      reply.addFollowers(
          LogFollower.newBuilder()
              .setService(follower.service())
              .setReplica(follower.replica())
              .setSupported(follower.supported()));
    }
    return reply.build();
  }
}
