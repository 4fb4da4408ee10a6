package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.v1.Flow;
import io.fairlead.v1.FlowCount;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NodeTraceCommandTest {
  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  private static Flow.Builder flow(String state) {
    return Flow.newBuilder()
        .setProtocol("TCP")
        .setClient("10.244.0.9")
        .setClientPort(4711)
        .setVip("10.96.0.10")
        .setPort(80)
        .setEndpoint("10.244.1.5")
        .setEndpointPort(8080)
        .setTranslated(true)
        .setSource("10.244.0.9")
        .setSourcePort(4711)
        .setState(state)
        .setTimeoutSeconds(431_999);
  }

  private static Flow.Builder known() {
    return flow("ESTABLISHED")
        .setService(ServiceName.newBuilder().setNamespace("default").setName("web"))
        .setUid("1")
        .setKind("Pod")
        .setNamespace("default")
        .setName("web-b")
        .setNode("node-b");
  }

  @Test
  void showsWhereConnectionsGo() {
    plane
        .flowsReplies()
        .add(
            TraceFlowsReply.newBuilder()
                .addFlows(known())
                .addFlows(
                    flow("SYN_SENT")
                        .setMasqueraded(true)
                        .setSource("192.0.2.1")
                        .setSourcePort(33_000))
                .addFlows(flow("UNANSWERED").setProtocol("UDP").setTranslated(false))
                .setMore(true)
                .build());
    assertThat(cli.run("node", "trace", "10.244.0.9", "10.96.0.10:80", "--node", "node-a"))
        .isEqualTo(
            new Ran(
                0,
                """
                PROTOCOL   CLIENT            FRONTEND        ENDPOINT          OBJECT                 STATE         EXPIRES   SEEN AS
                TCP        10.244.0.9:4711   10.96.0.10:80   10.244.1.5:8080   pod/web-b              ESTABLISHED   431999s   itself
                TCP        10.244.0.9:4711   10.96.0.10:80   10.244.1.5:8080   no endpoint any more   SYN_SENT      431999s   192.0.2.1:33000
                UDP        10.244.0.9:4711   10.96.0.10:80   not translated    <none>                 UNANSWERED    431999s   itself
                """,
                "There are more than 100; --limit shows more\n"));
    var wide =
        cli.run("node", "trace", "10.244.0.9", "10.96.0.10:80", "--node", "node-a", "-o", "wide");
    assertThat(wide.out()).contains("default/web").contains("node-b");
    var json =
        cli.run("node", "trace", "10.244.0.9", "10.96.0.10", "--node", "node-a", "-o", "json");
    assertThat(json.out())
        .contains("\"endpoint\": \"10.244.1.5\"")
        .contains("\"masqueraded\": true")
        .contains("\"more\": true")
        .doesNotContain("sentPackets");
  }

  @Test
  void whatTheKernelCountsIsShown() {
    plane
        .flowsReplies()
        .add(
            TraceFlowsReply.newBuilder()
                .addFlows(known().setSent(FlowCount.newBuilder().setPackets(3).setBytes(180)))
                .build());
    assertThat(
            cli.run("node", "trace", "10.244.0.9", "10.96.0.10", "--node", "n", "-o", "wide").out())
        .contains("3 packets, 180 bytes");
  }

  @Test
  void asksForWhatIsNamed() {
    plane.flowsReplies().add(TraceFlowsReply.newBuilder().setRead(17).build());
    assertThat(
            cli.run(
                "node",
                "trace",
                "[fd00::9]:4711",
                "[fd00:96::a]:53",
                "--node",
                "node-a",
                "--protocol",
                "udp",
                "--limit",
                "5"))
        .isEqualTo(
            new Ran(
                NodeTraceCommand.NONE,
                "",
                "No connection from [fd00::9]:4711 to [fd00:96::a]:53 among the 17 that node-a remembers\n"));
    assertThat(plane.flowsRequests())
        .containsExactly(
            TraceFlowsRequest.newBuilder()
                .setNode("node-a")
                .setClient("fd00::9")
                .setClientPort(4711)
                .setVip("fd00:96::a")
                .setPort(53)
                .setProtocol("UDP")
                .setLimit(5)
                .build());
  }

  @Test
  void whatMakesNoSenseIsRefusedBeforeAnybodyIsAsked() {
    for (var wrong :
        new String[][] {
          {"10.244.0.9"},
          {"10.244.0.9", "fd00::1"},
          {"web", "10.96.0.10"},
          {"10.244.0.9", "10.96.0.10", "--limit", "501"},
          {"10.244.0.9", "10.96.0.10", "--protocol", "icmp"},
          {"10.244.0.9", "10.96.0.10", "-o", "name"},
        }) {
      var words = new java.util.ArrayList<String>(java.util.List.of("node", "trace"));
      words.addAll(java.util.List.of(wrong));
      words.addAll(java.util.List.of("--node", "node-a"));
      assertThat(cli.run(words.toArray(String[]::new)).code()).as("%s", words).isEqualTo(2);
    }
    assertThat(plane.flowsRequests()).isEmpty();
  }
}
