package io.fairlead.endpoints;

import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Node.State;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.SourceState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pods that nobody reports any more are deleted after their time, whoever owns their partition. */
@Timeout(90)
class CollectedPodsTest {
  /** Of different partitions. */
  private static final List<String> NAMESPACES = List.of("one", "two", "three", "four");

  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static TestAgent agent(String node, Replica replica, String... sources) {
    var agent =
        TestAgent.connect(
            node,
            replica.channel(),
            Acks.AT_ONCE,
            hello -> {
              hello.getNodeBuilder().addAllSources(List.of(sources));
              return hello;
            });
    await(node + " has everything", () -> agent.position().isPresent());
    return agent;
  }

  private static Pod pod(String namespace, String node, String source) {
    return Pod.newBuilder()
        .setSource(source)
        .setMetadata(
            ObjectMeta.newBuilder()
                .setNamespace(namespace)
                .setName(source.replace('/', '-') + "-" + node))
        .setSpec(
            PodSpec.newBuilder()
                .setNodeName(node)
                .addContainers(Container.newBuilder().setName("main").setImage("example")))
        .setStatus(PodStatus.newBuilder().setPodIp("10.244.0.1"))
        .build();
  }

  private static void report(TestAgent agent, String node, String source) {
    agent.source(
        SourceState.newBuilder()
            .setSource(source)
            .setSequence(1)
            .addAllPods(NAMESPACES.stream().map(n -> pod(n, node, source)).toList()));
  }

  private static void apply(Replica replica, Pod pod) {
    replica
        .pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(pod)
                .build());
  }

  private long pods(String name) {
    var image = replicas.image();
    return NAMESPACES.stream()
        .filter(namespace -> image.pods().get(new ObjectName(namespace, name)).isPresent())
        .count();
  }

  private List<String> causes(String name) {
    return Replicas.PARTITIONING.all().stream()
        .flatMap(partition -> replicas.kafka.committed(partition).stream())
        .map(LogEntry::event)
        .filter(event -> event.key().name().equals(name))
        .flatMap(event ->
            event instanceof LogEvent.Deleted(_, _, var envelope)
                ? envelope.cause().stream()
                : Optional.<String>empty().stream())
        .distinct()
        .toList();
  }

  @Test
  void thoseOfALostNodeAndOfASourceThatIsGoneAlsoWhereTheirOwnerDiesMeanwhile() {
    replicas.losingNodesAfter(Duration.ofSeconds(8)); // far longer than it takes to put the key
    replicas.keepingPods(Duration.ofSeconds(3));
    var a = replicas.start("a");
    var b = replicas.start("b");
    var lost = agent("n1", b, "manifests/n1");
    report(lost, "n1", "manifests/n1");
    for (var namespace : NAMESPACES) {
      apply(b, pod(namespace, "n1", "api"));
    }
    await("the Pods of n1", () -> pods("manifests-n1-n1") == NAMESPACES.size());
    try (var before = agent("n2", b, "docker/n2", "manifests/n2")) {
      report(before, "n2", "docker/n2");
      report(before, "n2", "manifests/n2");
      await(
          "the Pods of n2",
          () -> pods("docker-n2-n2") + pods("manifests-n2-n2") == 2L * NAMESPACES.size());
    }
    try (var _ = agent("n2", b, "manifests/n2")) { // docker/n2 is gone, or has another name
      lost.close();
      await(
          "n1 is lost",
          () -> replicas.image().nodes().get("n1").orElseThrow().object().state() == State.LOST);
      a.crash(); // which owned some of them
      await("those of the lost node go", () -> pods("manifests-n1-n1") == 0);
      await("those of the source go", () -> pods("docker-n2-n2") == 0);
      assertThat(pods("api-n1")).as("of an API client").isEqualTo(NAMESPACES.size());
      assertThat(pods("manifests-n2-n2")).as("reported").isEqualTo(NAMESPACES.size());
      assertThat(causes("manifests-n1-n1")).containsExactly("node lost for long");
      assertThat(causes("docker-n2-n2")).containsExactly("source docker/n2 is gone from the node");
    }
  }
}
