package io.fairlead.api.table;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.fairlead.api.PodCodec;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.v1.ContainerStatus;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.Node;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodCondition;
import io.fairlead.v1.ReadinessTurn;
import io.fairlead.v1.Service;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class TablesTest {
  private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");

  private static Timestamp ago(Duration age) {
    return Timestamp.newBuilder().setSeconds(NOW.minus(age).getEpochSecond()).build();
  }

  private static Service service() {
    var service = Service.newBuilder();
    service
        .getMetadataBuilder()
        .setName("web")
        .setNamespace("shop")
        .setUid("u")
        .setResourceVersion("7")
        .putAnnotations("fairlead.io/load-balancing", "round-robin")
        .setCreationTimestamp(ago(Duration.ofMinutes(5).plusSeconds(12)));
    var spec =
        service
            .getSpecBuilder()
            .setType("ClusterIP")
            .setClusterIp("10.96.0.20")
            .addClusterIps("10.96.0.20")
            .addIpFamilies("IPv4")
            .setIpFamilyPolicy("SingleStack")
            .setInternalTrafficPolicy("Cluster")
            .setSessionAffinity("None")
            .putSelector("tier", "a")
            .putSelector("app", "web");
    spec.addPortsBuilder().setName("http").setPort(80).setProtocol("TCP").setTargetPort("web");
    spec.addPortsBuilder().setName("dns").setPort(53).setProtocol("UDP").setTargetPort("5353");
    return service.build();
  }

  private static Service external() {
    var service = Service.newBuilder();
    service
        .getMetadataBuilder()
        .setName("database")
        .setNamespace("default")
        .setCreationTimestamp(ago(Duration.ofDays(3)));
    service.getSpecBuilder().setType("ExternalName").setExternalName("db.example.com");
    return service.build();
  }

  private static Pod pod(String name, String ip) {
    var pod = Pod.newBuilder().setSource("manifests/node-a");
    pod.getMetadataBuilder()
        .setName(name)
        .setNamespace("shop")
        .setUid("u")
        .setResourceVersion("3")
        .setCreationTimestamp(ago(Duration.ofHours(3)));
    var container =
        pod.getSpecBuilder().setNodeName("node-a").addContainersBuilder().setName("main");
    container.addPortsBuilder().setName("web").setProtocol("TCP").setContainerPort(8080);
    container
        .getReadinessProbeBuilder()
        .setPeriodSeconds(10)
        .setTimeoutSeconds(1)
        .setSuccessThreshold(1)
        .setFailureThreshold(3)
        .getHttpGetBuilder()
        .setPort("web")
        .setPath("/healthz");
    pod.getStatusBuilder()
        .setPhase("Running")
        .setPodIp(ip)
        .addPodIps(ip)
        .setReady(true)
        .setReadyReason("http 200")
        .setReadySince(ago(Duration.ofMinutes(2)));
    return pod.build();
  }

  @Test
  void listsServicesAsKubectlDoes() {
    var services = List.of(service(), external());
    assertThat(Tables.services(services, Width.NORMAL, Namespaces.HIDDEN, NOW).text(Heads.SHOWN))
        .isEqualTo(
            """
            NAME       TYPE           CLUSTER-IP   EXTERNAL-IP      PORT(S)         AGE
            web        ClusterIP      10.96.0.20   <none>           80/TCP,53/UDP   5m12s
            database   ExternalName   <none>       db.example.com   <none>          3d
            """);
    assertThat(Tables.services(services, Width.WIDE, Namespaces.SHOWN, NOW).text(Heads.HIDDEN))
        .isEqualTo(
            """
            shop      web        ClusterIP      10.96.0.20   <none>           80/TCP,53/UDP   5m12s   app=web,tier=a
            default   database   ExternalName   <none>       db.example.com   <none>          3d      <none>
            """);
  }

  @Test
  void listsPods() {
    var gone = pod("b", "10.244.0.8").toBuilder();
    gone.getMetadataBuilder().setDeletionTimestamp(ago(Duration.ZERO));
    gone.getStatusBuilder().setReady(false).setReadyReason("http 503");
    assertThat(
            Tables.pods(
                    List.of(pod("a", "10.244.0.7"), gone.build()),
                    Width.WIDE,
                    Namespaces.HIDDEN,
                    NOW)
                .text(Heads.SHOWN))
        .isEqualTo(
            """
            NAME   READY   STATUS        RESTARTS   AGE   IP           NODE     NOMINATED NODE   READINESS GATES
            a      1/1     Running       0          3h    10.244.0.7   node-a   <none>           <none>
            b      0/1     Terminating   0          3h    10.244.0.8   node-a   <none>           <none>
            """);
  }

  @Test
  void listsNodes() {
    var node =
        Node.newBuilder()
            .setState("Lost")
            .setZone("z1")
            .setAgentVersion("0.1.0")
            .setLag(4)
            .setLastError("disk\nfull")
            .setStreamReplica("a")
            .addAddresses("192.0.2.1");
    node.getMetadataBuilder().setName("node-a").setCreationTimestamp(ago(Duration.ofSeconds(45)));
    node.getAcknowledgedBuilder().setOffsets("s:9,p3:1");
    assertThat(Tables.nodes(List.of(node.build()), Width.WIDE, NOW).text(Heads.SHOWN))
        .isEqualTo(
            """
            NAME     STATUS     ROLES    AGE   VERSION   LAG   LAST-ERROR   INTERNAL-IP   POD-CIDRS   ZONE   REPLICA   ACKNOWLEDGED
            node-a   NotReady   <none>   45s   0.1.0     4     disk full    192.0.2.1     <none>      z1     a         s:9,p3:1
            """);
  }

  @Test
  void aNodeWhoseManifestsAreRefusedSaysSo() {
    var node = Node.newBuilder().setRefusedManifests(2).setManifestError("a.yaml:3: no name");
    node.getMetadataBuilder().setName("node-a");
    assertThat(Tables.nodes(List.of(node.build()), Width.NORMAL, NOW).text(Heads.HIDDEN))
        .contains("2 manifests refused, the last: a.yaml:3: no name");
    assertThat(Descriptions.of(node.build()))
        .containsPattern("Manifests: +2 manifests refused, the last: a.yaml:3: no name\n");
    assertThat(Descriptions.of(node.setRefusedManifests(0).build()))
        .containsPattern("Manifests: +<none>\n");
  }

  @Test
  void whatANodeSaysIsNoCommandToATerminal() {
    var node =
        Node.newBuilder()
            .setRefusedManifests(1)
            .setManifestError("a.yaml:3: \u001b[2J\nno\u009bname")
            .addRefused(
                io.fairlead.v1.RefusedRule.newBuilder()
                    .setFrontend("10.96.0.1:80/TCP")
                    .setReason("File\u0007 exists"));
    node.getMetadataBuilder().setName("node-a");
    assertThat(Descriptions.of(node.build()))
        .contains("1 manifest refused: a.yaml:3:  [2J no name\n")
        .contains("10.96.0.1:80/TCP: File  exists\n");
    node.clearRefused().setLastError("\u001b[31mdisk\r\nfull");
    assertThat(Tables.nodes(List.of(node.build()), Width.NORMAL, NOW).text(Heads.HIDDEN))
        .contains(" [31mdisk  full");
  }

  @Test
  void aPodWhosePortAnOlderOneHasIsRefused() {
    var pod = pod("a", "10.244.0.7").toBuilder();
    pod.getStatusBuilder()
        .setReady(false)
        .addConditions(
            PodCondition.newBuilder()
                .setType("Ready")
                .setStatus("False")
                .setReason(PodCodec.PORT_TAKEN));
    assertThat(row(pod.build())).startsWith("a   0/1   Refused   ");
  }

  private static Pod withContainers(ContainerStatus... statuses) {
    var pod = pod("a", "10.244.0.7").toBuilder();
    pod.getSpecBuilder().addContainersBuilder().setName("second");
    return pod.setStatus(pod.getStatus().toBuilder().addAllContainerStatuses(List.of(statuses)))
        .build();
  }

  private static ContainerStatus.Builder runs(String name, int restarts) {
    var status =
        ContainerStatus.newBuilder().setName(name).setReady(true).setRestartCount(restarts);
    status.getStateBuilder().getRunningBuilder().setStartedAt(ago(Duration.ofMinutes(4)));
    return status;
  }

  private static ContainerStatus ended(String name, int code, String reason) {
    var status = ContainerStatus.newBuilder().setName(name);
    status
        .getStateBuilder()
        .getTerminatedBuilder()
        .setExitCode(code)
        .setReason(reason)
        .setFinishedAt(ago(Duration.ofMinutes(5)));
    return status.build();
  }

  private static ContainerStatus waits(String name, String reason) {
    var status = ContainerStatus.newBuilder().setName(name);
    status.getStateBuilder().getWaitingBuilder().setReason(reason);
    return status.build();
  }

  private static String row(Pod pod) {
    return Tables.pods(List.of(pod), Width.NORMAL, Namespaces.HIDDEN, NOW).text(Heads.HIDDEN);
  }

  @Test
  void tellsOfContainers() {
    var restarted = runs("main", 2);
    restarted
        .getLastStateBuilder()
        .getTerminatedBuilder()
        .setExitCode(1)
        .setFinishedAt(ago(Duration.ofMinutes(5)));
    assertThat(row(withContainers(restarted.build(), runs("second", 1).build())))
        .isEqualTo("a   2/2   Running   3 (5m ago)   3h\n");
    assertThat(row(withContainers(runs("main", 0).build(), waits("second", "CrashLoopBackOff"))))
        .isEqualTo("a   1/2   CrashLoopBackOff   0   3h\n");
    assertThat(row(withContainers(ended("main", 0, "Completed"), runs("second", 0).build())))
        .isEqualTo("a   1/2   Running   0   3h\n");
    assertThat(row(withContainers(ended("main", 3, ""), ended("second", 0, "Completed"))))
        .isEqualTo("a   0/2   ExitCode:3   0   3h\n");
  }

  @Test
  void describesContainers() {
    assertThat(
            Descriptions.of(
                withContainers(ended("main", 3, "Error"), waits("second", "CrashLoopBackOff")),
                NOW))
        .contains(
            """
                State:                Terminated
                  Reason:             Error
                  Exit Code:          3
                  Finished:           2026-11-01T11:55:00Z
                Ready:                False
                Restart Count:        0
            """)
        .endsWith(
            """
              second:
                Image:                <none>
                State:                Waiting
                  Reason:             CrashLoopBackOff
                Ready:                False
                Restart Count:        0
            """);
  }

  private static EndpointSlice slice(int endpoints) {
    var slice = EndpointSlice.newBuilder().setAddressType("IPv4");
    slice
        .getMetadataBuilder()
        .setName("web-abc")
        .setNamespace("shop")
        .putLabels("kubernetes.io/service-name", "web");
    slice.addPortsBuilder().setName("http").setPort(8080).setProtocol("TCP");
    for (int i = 1; i <= endpoints; i++) {
      var endpoint =
          slice.addEndpointsBuilder().addAddresses("10.244.0." + i).setNodeName("node-a");
      endpoint.getConditionsBuilder().setReady(true).setServing(true);
      endpoint.getTargetRefBuilder().setKind("Pod").setNamespace("shop").setName("web-" + i);
    }
    return slice.build();
  }

  @Test
  void listsEndpointSlicesAsKubectlDoes() {
    var none =
        EndpointSlice.newBuilder()
            .setAddressType("IPv6")
            .setMetadata(slice(0).getMetadata().toBuilder().setName("web-def"))
            .build();
    assertThat(
            Tables.endpointSlices(List.of(slice(3), slice(5), none), Namespaces.SHOWN, NOW)
                .text(Heads.SHOWN))
        .isEqualTo(
            """
            NAMESPACE   NAME      ADDRESSTYPE   PORTS     ENDPOINTS                                      AGE
            shop        web-abc   IPv4          8080      10.244.0.1,10.244.0.2,10.244.0.3               <unknown>
            shop        web-abc   IPv4          8080      10.244.0.1,10.244.0.2,10.244.0.3 + 2 more...   <unknown>
            shop        web-def   IPv6          <unset>   <unset>                                        <unknown>
            """);
  }

  @Test
  void describesAnEndpointSlice() {
    assertThat(Descriptions.of(slice(1)))
        .isEqualTo(
            """
            Name:                     web-abc
            Namespace:                shop
            Labels:                   kubernetes.io/service-name=web
            Annotations:              <none>
            AddressType:              IPv4
            Ports:
              Name   Port   Protocol
              http   8080   TCP
            Endpoints:
              - Addresses:            10.244.0.1
                Conditions:
                  Ready:              true
                  Serving:            true
                  Terminating:        false
                TargetRef:            Pod/web-1
                NodeName:             node-a
            """);
  }

  @Test
  void listsAndDescribesNamespaces() {
    var made = Namespace.newBuilder();
    made.getMetadataBuilder()
        .setName("shop")
        .setUid("u")
        .setResourceVersion("4")
        .putLabels("team", "a")
        .setCreationTimestamp(ago(Duration.ofMinutes(3)));
    made.getStatusBuilder().setPhase("Active");
    var held = Namespace.newBuilder();
    held.getMetadataBuilder().setName("default");
    held.getStatusBuilder().setPhase("Active");
    assertThat(Tables.namespaces(List.of(held.build(), made.build()), NOW).text(Heads.SHOWN))
        .isEqualTo(
            """
            NAME      STATUS   AGE
            default   Active   <unknown>
            shop      Active   3m
            """);
    assertThat(Descriptions.of(made.build()))
        .isEqualTo(
            """
            Name:                     shop
            Labels:                   team=a
            Annotations:              <none>
            UID:                      u
            Version:                  4
            Status:                   Active
            """);
  }

  @Test
  void namesKindsWhereSeveralAreShown() {
    assertThat(
            Tables.services(List.of(service()), Width.NORMAL, Namespaces.SHOWN, NOW)
                .named("service/")
                .text(Heads.HIDDEN))
        .startsWith("shop   service/web   ClusterIP");
  }

  @Test
  void columnsGrowWhileRowsAreAdded() {
    var growing = new TextTable.Growing();
    var first = new TextTable(List.of("NAME", "AGE"), List.of(List.of("a-long-name", "1s")));
    var second = new TextTable(List.of("NAME", "AGE"), List.of(List.of("b", "2s")));
    assertThat(growing.text(first, Heads.SHOWN) + growing.text(second, Heads.HIDDEN))
        .isEqualTo("NAME          AGE\na-long-name   1s\nb             2s\n");
  }

  @Test
  void describesAServiceWithItsEndpoints() {
    var unready = pod("b", "10.244.1.8").toBuilder();
    unready.getStatusBuilder().setReady(false);
    var finished = pod("c", "10.244.1.9").toBuilder();
    finished.getStatusBuilder().setPhase("Succeeded").setReady(false);
    assertThat(
            Descriptions.of(
                service(),
                List.of(pod("a", "10.244.0.7"), unready.build(), finished.build()),
                List.of()))
        .isEqualTo(
            """
            Name:                     web
            Namespace:                shop
            Labels:                   <none>
            Annotations:              fairlead.io/load-balancing: round-robin
            UID:                      u
            Version:                  7
            Selector:                 app=web,tier=a
            Type:                     ClusterIP
            IP Family Policy:         SingleStack
            IP Families:              IPv4
            IP:                       10.96.0.20
            IPs:                      10.96.0.20
            Port:                     http  80/TCP
            TargetPort:               web/TCP
            Endpoints:                10.244.0.7:8080
            Not Ready:                10.244.1.8:8080
            Port:                     dns  53/UDP
            TargetPort:               5353/UDP
            Endpoints:                10.244.0.7:5353
            Not Ready:                10.244.1.8:5353
            Session Affinity:         None
            Internal Traffic Policy:  Cluster
            """);
  }

  /** Nodes send nothing new to what ends or is drained while another one is ready. */
  @Test
  void tellsEndpointsThatAreDrainedOrEndFromReadyOnes() {
    var drained = pod("b", "10.244.1.8").toBuilder();
    drained.getMetadataBuilder().putAnnotations("fairlead.io/draining", "true");
    var ending = pod("c", "10.244.1.9").toBuilder();
    ending.getMetadataBuilder().setDeletionTimestamp(ago(Duration.ZERO));
    var failing = ending.clone();
    failing.getStatusBuilder().setReady(false).clearPodIps().addPodIps("10.244.1.10");
    var pods = List.of(pod("a", "10.244.0.7"), drained.build(), ending.build(), failing.build());
    assertThat(Descriptions.of(service(), pods, List.of()))
        .contains(
            """
            Endpoints:                10.244.0.7:8080
            Terminating:              10.244.1.8:8080 (draining),10.244.1.9:8080
            Not Ready:                10.244.1.10:8080
            """);
    var written = EndpointSlice.newBuilder();
    written.addPortsBuilder().setName("http").setProtocol("TCP").setPort(80);
    written
        .addEndpointsBuilder()
        .addAddresses("192.0.2.7")
        .getConditionsBuilder()
        .setServing(true)
        .setTerminating(true);
    assertThat(Descriptions.of(service(), List.of(), List.of(written.build())))
        .contains(
            """
            Endpoints:                <none>
            Terminating:              192.0.2.7:80
            """);
    var published = service().toBuilder();
    published.getSpecBuilder().setPublishNotReadyAddresses(true);
    assertThat(Descriptions.of(published.build(), pods, List.of()))
        .contains(
            "Endpoints:                10.244.0.7:8080,10.244.1.8:8080,10.244.1.9:8080,10.244.1.10:8080\nPort:");
  }

  @Test
  void countsTheReadinessGatesThatAreMet() {
    var pod = pod("a", "10.244.0.7").toBuilder();
    for (var gate : List.of("example.com/loaded", "example.com/seen", "example.com/unheard")) {
      pod.getSpecBuilder().addReadinessGatesBuilder().setConditionType(gate);
    }
    var status = pod.getStatusBuilder();
    status.addConditionsBuilder().setType("example.com/loaded").setStatus("True");
    status.addConditionsBuilder().setType("example.com/seen").setStatus("False");
    status.addConditionsBuilder().setType("Ready").setStatus("True");
    var table =
        Tables.pods(List.of(pod.build()), Width.WIDE, Namespaces.HIDDEN, NOW).text(Heads.HIDDEN);
    assertThat(table).endsWith("node-a   <none>   1/3\n");
  }

  @Test
  void tellsWhyAPodIsNotReadyInOneLine() {
    var pod = pod("a", "10.244.0.7").toBuilder();
    assertThat(Descriptions.readiness(pod.build())).isEqualTo("it is ready: http 200");
    var status =
        pod.getStatusBuilder()
            .setReady(false)
            .setReadyReason("containers do not run: main")
            .setReason("Starting");
    status
        .addContainerStatusesBuilder()
        .setName("main")
        .getStateBuilder()
        .getWaitingBuilder()
        .setReason("CrashLoopBackOff")
        .setMessage("again in 40 s");
    assertThat(Descriptions.readiness(pod.build()))
        .isEqualTo(
            "it is not ready: containers do not run: main; Starting; container main waits: CrashLoopBackOff: again in 40 s");
  }

  @Test
  void describesAPod() {
    assertThat(Descriptions.of(pod("a", "10.244.0.7"), NOW))
        .contains(
            "Source:                   manifests/node-a\n",
            "Ready:                    True (http 200, for 2m)\n",
            "    Readiness:            http-get http://:web/healthz delay=0s timeout=1s period=10s #success=1 #failure=3\n");
  }

  @Test
  void describesProbesGatesConditionsAndHowOftenAPodTurned() {
    var pod = pod("a", "10.244.0.7").toBuilder();
    pod.getSpecBuilder().addReadinessGatesBuilder().setConditionType("example.com/loaded");
    var main = pod.getSpecBuilder().getContainersBuilder(0);
    main.getStartupProbeBuilder()
        .setTimeoutSeconds(1)
        .getExecBuilder()
        .addCommand("cat")
        .addCommand("/ok");
    main.getReadinessProbeBuilder()
        .clearHttpGet()
        .getGrpcBuilder()
        .setPort(9000)
        .setService("shop.Web");
    pod.getStatusBuilder()
        .setReadinessTurns(41)
        .addLatestReadinessTurns(
            ReadinessTurn.newBuilder().setReason("timeout").setTime(ago(Duration.ofSeconds(12))))
        .addConditions(
            PodCondition.newBuilder()
                .setType("example.com/loaded")
                .setStatus("False")
                .setReason("Cold")
                .setLastTransitionTime(ago(Duration.ofMinutes(5))));
    assertThat(Descriptions.of(pod.build(), NOW))
        .contains(
            "Readiness Turns:          41\n",
            "  12s ago:                not ready: timeout\n",
            "    Startup:              exec [cat, /ok] delay=0s timeout=1s",
            "    Readiness:            grpc :9000/shop.Web delay=0s",
            "Readiness Gates:\n  example.com/loaded:     False\n",
            "Conditions:\n  example.com/loaded:     False (Cold, for 5m)\n");
  }

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0s",
    "PT-5S, 0s",
    "PT119S, 119s",
    "PT120S, 2m",
    "PT5M12S, 5m12s",
    "PT10M1S, 10m",
    "PT179M, 179m",
    "PT3H, 3h",
    "PT7H59M, 7h59m",
    "PT8H30M, 8h",
    "PT47H, 47h",
    "PT52H, 2d4h",
    "P8D, 8d",
    "P729D, 729d",
    "P731D, 2y1d",
    "P3000D, 8y",
  })
  void shortensAges(Duration age, String text) {
    assertThat(Ages.text(age)).isEqualTo(text);
  }
}
