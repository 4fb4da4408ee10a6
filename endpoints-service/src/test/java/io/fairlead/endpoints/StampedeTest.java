package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many agents that need everything at once. Each has a connection of its own, as in life. */
@Timeout(60)
class StampedeTest {
  private static final Duration NEVER = Duration.ofMinutes(10);

  /** More of these for one node are more than connections buffer. */
  private static final String LARGE = "x".repeat(200_000);

  private final Replicas replicas = new Replicas();
  private final List<ManagedChannel> channels = new ArrayList<>();

  @AfterEach
  void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private TestAgent connect(String node, Replica replica, Acks acks, int protocol) {
    var channel = GrpcChannels.of(List.of(new HostPort("127.0.0.1", replica.port)));
    channels.add(channel);
    return TestAgent.connect(node, channel, acks, hello -> hello.setProtocol(protocol));
  }

  private static void large(Replica replica, String node, int pods) {
    for (int i = 0; i < pods; i++) {
      var _ =
          replica
              .pods()
              .apply(
                  ApplyPodRequest.newBuilder()
                      .setRequestId(UUID.randomUUID().toString())
                      .setPod(
                          Pod.newBuilder()
                              .setMetadata(
                                  ObjectMeta.newBuilder()
                                      .setName(node + "-" + i)
                                      .putAnnotations("example.com/large", LARGE))
                              .setSpec(
                                  PodSpec.newBuilder()
                                      .setNodeName(node)
                                      .addContainers(
                                          Container.newBuilder()
                                              .setName("main")
                                              .setImage("example/web")))
                              .setStatus(
                                  PodStatus.newBuilder()
                                      .setPodIp("10.244.%s.%d".formatted(node.substring(1), i))))
                      .build());
    }
  }

  private static double gauge(Replica replica, String name) {
    return replica.metric(name);
  }

  @Test
  void aBoundedNumberIsSentEverythingAtOnceAndTheOthersAreToldToWaitAndLiveMeanwhile() {
    replicas.with(replicas.streams().withResets(2, NEVER, Duration.ofMillis(50)));
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    large(replica, "n1", 24);
    large(replica, "n2", 24);
    try (var first = connect("n1", replica, Acks.AT_ONCE_BUT_STUCK, 3);
        var second = connect("n2", replica, Acks.AT_ONCE_BUT_STUCK, 3)) {
      await("two are sent everything", () -> first.isWithinAFrame() && second.isWithinAFrame());
      try (var third = connect("n3", replica, Acks.AT_ONCE, 3);
          var older = connect("n4", replica, Acks.AT_ONCE, 2)) {
        await("the third is told so again and again", () -> third.waiting.size() > 3);
        await(
            "the fourth waits, too", () -> gauge(replica, "fairlead_streams_resets_waiting") == 2);
        assertThat(gauge(replica, "fairlead_streams_resets_sending")).isEqualTo(2);
        assertThat(third.frames).isEmpty();
        assertThat(older.frames).isEmpty();
        assertThat(older.waiting).isEmpty();
        assertThat(replicas.etcd.client().nodes()).containsKeys("n3", "n4");
        first.takeAll();
        await("all but the second", () -> !third.frames.isEmpty() && !older.frames.isEmpty());
        assertThat(second.frames).isEmpty();
        second.takeAll();
        await("the second", () -> !second.frames.isEmpty());
        assertThat(second.frames.getFirst().set()).isGreaterThanOrEqualTo(24);
        for (var agent : List.of(first, second, third, older)) {
          assertThat(agent.frames.getFirst().reset()).isTrue();
          assertThat(agent.faults).isEmpty();
          assertThat(agent.error()).isEmpty();
        }
      }
    }
  }

  @Test
  void whoTakesNothingDoesNotKeepItsPlaceAndIsSentTheRestLater() {
    replicas.with(replicas.streams().withResets(1, Duration.ofMillis(200), Duration.ofMillis(50)));
    replicas.store(service("web", "10.96.0.1"));
    var replica = replicas.start("a");
    large(replica, "n1", 24);
    try (var stuck = connect("n1", replica, Acks.AT_ONCE_BUT_STUCK, 3)) {
      await("it is sent everything", stuck::isWithinAFrame);
      try (var other = connect("n2", replica, Acks.AT_ONCE, 3)) {
        await("the other one", () -> !other.frames.isEmpty());
        assertThat(stuck.frames).isEmpty();
        assertThat(gauge(replica, "fairlead_streams_resets_interrupted_total")).isPositive();
        stuck.takeAll();
        await("it gets the rest", () -> !stuck.frames.isEmpty());
        assertThat(stuck.frames.getFirst().set()).isGreaterThanOrEqualTo(24);
        assertThat(stuck.faults).isEmpty();
        assertThat(other.faults).isEmpty();
      }
    }
  }
}
