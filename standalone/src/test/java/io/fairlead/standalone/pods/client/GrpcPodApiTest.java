package io.fairlead.standalone.pods.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.api.PodCodec;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.standalone.pods.run.PodApi;
import io.fairlead.standalone.pods.run.TestPods;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.Position;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsRequest;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GrpcPodApiTest {
  private static final io.fairlead.core.model.Pod WEB =
      TestPods.pod("web", TestPods.container("main", "sleep", "600"));

  /** Tells what it was given, and ends. */
  private static final class Told extends PodsGrpc.PodsImplBase {
    private final List<WatchPodsReply> replies;

    Told(List<WatchPodsReply> replies) {
      this.replies = replies;
    }

    @Override
    public void watch(WatchPodsRequest request, StreamObserver<WatchPodsReply> observer) {
      replies.forEach(observer::onNext);
      observer.onCompleted();
    }
  }

  private static WatchPodsReply added(Pod pod) {
    return WatchPodsReply.newBuilder().setAdded(pod).build();
  }

  @Test
  void passesOverAPodThatItCannotRead() {
    var good = PodCodec.proto(WEB, OptionalLong.of(1));
    var bad = good.toBuilder();
    bad.getMetadataBuilder().setName("odd").setUid("no uid");
    var told =
        new Told(
            List.of(
                added(bad.build()),
                added(good),
                WatchPodsReply.newBuilder().setSynced(Position.getDefaultInstance()).build(),
                WatchPodsReply.newBuilder().setDeleted(bad).build(),
                WatchPodsReply.newBuilder().setDeleted(good).build()));
    try (var server =
            GrpcServer.start(
                GrpcServer.Settings.listening(new HostPort("127.0.0.1", 0)),
                List.of(told),
                List.of(),
                new Metrics());
        var api =
            GrpcPodApi.of(
                List.of(new HostPort("127.0.0.1", server.port())),
                List.of(new HostPort("127.0.0.1", server.port())),
                RandomSource.seeded(1))) {
      var events = new ArrayList<PodApi.Event>();
      assertThatThrownBy(() -> api.watch(events::add))
          .isInstanceOf(GatewayException.class)
          .hasMessageContaining("ended the watch");
      assertThat(events)
          .satisfiesExactly(
              first -> assertThat(((PodApi.Present) first).pod().pod().uid()).isEqualTo(WEB.uid()),
              second -> assertThat(second).isInstanceOf(PodApi.Synced.class),
              third -> assertThat(third).isEqualTo(new PodApi.Gone(WEB.uid())));
    }
  }
}
