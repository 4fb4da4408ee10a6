package io.fairlead.allocator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEvent;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.CreateNamespaceRequest;
import io.fairlead.v1.FeatureLevelReply;
import io.fairlead.v1.FeatureLevelsGrpc.FeatureLevelsImplBase;
import io.fairlead.v1.GetFeatureLevelRequest;
import io.fairlead.v1.LogFollower;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.RaiseFeatureLevelReply;
import io.fairlead.v1.RaiseFeatureLevelRequest;
import io.fairlead.v1.Result;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A version in which namespaces that are made need level 2, beside replicas of the one before. */
@Timeout(120)
class FeatureLevelsTest {
  private static final FeatureLevels NEWER =
      new FeatureLevels(2, object -> object instanceof Namespace ? 2 : FeatureLevel.FIRST);

  private final FakeNeighbours world = new FakeNeighbours("10.96.0.0/24");
  private final FakeCoordination etcd = world.etcd.client();
  private final GrpcServer endpoints =
      GrpcServer.start(
          GrpcServer.Settings.listening(new HostPort("127.0.0.1", 0)),
          List.of(new EndpointsService()),
          List.of(),
          new Metrics());

  /** Of a replica of dns-service, which endpoints-service hears. */
  private volatile int dnsSupports = 2;

  /** What a replica of endpoints-service tells. */
  private final class EndpointsService extends FeatureLevelsImplBase {
    @Override
    public void get(GetFeatureLevelRequest request, StreamObserver<FeatureLevelReply> replies) {
      replies.onNext(
          FeatureLevelReply.newBuilder()
              .addFollowers(follower("endpoints", "e", 2))
              .addFollowers(follower("dns", "dns-1", dnsSupports))
              .build());
      replies.onCompleted();
    }
  }

  private static LogFollower follower(String service, String replica, int supported) {
    return LogFollower.newBuilder()
        .setService(service)
        .setReplica(replica)
        .setSupported(supported)
        .build();
  }

  @AfterEach
  void close() {
    world.close();
    endpoints.close();
    etcd.close();
  }

  private void announceEndpoints(int supports) {
    etcd.putMember(
        "endpoints",
        new Member("e", "127.0.0.1:" + endpoints.port(), "test", true, supports),
        etcd.openLease(Duration.ofSeconds(60), () -> {}));
  }

  private static RaiseFeatureLevelReply raise(FakeNeighbours.Replica replica, String id, int to) {
    return replica
        .client
        .featureLevels()
        .raise(RaiseFeatureLevelRequest.newBuilder().setRequestId(id).setLevel(to).build());
  }

  private static ErrorReport refusal(FakeNeighbours.Replica replica, int to) {
    return ErrorReport.of(catchThrowable(() -> raise(replica, "refused-" + to, to)));
  }

  private static Result createNamespace(FakeNeighbours.Replica replica, String id) {
    return replica
        .client
        .namespaces()
        .create(
            CreateNamespaceRequest.newBuilder()
                .setRequestId(id)
                .setNamespace(
                    io.fairlead.v1.Namespace.newBuilder()
                        .setMetadata(ObjectMeta.newBuilder().setName("lab")))
                .build())
        .getResult();
  }

  private long levels() {
    return world.events().stream()
        .filter(event -> event instanceof LogEvent.Stored(FeatureLevel _, _))
        .count();
  }

  @Test
  void whatNeedsAHigherLevelIsRefusedBeforeTheRaiseAndTakenAfterIt() {
    world.levels = NEWER;
    announceEndpoints(2);
    var a = world.start("a");
    var refused = ErrorReport.of(catchThrowable(() -> createNamespace(a, "1")));
    assertThat(refused.reason()).contains(Reason.FEATURE_LEVEL_TOO_LOW);
    assertThat(refused.message())
        .isEqualTo(
            "namespaces \"lab\": it needs feature level 2, and the log has 1: when all replicas support it, raise it with fairlead feature-level raise 2");
    var before = a.client.featureLevels().get(GetFeatureLevelRequest.getDefaultInstance());
    assertThat(before.getLevel()).isEqualTo(1);
    assertThat(before.getFollowersList())
        .containsExactly(
            follower("allocator", "a", 2),
            follower("endpoints", "e", 2),
            follower("dns", "dns-1", 2));

    var raised = raise(a, "raise", 2);
    assertThat(raised.getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(raised.getLevel()).isEqualTo(2);
    dnsSupports = 1; // whoever comes later does not take it back
    assertThat(raise(a, "raise", 2)).as("the same request").isEqualTo(raised);
    assertThat(raise(a, "again", 2).getResult()).isEqualTo(Result.UNCHANGED);
    assertThat(levels()).isEqualTo(1);
    assertThat(createNamespace(a, "2")).isEqualTo(Result.CREATED);
    assertThat(refusal(a, 1).faults())
        .singleElement()
        .asString()
        .contains("the log has feature level 2, which is never lowered");
    assertThat(refusal(a, 3).message())
        .isEqualTo(
            "feature level 3 is not supported by all replicas: allocator/a supports up to 2; endpoints/e supports up to 2; dns/dns-1 supports up to 1");
  }

  @Test
  void isRefusedWithTheNamesOfThoseThatDoNotSupportItOrAreNotThere() {
    world.levels = NEWER;
    var a = world.start("a");
    world.levels = FeatureLevels.CURRENT;
    var old = world.start("old");
    assertThat(refusal(a, 2).message())
        .isEqualTo(
            "feature level 2 is not supported by all replicas: allocator/old supports up to 1; no replica of endpoints-service is there, which knows those of dns-service");
    announceEndpoints(2);
    dnsSupports = 0;
    // through whichever replica
    for (var replica : List.of(a, old)) {
      var report = refusal(replica, 2);
      assertThat(report.reason()).contains(Reason.UNSUPPORTED_FEATURE_LEVEL);
      assertThat(report.metadata())
          .containsEntry(
              "replicas", "allocator/old supports up to 1,dns/dns-1 has not said what it supports");
    }
    assertThat(levels()).isZero();
    old.stop();
    dnsSupports = 2;
    FakeNeighbours.await("a owns", a::owns);
    assertThat(FakeNeighbours.untilAnswered(() -> raise(a, "raise", 2)).getResult())
        .isEqualTo(Result.CONFIGURED);
  }

  @Test
  void aReplicaThatDoesNotSupportTheLevelStopsAtItWithWords() {
    world.levels = NEWER;
    announceEndpoints(2);
    var a = world.start("a");
    var raised = raise(a, "raise", 2);
    assertThat(createNamespace(a, "1")).isEqualTo(Result.CREATED);
    assertThat(raised.getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(world.faults).isEmpty();

    world.levels = FeatureLevels.CURRENT;
    var old = world.startWithoutWaiting("old");
    FakeNeighbours.await("it stops", () -> !world.faults.isEmpty());
    assertThat(world.faults)
        .singleElement()
        .asString()
        .contains(
            "the log has feature level 2, and this version of fairlead supports up to 1: it was raised for newer versions, so run one of those");
    assertThat(old.health.isReady()).isFalse();
    assertThat(old.metrics.page("").text()).contains("fairlead_log_entries_applied_total 0.0");
    assertThat(a.owns()).isTrue();
  }
}
