package io.fairlead.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.image.TestObjects;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerState;
import io.fairlead.v1.ContainerStateRunning;
import io.fairlead.v1.ContainerStatus;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.Result;
import io.fairlead.v1.UpdatePodStatusRequest;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import io.fairlead.v1.WatchNodesReply;
import io.fairlead.v1.WatchNodesRequest;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsReply.EventCase;
import io.fairlead.v1.WatchPodsRequest;
import io.grpc.Status;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WatchTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static Pod apply(Replicas.Replica replica, String name, String app, String ip) {
    return replica
        .pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(
                            ObjectMeta.newBuilder()
                                .setNamespace("default")
                                .setName(name)
                                .putLabels("app", app))
                        .setSpec(
                            PodSpec.newBuilder()
                                .addContainers(Container.newBuilder().setName("main")))
                        .setStatus(PodStatus.newBuilder().setPodIp(ip)))
                .build())
        .getPod();
  }

  private static void delete(Replicas.Replica replica, String name) {
    var _ =
        replica
            .pods()
            .delete(
                DeletePodRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setNamespace("default")
                    .setName(name)
                    .setGracePeriodSeconds(0)
                    .build());
  }

  private static Watching<WatchPodsReply> pods(Replicas.Replica replica, WatchPodsRequest request) {
    return Watching.of(
        replies -> PodsGrpc.newStub(replica.channel()).withWaitForReady().watch(request, replies));
  }

  private static List<EventCase> events(Watching<WatchPodsReply> watching) {
    return watching.messages().stream().map(WatchPodsReply::getEventCase).toList();
  }

  @Test
  void tellsWhatIsThereThenThatThisIsAllThenWhatChanges() {
    var a = replicas.start("a");
    apply(a, "web-0", "web", "10.244.0.1");
    apply(a, "other", "db", "10.244.0.9");
    try (var watching =
        pods(
            a,
            WatchPodsRequest.newBuilder()
                .setNamespace("default")
                .setLabelSelector("app=web")
                .build())) {
      var synced = watching.await("synced", WatchPodsReply::hasSynced);
      assertThat(events(watching)).containsExactly(EventCase.ADDED, EventCase.SYNCED);
      assertThat(synced.getSynced().getOffsets()).isNotEmpty();
      assertThat(watching.messages().getFirst().getAdded().getStatus().getReady()).isTrue();

      var added = apply(a, "web-1", "web", "10.244.0.2");
      var told = watching.await("the new Pod", m -> m.hasAdded() && named(m.getAdded(), "web-1"));
      assertThat(told.getAdded()).isEqualTo(added);
      assertThat(told.hasPosition()).isTrue();
      apply(a, "web-0", "db", "10.244.0.1");
      var gone = watching.await("not selected any more", WatchPodsReply::hasDeleted).getDeleted();
      assertThat(gone.getMetadata().getLabelsMap())
          .as("as it was told")
          .containsEntry("app", "web");
      apply(a, "web-0", "web", "10.244.0.1");
      delete(a, "web-1");
      watching.await("deleted", m -> m.hasDeleted() && named(m.getDeleted(), "web-1"));
    }
  }

  private static boolean named(Pod pod, String name) {
    return pod.getMetadata().getName().equals(name);
  }

  private static void openNode(Replicas.Replica replica, String address) {
    var _ =
        replica
            .nodes()
            .open(
                OpenNodeRequest.newBuilder()
                    .setRequestId(address)
                    .setNode(
                        io.fairlead.v1.Node.newBuilder()
                            .setMetadata(ObjectMeta.newBuilder().setName("n1"))
                            .addAddresses(address))
                    .build());
  }

  @Test
  void tellsWhatRunsAPodAndKeepsItWhenTheManifestIsAppliedAgain() {
    var a = replicas.start("a");
    openNode(a, "192.0.2.1");
    var pod = apply(a, "web-0", "web", "");
    try (var watching = pods(a, WatchPodsRequest.newBuilder().setNodeName("n1").build())) {
      watching.await("synced", WatchPodsReply::hasSynced);
      var update =
          UpdatePodStatusRequest.newBuilder()
              .setRequestId("1")
              .setNamespace("default")
              .setName("web-0")
              .setUid(pod.getMetadata().getUid())
              .setNodeName("n1")
              .setStatus(
                  PodStatus.newBuilder()
                      .setPhase("Running")
                      .addPodIps("10.244.1.4")
                      .addContainerStatuses(
                          ContainerStatus.newBuilder()
                              .setName("main")
                              .setState(
                                  ContainerState.newBuilder()
                                      .setRunning(
                                          ContainerStateRunning.newBuilder()
                                              .setStartedAt(
                                                  pod.getMetadata().getCreationTimestamp())))));
      assertThat(a.pods().updateStatus(update.build()).getResult()).isEqualTo(Result.CONFIGURED);
      var told = watching.await("bound to n1", WatchPodsReply::hasAdded).getAdded();
      assertThat(told.getStatus().getHostIp()).isEqualTo("192.0.2.1");
      assertThat(told.getStatus().getContainerStatuses(0).getReady()).isTrue();
      assertThat(a.pods().updateStatus(update.setRequestId("2").build()).getResult())
          .isEqualTo(Result.UNCHANGED);
      var again = apply(a, "web-0", "web", "");
      assertThat(again.getSpec().getNodeName()).isEqualTo("n1");
      assertThat(again.getStatus().getPodIp()).isEqualTo("10.244.1.4");
      assertThat(again.getMetadata().getResourceVersion())
          .isEqualTo(told.getMetadata().getResourceVersion());

      openNode(a, "192.0.2.9");
      watching.await(
          "the node's new address",
          m -> m.hasModified() && m.getModified().getStatus().getHostIp().equals("192.0.2.9"));

      var terminating =
          a.pods()
              .delete(
                  DeletePodRequest.newBuilder()
                      .setRequestId("3")
                      .setNamespace("default")
                      .setName("web-0")
                      .build());
      assertThat(terminating.getPod().getMetadata().hasDeletionTimestamp()).isTrue();
      watching.await(
          "terminating",
          m -> m.hasModified() && m.getModified().getMetadata().hasDeletionTimestamp());
      delete(a, "web-0");
      watching.await("gone", WatchPodsReply::hasDeleted);
    }
  }

  @Test
  void watchesAndListsEndpointSlicesAndNodes() {
    var a = replicas.start("a");
    var slices = EndpointSlicesGrpc.newBlockingStub(a.channel());
    apply(a, "web-0", "web", "10.244.0.1");
    try (Watching<WatchEndpointSlicesReply> watching =
            Watching.of(replies ->
                EndpointSlicesGrpc.newStub(a.channel())
                    .watch(
                        WatchEndpointSlicesRequest.newBuilder().setNamespace("default").build(),
                        replies));
        Watching<WatchNodesReply> nodes =
            Watching.of(replies ->
                NodesGrpc.newStub(a.channel())
                    .watch(WatchNodesRequest.getDefaultInstance(), replies))) {
      watching.await("synced", WatchEndpointSlicesReply::hasSynced);
      nodes.await("synced", WatchNodesReply::hasSynced);
      replicas.store(TestObjects.service("web", "10.96.0.5"));
      var added = watching.await("the slice", WatchEndpointSlicesReply::hasAdded).getAdded();
      assertThat(added.getAddressType()).isEqualTo("IPv4");
      assertThat(added.getEndpoints(0).getAddresses(0)).isEqualTo("10.244.0.1");
      assertThat(added.getEndpoints(0).getTargetRef().getName()).isEqualTo("web-0");
      assertThat(
              slices
                  .list(
                      ListEndpointSlicesRequest.newBuilder()
                          .setLabelSelector("kubernetes.io/service-name=web")
                          .build())
                  .getItemsList())
          .containsExactly(added);
      assertThat(
              slices
                  .get(
                      GetEndpointSliceRequest.newBuilder()
                          .setNamespace("default")
                          .setName(added.getMetadata().getName())
                          .build())
                  .getEndpointSlice())
          .isEqualTo(added);
      var missing =
          catchThrowable(
              () -> slices.get(GetEndpointSliceRequest.newBuilder().setName("web-x").build()));
      assertThat(ErrorReport.of(missing).reason()).contains(Reason.NOT_FOUND);
      apply(a, "web-1", "web", "10.244.0.2");
      watching.await(
          "both endpoints", m -> m.hasModified() && m.getModified().getEndpointsCount() == 2);
      delete(a, "web-0");
      delete(a, "web-1");
      watching.await("no endpoints", WatchEndpointSlicesReply::hasDeleted);
      var _ =
          a.nodes()
              .open(
                  OpenNodeRequest.newBuilder()
                      .setRequestId("n2")
                      .setNode(
                          io.fairlead.v1.Node.newBuilder()
                              .setMetadata(ObjectMeta.newBuilder().setName("n2"))
                              .addAddresses("192.0.2.2"))
                      .build());
      nodes.await("the node", WatchNodesReply::hasAdded);
    }
  }

  @Test
  void refusesANameWithoutANamespaceAndASelectorThatIsNone() {
    var a = replicas.start("a");
    for (var request :
        List.of(
            WatchPodsRequest.newBuilder().setName("web-0").build(),
            WatchPodsRequest.newBuilder().setLabelSelector("a in b").build())) {
      try (var watching = pods(a, request)) {
        Replicas.await("refused", () -> watching.end().isPresent());
        assertThat(ErrorReport.of(watching.end().orElseThrow()).reason()).contains(Reason.INVALID);
      }
    }
  }

  @Test
  void endsWithTheReplica() {
    var a = replicas.start("a");
    try (var watching = pods(a, WatchPodsRequest.getDefaultInstance())) {
      watching.await("synced", WatchPodsReply::hasSynced);
      a.stop();
      Replicas.await("ended", () -> watching.end().isPresent());
      assertThat(Status.fromThrowable(watching.end().orElseThrow()).getCode())
          .isEqualTo(Status.Code.UNAVAILABLE);
    }
  }
}
