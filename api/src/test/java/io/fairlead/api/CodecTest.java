package io.fairlead.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.core.view.PodCondition;
import io.fairlead.v1.OpenNodeRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class CodecTest {
  private static final Instant CREATED = Instant.parse("2026-11-01T10:15:30.123456789Z");
  private static final UUID UID = UUID.fromString("0191d7a0-0000-7000-8000-000000000001");
  private static final ObjectName WEB = new ObjectName("shop", "web");
  private static final ObjectMeta META =
      new ObjectMeta(
          "shop",
          "web",
          UID,
          new TreeMap<>(Map.of("app", "web")),
          new TreeMap<>(Map.of("note", "x")),
          CREATED);

  private static ServiceSpec spec(ServiceSpec.Exposure exposure) {
    return new ServiceSpec(
        exposure,
        exposure == ServiceSpec.Exposure.CLUSTER_IP
            ? List.of(Address.of("10.96.0.20"), Address.of("fd00:96::14"))
            : List.of(),
        exposure == ServiceSpec.Exposure.EXTERNAL_NAME
            ? List.of()
            : List.of(Family.IPV4, Family.IPV6),
        ServiceSpec.IpFamilyPolicy.PREFER_DUAL_STACK,
        new TreeMap<>(Map.of("app", "web")),
        List.of(
            new ServicePort("http", Protocol.TCP, 80, new PortRef.Name("web"), Optional.of("h2c")),
            new ServicePort("dns", Protocol.UDP, 53, new PortRef.Number(5353), Optional.empty())),
        Optional.of(Duration.ofSeconds(60)),
        ServiceSpec.TrafficPolicy.LOCAL,
        Optional.of(ServiceSpec.TrafficDistribution.PREFER_SAME_ZONE),
        true,
        exposure == ServiceSpec.Exposure.EXTERNAL_NAME
            ? Optional.of("db.example.com")
            : Optional.empty(),
        ServiceSpec.Balancing.ROUND_ROBIN);
  }

  private static Pod pod(Pod.Action action) {
    return new Pod(
        META,
        new Pod.Spec(
            Optional.of("node-a"),
            true,
            Optional.of("web-0"),
            Optional.of("web"),
            List.of(
                new Pod.Container(
                    "main",
                    "nginx:1",
                    List.of("nginx"),
                    List.of("-g"),
                    new TreeMap<>(Map.of("A", "b")),
                    List.of(new Pod.ContainerPort("web", Protocol.TCP, 8080)),
                    Optional.of(
                        new Pod.Probe(
                            action,
                            Duration.ZERO,
                            Duration.ofSeconds(10),
                            Duration.ofSeconds(1),
                            1,
                            3)),
                    Optional.of("/srv"))),
            Pod.RestartPolicy.ON_FAILURE,
            Duration.ofSeconds(5)),
        new Pod.Status(
            Pod.Phase.RUNNING,
            List.of(Address.of("10.244.0.7"), Address.of("fd00:244::7")),
            "because",
            "in more words",
            List.of(
                new ContainerStatus(
                    "main",
                    2,
                    new ContainerStatus.Running(CREATED),
                    Optional.of(
                        new ContainerStatus.Terminated(
                            137, "Error", "killed", Optional.of(CREATED), CREATED))),
                new ContainerStatus(
                    "side", 0, new ContainerStatus.Waiting("Pulling", "soon"), Optional.empty())),
            Optional.of(CREATED)),
        "manifests/node-a");
  }

  private static final Pod.Action HTTP =
      new Pod.HttpGet(
          Pod.Scheme.HTTPS,
          Optional.of("10.0.0.1"),
          new PortRef.Number(8080),
          "/healthz",
          List.of(new Pod.HttpHeader("X-Probe", "1")));
  private static final Pod.Action TCP =
      new Pod.TcpSocket(Optional.empty(), new PortRef.Name("web"));

  @Test
  void showsAServiceAsKubernetesDoes() {
    var proto =
        ServiceCodec.proto(
            Versioned.at(new Service(META, spec(ServiceSpec.Exposure.CLUSTER_IP)), 871));
    assertThat(proto.getMetadata().getResourceVersion()).isEqualTo("871");
    assertThat(proto.getMetadata().getUid()).isEqualTo(UID.toString());
    assertThat(proto.getMetadata().getAnnotationsMap())
        .containsOnly(
            Map.entry("note", "x"), Map.entry("fairlead.io/load-balancing", "round-robin"));
    assertThat(proto.getSpec().getType()).isEqualTo("ClusterIP");
    assertThat(proto.getSpec().getClusterIp()).isEqualTo("10.96.0.20");
    assertThat(proto.getSpec().getClusterIpsList()).containsExactly("10.96.0.20", "fd00:96::14");
    assertThat(proto.getSpec().getSessionAffinity()).isEqualTo("ClientIP");
  }

  @Test
  void whatIsShownReadsAsTheSameDraft() {
    var draft =
        ServiceCodec.draft(
            ServiceCodec.proto(
                Versioned.at(new Service(META, spec(ServiceSpec.Exposure.CLUSTER_IP)), 871)));
    assertThat(draft.objectName()).isEqualTo(WEB);
    assertThat(draft.clusterIps()).containsExactly("10.96.0.20", "fd00:96::14");
    assertThat(draft.affinitySeconds()).isEqualTo(OptionalInt.of(60));
    assertThat(draft.internalTrafficPolicy()).isEqualTo("Local");
    assertThat(draft.trafficDistribution()).isEqualTo("PreferSameZone");
    assertThat(draft.ports().get(1).targetPort()).isEqualTo("5353");
    assertThat(draft.ports().getFirst().appProtocol()).isEqualTo("h2c");
  }

  @Test
  void aHeadlessServiceHasNone() {
    var spec =
        ServiceCodec.proto(
                new Service(META, spec(ServiceSpec.Exposure.HEADLESS)), OptionalLong.empty())
            .getSpec();
    assertThat(spec.getType()).isEqualTo("ClusterIP");
    assertThat(spec.getClusterIp()).isEqualTo("None");
    assertThat(spec.getClusterIpsList()).containsExactly("None");
  }

  @Test
  void anExternalNameHasNoAddresses() {
    var spec =
        ServiceCodec.proto(
                new Service(META, spec(ServiceSpec.Exposure.EXTERNAL_NAME)), OptionalLong.empty())
            .getSpec();
    assertThat(spec.getType()).isEqualTo("ExternalName");
    assertThat(spec.getExternalName()).isEqualTo("db.example.com");
    assertThat(spec.getClusterIp()).isEmpty();
    assertThat(spec.getIpFamilyPolicy()).isEmpty();
  }

  @Test
  void aPendingObjectHasNoVersion() {
    var pending = Versioned.pending(new Service(META, spec(ServiceSpec.Exposure.CLUSTER_IP)));
    assertThat(ServiceCodec.proto(pending).getMetadata().getResourceVersion()).isEmpty();
  }

  @Test
  void theSpecOfAServiceComesBackWhole() {
    for (var exposure : List.of(ServiceSpec.Exposure.CLUSTER_IP, ServiceSpec.Exposure.HEADLESS)) {
      var service = new Service(META, spec(exposure));
      var back = ServiceCodec.model(ServiceCodec.proto(service, OptionalLong.of(3)));
      assertThat(back.spec()).isEqualTo(service.spec());
      assertThat(back.uid()).isEqualTo(UID);
    }
    var external = new Service(META, spec(ServiceSpec.Exposure.EXTERNAL_NAME));
    assertThat(ServiceCodec.model(ServiceCodec.proto(external, OptionalLong.of(3))).spec())
        .extracting(ServiceSpec::exposure, ServiceSpec::externalName, ServiceSpec::clusterIps)
        .containsExactly(
            ServiceSpec.Exposure.EXTERNAL_NAME, Optional.of("db.example.com"), List.of());
  }

  @Test
  void aPodComesBackWhole() {
    for (var action : List.of(HTTP, TCP, new Pod.Exec(List.of("cat", "/ok")), GRPC)) {
      var pod = pod(action);
      assertThat(PodCodec.model(PodCodec.proto(pod, OptionalLong.of(3)))).isEqualTo(pod);
    }
    assertThat(PodCodec.model(PodCodec.proto(gated(), OptionalLong.of(3)))).isEqualTo(gated());
  }

  private static final Pod.Action GRPC = new Pod.Grpc(9000, "shop.Web");

  /** With init containers, gates, conditions, and without links. */
  private static Pod gated() {
    var pod = pod(GRPC);
    var main = pod.spec().containers().getFirst();
    var sidecar =
        new Pod.Container(
            "proxy",
            "",
            List.of(),
            List.of(),
            new TreeMap<>(),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            main.readinessProbe(),
            Optional.of(Pod.RestartPolicy.ALWAYS));
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            pod.spec().nodeName(),
            false,
            Optional.empty(),
            Optional.empty(),
            pod.spec().containers(),
            Pod.RestartPolicy.NEVER,
            Duration.ofSeconds(5),
            List.of(sidecar),
            List.of("example.com/loaded"),
            false),
        pod.status()
            .with(
                List.of(
                    new Pod.Condition(
                        "example.com/loaded", Pod.Condition.State.FALSE, "Cold", "soon", CREATED))),
        pod.source());
  }

  @Test
  void aPodShowsItsConditionsAndHowOftenItTurned() {
    var turn = new PodReadiness.Turn(false, "timeout", CREATED);
    var reported =
        new PodReadiness(
            WEB, UID, true, "node-a", 40, 2, "tcp", CREATED, new TreeMap<>(), 7, List.of(turn));
    var condition =
        new PodCondition(false, "gates", Optional.of(CREATED), true, Optional.of(reported));
    var status = PodCodec.proto(Versioned.at(gated(), 12), condition).getStatus();
    assertThat(status.getConditionsList())
        .extracting(c -> c.getType() + "=" + c.getStatus() + " " + c.getMessage())
        .containsExactly(
            "example.com/loaded=False soon", "ContainersReady=True ", "Ready=False gates");
    assertThat(status.getReadinessTurns()).isEqualTo(7);
    assertThat(status.getLatestReadinessTurns(0).getReason()).isEqualTo("timeout");
    assertThat(PodCodec.model(PodCodec.proto(Versioned.at(gated(), 12), condition)))
        .as("what is derived is not read")
        .isEqualTo(gated());
  }

  @Test
  void aPodShowsWhetherItIsReady() {
    var proto =
        PodCodec.proto(
            Versioned.at(pod(HTTP), 12), new PodCondition(false, "http 503", Optional.of(CREATED)));
    assertThat(proto.getStatus().getReady()).isFalse();
    assertThat(proto.getStatus().getReadyReason()).isEqualTo("http 503");
    assertThat(proto.getStatus().getReadySince().getSeconds()).isEqualTo(CREATED.getEpochSecond());
    assertThat(proto.getStatus().getPodIp()).isEqualTo("10.244.0.7");
    assertThat(proto.getMetadata().getResourceVersion()).isEqualTo("12");
  }

  @Test
  void aPodDraftKeepsWhatIsAbsentAbsent() {
    var sent = io.fairlead.v1.Pod.newBuilder();
    sent.getSpecBuilder()
        .addContainersBuilder()
        .getReadinessProbeBuilder()
        .setPeriodSeconds(0)
        .getTcpSocketBuilder()
        .setPort("web");
    var draft = PodCodec.draft(sent.build());
    var probe = draft.containers().getFirst().readinessProbe().orElseThrow();
    assertThat(probe.periodSeconds()).isEqualTo(OptionalInt.of(0));
    assertThat(probe.timeoutSeconds()).isEmpty();
    assertThat(probe.httpGet()).isEmpty();
    assertThat(probe.tcpSocket().orElseThrow().port()).isEqualTo("web");
  }

  @Test
  void aNodeShowsItsSession() {
    var node =
        new Node(
            new ObjectMeta("", "node-a", UID, new TreeMap<>(), new TreeMap<>(), CREATED),
            Optional.of("zone-1"),
            List.of(Address.of("192.0.2.1")),
            List.of(Cidr.of("10.244.0.0/24")),
            "0.1.0",
            "",
            OptionalLong.empty(),
            Node.State.READY,
            "",
            List.of("manifests/node-a"));
    var proto = NodeCodec.proto(Versioned.at(node, 40));
    assertThat(proto.getSession()).isEqualTo(40);
    assertThat(proto.getZone()).isEqualTo("zone-1");
    var draft =
        NodeCodec.draft(
            OpenNodeRequest.newBuilder()
                .setNode(proto)
                .setInstance("i")
                .setPreviousSession(7)
                .build());
    assertThat(draft.instance()).isEqualTo("i");
    assertThat(draft.previousSession()).isEqualTo(7);
    assertThat(draft.name()).isEqualTo("node-a");
    assertThat(draft.sources()).containsExactly("manifests/node-a");
    assertThat(draft.podCidrs()).containsExactly("10.244.0.0/24");
  }

  static List<Entry> entries() {
    var port = new EntryKey.ServicePort(WEB, "http", Protocol.TCP);
    return List.of(
        new Entry.ServicePortEntry(
            port,
            List.of(Address.of("10.96.0.20"), Address.of("fd00:96::14")),
            80,
            ServiceSpec.Balancing.SOURCE_HASH,
            Optional.of(Duration.ofHours(3)),
            ServiceSpec.TrafficPolicy.LOCAL,
            true),
        new Entry.ServicePortEntry(
            new EntryKey.ServicePort(WEB, "", Protocol.UDP),
            List.of(Address.of("10.96.0.20")),
            53,
            ServiceSpec.Balancing.RANDOM,
            Optional.empty(),
            ServiceSpec.TrafficPolicy.CLUSTER),
        new Entry.EndpointEntry(
            new EntryKey.Endpoint(port, UID, Family.IPV6),
            Address.of("fd00:244::7"),
            8080,
            Optional.of("node-a"),
            Optional.empty(),
            new Endpoint.Conditions(false, true, true),
            new Endpoint.Hints(new TreeSet<>(List.of("z1")), new TreeSet<>(List.of("n1", "n2")))),
        new Entry.PodEntry(new EntryKey.Pod(WEB), pod(HTTP), Optional.empty()),
        new Entry.PodEntry(
            new EntryKey.Pod(WEB),
            pod(TCP),
            Optional.of(new PodReadiness(WEB, UID, true, "node-a", 40, 2, "tcp", CREATED))),
        new Entry.PodEntry(
            new EntryKey.Pod(WEB),
            gated(),
            Optional.of(
                new PodReadiness(
                    WEB,
                    UID,
                    true,
                    "node-a",
                    40,
                    2,
                    "tcp",
                    CREATED,
                    new TreeMap<>(Map.of("main", CREATED)),
                    0,
                    List.of()))),
        new Entry.ServiceCidrEntry(
            new EntryKey.ServiceCidr("kubernetes"), List.of(Cidr.of("10.96.0.0/16"))));
  }

  @ParameterizedTest
  @MethodSource("entries")
  void anEntryComesBackTheSame(Entry entry) throws InvalidProtocolBufferException {
    var bytes = EntryCodec.proto(entry).toByteString();
    assertThat(EntryCodec.model(io.fairlead.v1.Entry.parseFrom(bytes))).isEqualTo(entry);
  }

  @Test
  void refusesAnEntryWhoseContentIsNotWhatItsKeySays() {
    var entry = EntryCodec.proto(entries().getLast()).toBuilder().setKey("pod/a/b").build();
    assertThatThrownBy(() -> EntryCodec.model(entry))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("entry \"pod/a/b\": content SERVICE_CIDR");
    assertThatThrownBy(() -> EntryCodec.model(entry.toBuilder().setKey("x").build()))
        .hasMessageContaining("key \"x\"");
  }

  @Test
  void positionsComeBackTheSame() {
    var position = Position.parse(new LogIdentity("abc", "def"), "s:871,p7:12").orElseThrow();
    assertThat(PositionCodec.model(PositionCodec.proto(position))).contains(position);
    assertThat(PositionCodec.model(io.fairlead.v1.Position.getDefaultInstance())).isEmpty();
  }
}
