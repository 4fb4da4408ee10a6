package io.fairlead.agent.stream;

import static io.fairlead.agent.stream.TestEntries.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.EntryCodec;
import io.fairlead.api.NodeCodec;
import io.fairlead.api.PodCodec;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.core.decide.PodCommand.OpenNode;
import io.fairlead.core.decide.PodCommand.ReconcileSource;
import io.fairlead.core.decide.PodsContext;
import io.fairlead.core.decide.PodsDecider;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodDrain;
import io.fairlead.core.model.PodDrain.Drain;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.v1.OpenNodeRequest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReassertionTest {
  private static final String SOURCE = "manifests/node-a";
  private static final NodeIdentity NODE =
      new NodeIdentity(
          "node-a",
          Optional.of("zone-1"),
          List.of(Address.of("192.0.2.1"), Address.of("fd00::1")),
          List.of(),
          Set.of(),
          "test");

  /** With much that the owner fills in or writes in another way. */
  private static final io.fairlead.v1.Pod SAID =
      said(
          """
          apiVersion: v1
          kind: Pod
          metadata:
            name: web-1
            labels: {app: web}
            annotations: {note: seen}
            uid: 676d4edd-0873-475c-a744-5bd68c6d8964
          spec:
            nodeName: node-a
            hostNetwork: true
            containers:
            - name: main
              image: web
              env:
              - {name: A, value: b}
              ports:
              - {name: http, containerPort: 8080}
              readinessProbe:
                httpGet: {path: /ready, port: http}
            - name: beside
              image: web
              startupProbe:
                tcpSocket: {port: 9000}
          """);

  private static io.fairlead.v1.Pod said(String manifest) {
    var object = Manifests.read("web.yaml", manifest).items().getFirst().object();
    return ((OfPod) object).pod().toBuilder().setSource(SOURCE).build();
  }

  /** As the owner stores it and the stream shows it. */
  private static Pod recorded() {
    var node = NODE.proto();
    var opened =
        PodsDecider.decide(
            ClusterImage.EMPTY,
            new OpenNode(NodeCodec.draft(OpenNodeRequest.newBuilder().setNode(node).build())),
            context());
    var image = TestObjects.image(((Change.Put) opened.changes().getFirst()).object());
    var decided =
        PodsDecider.decide(
            image,
            new ReconcileSource("default", SOURCE, "node-a", 100, 1, List.of(PodCodec.draft(SAID))),
            context());
    var pod = (Pod) ((Change.Put) decided.changes().getFirst()).object();
    var shown = EntryCodec.model(EntryCodec.proto(entry(pod, Optional.empty())));
    return ((PodEntry) shown).pod();
  }

  private static PodsContext context() {
    return new PodsContext(FakeTime.START, RandomSource.seeded(3));
  }

  private static boolean isDue(List<io.fairlead.v1.Pod> said, Pod... onRecord) {
    return Reassertion.isDue(
        NODE,
        SOURCE,
        said,
        List.of(onRecord).stream().map(pod -> entry(pod, Optional.empty())).toList());
  }

  private static Pod with(Pod pod, ObjectMeta meta, Pod.Status status) {
    return new Pod(meta, pod.spec(), status, pod.source());
  }

  @Test
  void isNotDueWhereTheRecordIsWhatTheOwnerMakesOfTheManifest() {
    var right = recorded();
    assertThat(isDue(List.of(SAID), right)).isFalse();
    var foreign = TestEntries.pod("other", "api", Optional.empty());
    assertThat(isDue(List.of(SAID), right, foreign)).isFalse();
    var meta = right.meta();
    var draining =
        new ObjectMeta(
            meta.namespace(),
            meta.name(),
            meta.uid(),
            meta.labels(),
            PodDrain.mark(meta.annotations(), Drain.ON),
            meta.created());
    assertThat(isDue(List.of(SAID), with(right, draining, right.status())))
        .as("somebody drains it")
        .isFalse();
  }

  @Test
  void isDueWhereItsRecordIsMissingOrDifferentOrOneIsTooMany() {
    var right = recorded();
    assertThat(isDue(List.of(SAID))).as("missing").isTrue();
    var elsewhere =
        new Pod.Status(Pod.Phase.RUNNING, List.of(Address.of("192.0.2.99")), "", Optional.empty());
    assertThat(isDue(List.of(SAID), with(right, right.meta(), elsewhere)))
        .as("another address")
        .isTrue();
    var extra = TestEntries.pod("extra", SOURCE, Optional.empty());
    assertThat(isDue(List.of(SAID), right, extra)).as("one too many").isTrue();
    assertThat(isDue(List.of(), right)).as("no manifest any more").isTrue();
  }

  @Test
  void isNotDueForWhatIsRefusedAnyway() {
    var taken = TestEntries.pod("web-1", "api", Optional.empty());
    assertThat(isDue(List.of(SAID), taken)).isFalse();
  }
}
