package io.fairlead.api.table;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.v1.Node;
import io.fairlead.v1.Pod;
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
            NAME   READY   STATUS        AGE   IP           NODE     SOURCE             READINESS
            a      1/1     Running       3h    10.244.0.7   node-a   manifests/node-a   http 200
            b      0/1     Terminating   3h    10.244.0.8   node-a   manifests/node-a   http 503
            """);
  }

  @Test
  void listsNodes() {
    var node =
        Node.newBuilder()
            .setState("Lost")
            .setZone("z1")
            .setAgentVersion("0.1.0")
            .addAddresses("192.0.2.1");
    node.getMetadataBuilder().setName("node-a").setCreationTimestamp(ago(Duration.ofSeconds(45)));
    node.getAcknowledgedBuilder().setOffsets("s:9,p3:1");
    assertThat(Tables.nodes(List.of(node.build()), Width.WIDE, NOW).text(Heads.SHOWN))
        .isEqualTo(
            """
            NAME     STATUS     ZONE   AGE   VERSION   INTERNAL-IP   POD-CIDRS   ACKNOWLEDGED
            node-a   NotReady   z1     45s   0.1.0     192.0.2.1     <none>      s:9,p3:1
            """);
  }

  @Test
  void describesAServiceWithItsEndpoints() {
    var unready = pod("b", "10.244.1.8").toBuilder();
    unready.getStatusBuilder().setReady(false);
    var finished = pod("c", "10.244.1.9").toBuilder();
    finished.getStatusBuilder().setPhase("Succeeded").setReady(false);
    assertThat(
            Descriptions.of(
                service(), List.of(pod("a", "10.244.0.7"), unready.build(), finished.build())))
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

  @Test
  void describesAPod() {
    assertThat(Descriptions.of(pod("a", "10.244.0.7"), NOW))
        .contains(
            "Source:                   manifests/node-a\n",
            "Ready:                    True (http 200, for 2m)\n",
            "    Readiness:            http-get http://:web/healthz delay=0s timeout=1s period=10s #success=1 #failure=3\n");
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
