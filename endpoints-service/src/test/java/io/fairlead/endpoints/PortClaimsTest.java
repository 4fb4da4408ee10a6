package io.fairlead.endpoints;

import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.PodCodec;
import io.fairlead.api.Reason;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.Time;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodCondition;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two Pods of a node that claim one address and port, in namespaces of different owners. */
@Timeout(60)
class PortClaimsTest {
  private static final LogPartition OLDER = Replicas.PARTITIONING.ofNamespace("shop");
  private static final LogPartition YOUNGER = Replicas.PARTITIONING.ofNamespace("default");

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

  private static PodReply apply(Replica replica, String namespace) {
    var port = ContainerPort.newBuilder().setContainerPort(80);
    return replica
        .pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(ObjectMeta.newBuilder().setNamespace(namespace).setName("web"))
                        .setSpec(
                            PodSpec.newBuilder()
                                .setNodeName("n1")
                                .addContainers(
                                    Container.newBuilder().setName("main").addPorts(port)))
                        .setStatus(PodStatus.newBuilder().setPodIp("192.0.2.1")))
                .build());
  }

  private static PodStatus status(Replica replica, String namespace) {
    return replica
        .pods()
        .get(GetPodRequest.newBuilder().setNamespace(namespace).setName("web").build())
        .getPod()
        .getStatus();
  }

  @Test
  void theYoungerIsRefusedWhereItsOwnerKnowsAndElseIsNotReadyUntilTheOlderIsGone() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    await("b owns the younger's namespace", () -> owner(a, YOUNGER).equals("b"));
    assertThat(owner(a, OLDER)).isEqualTo("a");
    b.log.holdBack(OLDER);
    assertThat(apply(a, "shop").getPod().getStatus().getReady()).isTrue();
    var made = Time.system().now();
    await("the clock goes on", () -> Time.system().now().isAfter(made.plusMillis(1)));
    apply(b, "default"); // which does not know of the other
    b.log.release(OLDER);
    for (var replica : new Replica[] {a, b}) {
      assertThat(status(replica, "shop").getReady()).isTrue();
      var refused = status(replica, "default");
      assertThat(refused.getReady()).isFalse();
      assertThat(refused.getReadyReason())
          .isEqualTo("refused: 192.0.2.1:80/TCP is claimed by Pod shop/web, which is older");
      assertThat(refused.getConditionsList())
          .extracting(PodCondition::getReason)
          .contains(PodCodec.PORT_TAKEN);
    }
    var known = ErrorReport.of(catchThrowable(() -> apply(b, "one")));
    assertThat(known.reason()).contains(Reason.POD_PORT_TAKEN);
    assertThat(known.message()).contains("192.0.2.1:80/TCP is claimed by Pod ");
    var _ =
        a.pods()
            .delete(
                DeletePodRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setNamespace("shop")
                    .setName("web")
                    .build());
    for (var replica : new Replica[] {a, b}) {
      assertThat(status(replica, "default").getReady()).isTrue();
    }
  }
}
