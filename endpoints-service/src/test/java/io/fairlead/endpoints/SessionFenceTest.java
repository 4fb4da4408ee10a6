package io.fairlead.endpoints;

import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.v1.Container;
import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.ReconcileSourceRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SessionFenceTest {
  private static final LogPartition OF_DEFAULT = Replicas.PARTITIONING.ofNamespace("default");

  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static String owner(Replica replica, LogPartition partition) {
    return replica.status().getPartitionsList().stream()
        .filter(p -> p.getPartition().equals(partition.toString()))
        .map(PartitionStatus::getOwner)
        .findFirst()
        .orElseThrow();
  }

  private static long open(Replica replica) {
    return replica
        .nodes()
        .open(
            OpenNodeRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setNode(
                    Node.newBuilder()
                        .setMetadata(ObjectMeta.newBuilder().setName("n1"))
                        .addAddresses("192.0.2.1"))
                .build())
        .getNode()
        .getSession();
  }

  /** All Pods of the source: just that one. */
  private static ReconcileSourceRequest says(long session, String pod) {
    return ReconcileSourceRequest.newBuilder()
        .setRequestId(UUID.randomUUID().toString())
        .setNamespace("default")
        .setSource("manifests/n1")
        .setNode("n1")
        .setSession(session)
        .setSequence(1)
        .addPods(
            Pod.newBuilder()
                .setSource("manifests/n1")
                .setMetadata(ObjectMeta.newBuilder().setNamespace("default").setName(pod))
                .setSpec(
                    PodSpec.newBuilder()
                        .setNodeName("n1")
                        .addContainers(Container.newBuilder().setName("main").setImage("example")))
                .setStatus(PodStatus.newBuilder().setPodIp("10.244.0.1")))
        .build();
  }

  private boolean isThere(String pod) {
    return replicas.image().pods().get(TestObjects.name(pod)).isPresent();
  }

  @Test
  void whatAnOlderSessionSaysDoesNotCountWhereItsOwnerHasNotReadOfTheNewerOneYet() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    await("b owns the Pods", () -> owner(a, OF_DEFAULT).equals("b"));
    assertThat(owner(a, LogPartition.NODES)).isEqualTo("a");
    long older = open(a);
    b.pods().reconcileSource(says(older, "first"));
    b.log.holdBack(LogPartition.NODES);
    long newer = open(a);
    assertThatThrownBy(() ->
            b.pods().withDeadlineAfter(Duration.ofSeconds(1)).reconcileSource(says(older, "older")))
        .as("nobody can tell yet")
        .isInstanceOf(StatusRuntimeException.class);
    assertThat(isThere("older")).isFalse();
    assertThat(isThere("first")).isTrue();
    b.log.release(LogPartition.NODES);
    b.pods().reconcileSource(says(newer, "newer"));
    var refused = catchThrowable(() -> b.pods().reconcileSource(says(older, "older")));
    assertThat(ErrorReport.of(refused).reason()).isEqualTo(Optional.of(Reason.OLD_SESSION));
    assertThat(isThere("newer")).isTrue();
    assertThat(isThere("first") || isThere("older")).isFalse();
  }
}
