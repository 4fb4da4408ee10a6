package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.v1.NodeRulesHead;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.Position;
import io.fairlead.v1.ProgrammedEndpoint;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.RecordReference;
import io.fairlead.v1.ServiceName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NodeRulesCommandTest {
  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  private static RecordReference record(String partition, long offset) {
    return RecordReference.newBuilder().setPartition(partition).setOffset(offset).build();
  }

  private static ProgrammedPort.Builder web() {
    return ProgrammedPort.newBuilder()
        .setVip("10.96.0.10")
        .setProtocol("TCP")
        .setPort(80)
        .setService(ServiceName.newBuilder().setNamespace("default").setName("web"))
        .setPortName("http")
        .setTreatment("balance")
        .setBalancing("round-robin")
        .setAffinitySeconds(60)
        .setWhy("all endpoints that are ready")
        .setRecord(record("s", 12))
        .addEndpoints(
            ProgrammedEndpoint.newBuilder()
                .setAddress("10.244.0.5")
                .setPort(8080)
                .addSlots(0)
                .setSlotCount(1)
                .setUid("1")
                .setKind("Pod")
                .setNamespace("default")
                .setName("web-a")
                .setNode("node-a")
                .setReady(true)
                .setServing(true)
                .setRecord(record("p3", 4))
                .setReadiness(record("p3", 6)))
        .addEndpoints(
            ProgrammedEndpoint.newBuilder()
                .setAddress("10.244.1.5")
                .setPort(8080)
                .setUid("2")
                .setKind("Pod")
                .setNamespace("default")
                .setName("web-b")
                .setNode("node-b")
                .setRecord(record("p3", 9).toBuilder().setPending(true)));
  }

  private static NodeRulesHead.Builder head(int frontends) {
    return NodeRulesHead.newBuilder()
        .setNode("node-a")
        .setFrontends(frontends)
        .setWanted(Position.newBuilder().setOffsets("s:13,p3:7"))
        .setProgrammed(Position.newBuilder().setOffsets("s:13,p3:7"));
  }

  @Test
  void showsWhatIsProgrammedAndTheRecordsBehindIt() {
    plane.rulesReplies().add(NodeRulesReply.newBuilder().setHead(head(2)).addPorts(web()).build());
    plane
        .rulesReplies()
        .add(
            NodeRulesReply.newBuilder()
                .addPorts(
                    ProgrammedPort.newBuilder()
                        .setVip("fd00::a")
                        .setProtocol("UDP")
                        .setPort(53)
                        .setTreatment("reject"))
                .build());
    assertThat(cli.run("node", "rules", "--node", "node-a"))
        .isEqualTo(
            new Ran(
                0,
                """
                node/node-a: programmed as of s:13,p3:7
                FRONTEND            SERVICE            DOES                        ENDPOINT          OBJECT      RECORD
                10.96.0.10:80/TCP   default/web:http   round-robin, affinity 60s                                 s@12
                                                       slot 0                      10.244.0.5:8080   pod/web-a   p3@4, readiness p3@6
                                                       not used                    10.244.1.5:8080   pod/web-b   p3@9 (not there yet)
                [fd00::a]:53/UDP    <none>             reject                                                    <none>
                """,
                ""));
    var wide = cli.run("node", "rules", "--node", "node-a", "-o", "wide", "--no-headers").out();
    assertThat(wide)
        .contains("all endpoints that are ready")
        .contains("node-b")
        .contains("not ready");
    var json = cli.run("node", "rules", "--node", "node-a", "-o", "json").out();
    assertThat(json)
        .contains("\"record\": \"s@12\"")
        .contains("\"readinessRecord\": \"p3@6\"")
        .contains("\"recordPending\": true")
        .contains("\"wanted\": \"s:13,p3:7\"");
    assertThat(cli.run("node", "rules", "--node", "node-a", "-o", "yaml").out())
        .contains("balancing: round-robin");
  }

  @Test
  void whatTheKernelSaysIsNoCommandToTheTerminal() {
    plane
        .rulesReplies()
        .add(
            NodeRulesReply.newBuilder()
                .setHead(head(1).setDiffering(1).setError("refused\u001b[2J"))
                .addPorts(web().setRefused("File\nexists\u009b"))
                .build());
    assertThat(cli.run("node", "rules", "--node", "node-a").out())
        .contains("Refused by the kernel: 10.96.0.10:80/TCP: File exists \n")
        .contains("The agent could not program it: refused [2J\n");
  }

  @Test
  void asksForWhatTheOptionsName() {
    plane.rulesReplies().add(NodeRulesReply.newBuilder().setHead(head(0)).build());
    assertThat(
            cli.run(
                "node",
                "rules",
                "--node",
                "node-a",
                "--service",
                "web",
                "-n",
                "shop",
                "--vip",
                "[fd00::a]:53",
                "--differing"))
        .isEqualTo(new Ran(0, "node/node-a: programmed as of s:13,p3:7\n", "No frontends found\n"));
    assertThat(plane.rulesRequests())
        .containsExactly(
            NodeRulesRequest.newBuilder()
                .setNode("node-a")
                .setService(ServiceName.newBuilder().setNamespace("shop").setName("web"))
                .setVip("fd00::a")
                .setPort(53)
                .setOnlyDiffering(true)
                .build());
    for (var wrong :
        new String[] {"10.96", "10.96.0.1:", "10.96.0.1:70000", "[fd00::a]53", "a:1"}) {
      var ran = cli.run("node", "rules", "--node", "node-a", "--vip", wrong);
      assertThat(ran.code()).as(wrong).isEqualTo(2);
      assertThat(ran.err()).contains("--vip: \"" + wrong + "\"");
    }
    assertThat(cli.run("node", "rules").code()).isEqualTo(2);
    assertThat(cli.run("node", "rules", "--node", "node-a", "-o", "name").code()).isEqualTo(2);
  }

  @Test
  void whatDiffersIsSaidAndHasAnExitCodeOfItsOwn() {
    plane
        .rulesReplies()
        .add(
            NodeRulesReply.newBuilder()
                .setHead(head(1).setDiffering(1).addDifferences("IPv6: there is no table"))
                .addPorts(web().setDifference("wanted is drop").setRefused("no memory"))
                .build());
    var ran = cli.run("node", "rules", "--node", "node-a");
    assertThat(ran.code()).isEqualTo(NodeRulesCommand.DIFFERS);
    assertThat(ran.out())
        .endsWith(
            """
            Differs: 10.96.0.10:80/TCP: wanted is drop
            Refused by the kernel: 10.96.0.10:80/TCP: no memory
            Differs: IPv6: there is no table
            """);
  }

  @Test
  void anAnswerThatEndsTooEarlyIsNoAnswer() {
    plane.rulesReplies().add(NodeRulesReply.newBuilder().setHead(head(2)).addPorts(web()).build());
    var ran = cli.run("node", "rules", "--node", "node-a");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err()).contains("before it was complete");
  }
}
