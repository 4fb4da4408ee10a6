package io.fairlead.endpoints;

import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.PodLease;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Result;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ApiTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static ApplyPodRequest.Builder apply(String namespace, String name, String ip) {
    return ApplyPodRequest.newBuilder()
        .setRequestId(UUID.randomUUID().toString())
        .setPod(
            Pod.newBuilder()
                .setMetadata(
                    ObjectMeta.newBuilder()
                        .setNamespace(namespace)
                        .setName(name)
                        .putLabels("app", name))
                .setSpec(
                    PodSpec.newBuilder()
                        .setNodeName("n1")
                        .addContainers(
                            Container.newBuilder().setName("main").setImage("example/web")))
                .setStatus(PodStatus.newBuilder().setPodIp(ip)));
  }

  private static GetPodRequest get(String namespace, String name) {
    return GetPodRequest.newBuilder().setNamespace(namespace).setName(name).build();
  }

  @Test
  void createsChangesAndDeletesAPod() {
    var a = replicas.start("a");
    var request = apply("shop", "web", "10.244.0.1");
    var created = a.pods().apply(request.build());
    assertThat(created.getResult()).isEqualTo(Result.CREATED);
    assertThat(created.getPod().getStatus().getReady()).isTrue();
    assertThat(created.getPosition().getOffsets()).isNotEmpty();
    var again = a.pods().apply(request.build());
    assertThat(again.getPod()).as("the same request again").isEqualTo(created.getPod());
    assertThat(again.getResult()).isEqualTo(Result.CREATED);
    request.setRequestId("other");
    assertThat(a.pods().apply(request.build()).getResult()).isEqualTo(Result.UNCHANGED);
    request.setRequestId("third").getPodBuilder().getMetadataBuilder().putLabels("x", "y");
    assertThat(a.pods().apply(request.build()).getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(a.pods().get(get("shop", "web")).getPod().getMetadata().getLabelsMap())
        .containsEntry("x", "y");
    var deleted =
        a.pods()
            .delete(
                DeletePodRequest.newBuilder()
                    .setRequestId("4")
                    .setNamespace("shop")
                    .setName("web")
                    .build());
    assertThat(deleted.getResult()).isEqualTo(Result.DELETED);
    var missing = catchThrowable(() -> a.pods().get(get("shop", "web")));
    assertThat(ErrorReport.of(missing).reason()).contains(Reason.NOT_FOUND);
  }

  @Test
  void refusesARequestWithoutAnIdAndAnIdForSomethingElse() {
    var a = replicas.start("a");
    var without =
        catchThrowable(
            () -> a.pods().apply(apply("shop", "web", "10.244.0.1").clearRequestId().build()));
    assertThat(ErrorReport.of(without).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("requestId");
    a.pods().apply(apply("shop", "web", "10.244.0.1").setRequestId("1").build());
    var reused =
        catchThrowable(
            () -> a.pods().apply(apply("shop", "web", "10.244.0.2").setRequestId("1").build()));
    assertThat(ErrorReport.of(reused).reason()).contains(Reason.REQUEST_ID_REUSED);
  }

  @Test
  void everyReplicaTakesEveryRequest() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    await("both own something", () -> owners(a).distinct().count() == 2);
    for (var namespace : List.of("one", "two", "three", "four", "five", "six")) {
      for (var replica : List.of(a, b)) {
        var reply =
            replica.pods().apply(apply(namespace, "web-" + replica.name, "10.244.0.1").build());
        assertThat(reply.getResult()).isEqualTo(Result.CREATED);
      }
      for (var replica : List.of(a, b)) {
        assertThat(
                replica
                    .pods()
                    .list(ListPodsRequest.newBuilder().setNamespace(namespace).build())
                    .getItemsList())
            .as("what was confirmed elsewhere is seen here")
            .hasSize(2);
      }
    }
    assertThat(digests(a)).isEqualTo(digests(b));
  }

  private static java.util.stream.Stream<String> owners(Replica replica) {
    return replica.status().getPartitionsList().stream()
        .filter(p -> p.getPartition().startsWith("p"))
        .map(PartitionStatus::getOwner);
  }

  private static List<String> digests(Replica replica) {
    return replica.status().getPartitionsList().stream()
        .map(p -> p.getPartition() + " " + p.getNext() + " " + p.getDigest() + " " + p.getObjects())
        .toList();
  }

  @Test
  void anOwnerThatDiesIsReplaced() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    await("both own something", () -> owners(a).distinct().count() == 2);
    b.crash();
    for (var namespace : List.of("one", "two", "three", "four")) {
      var reply = a.pods().apply(apply(namespace, "web", "10.244.0.1").build());
      assertThat(reply.getResult()).isEqualTo(Result.CREATED);
    }
    assertThat(owners(a).distinct()).containsExactly("a");
  }

  @Test
  void listsBySelectorAndNode() {
    var a = replicas.start("a");
    a.pods().apply(apply("shop", "web", "10.244.0.1").build());
    a.pods().apply(apply("shop", "bank", "10.244.0.2").build());
    a.pods().apply(apply("other", "web", "10.244.0.3").build());
    assertThat(list(a, ListPodsRequest.newBuilder().setLabelSelector("app in (web)")))
        .containsExactly("other/web", "shop/web");
    assertThat(list(a, ListPodsRequest.newBuilder().setNamespace("shop").setNodeName("n1")))
        .containsExactly("shop/bank", "shop/web");
    assertThat(list(a, ListPodsRequest.newBuilder().setNodeName("n2"))).isEmpty();
    assertThat(list(a, ListPodsRequest.newBuilder().setFreshness(Freshness.LOCAL))).hasSize(3);
    var malformed =
        catchThrowable(() -> list(a, ListPodsRequest.newBuilder().setLabelSelector("app in web")));
    assertThat(ErrorReport.of(malformed).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("labelSelector");
  }

  private static List<String> list(Replica replica, ListPodsRequest.Builder request) {
    return replica.pods().list(request.build()).getItemsList().stream()
        .map(p -> p.getMetadata().getNamespace() + "/" + p.getMetadata().getName())
        .toList();
  }

  @Test
  void aPodIsTerminatingForItsGracePeriodAndThenGone() {
    var a = replicas.start("a");
    a.pods().apply(apply("shop", "web", "10.244.0.1").build());
    a.pods()
        .delete(
            DeletePodRequest.newBuilder()
                .setRequestId("1")
                .setNamespace("shop")
                .setName("web")
                .setGracePeriodSeconds(1)
                .build());
    assertThat(a.pods().get(get("shop", "web")).getPod().getMetadata().hasDeletionTimestamp())
        .isTrue();
    await("gone", () -> list(a, ListPodsRequest.newBuilder()).isEmpty());
  }

  @Test
  void aPodWithALeaseGoesUnlessItIsAppliedAgain() {
    var a = replicas.start("a");
    a.pods().apply(leased("left", "10.244.0.1").build());
    var kept = leased("kept", "10.244.0.2");
    var created = a.pods().apply(kept.build());
    await(
        "the other is gone",
        () -> {
          var again = a.pods().apply(kept.setRequestId(UUID.randomUUID().toString()).build());
          assertThat(again.getResult()).as("nothing is written").isEqualTo(Result.UNCHANGED);
          return list(a, ListPodsRequest.newBuilder()).equals(List.of("shop/kept"));
        });
    assertThat(a.pods().get(get("shop", "kept")).getPod()).isEqualTo(created.getPod());
  }

  @Test
  void refusesALeaseThatIsNoNumberOfSeconds() {
    var a = replicas.start("a");
    var request = leased("web", "10.244.0.1");
    request.getPodBuilder().getMetadataBuilder().putAnnotations(PodLease.ANNOTATION, "1m");
    var fault = catchThrowable(() -> a.pods().apply(request.build()));
    assertThat(ErrorReport.of(fault).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("metadata.annotations[fairlead.io/lease-seconds]");
  }

  private static ApplyPodRequest.Builder leased(String name, String ip) {
    var request = apply("shop", name, ip);
    request.getPodBuilder().getMetadataBuilder().putAnnotations(PodLease.ANNOTATION, "2");
    return request;
  }

  @Test
  void listsNodesWithoutStreams() {
    var a = replicas.start("a");
    assertThat(a.nodes().list(ListNodesRequest.getDefaultInstance()).getItemsList()).isEmpty();
  }

  @Test
  void withoutTheLogReadsOfTheLatestAreRefusedAndLocalOnesAnswered() {
    var a = replicas.start("a");
    a.pods().apply(apply("shop", "web", "10.244.0.1").build());
    replicas.kafka.stop();
    var refused = catchThrowable(() -> a.pods().get(get("shop", "web")));
    assertThat(ErrorReport.of(refused).reason()).contains(Reason.DEPENDENCY_UNAVAILABLE);
    assertThat(
            a.pods()
                .get(get("shop", "web").toBuilder().setFreshness(Freshness.LOCAL).build())
                .getPod()
                .getMetadata()
                .getName())
        .isEqualTo("web");
    replicas.kafka.start();
    await("answered again", () -> !list(a, ListPodsRequest.newBuilder()).isEmpty());
  }
}
