package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.log.v1.Record;
import io.fairlead.v1.LogEntry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LogCommandsTest {
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {clusterIP: 10.96.0.20, ports: [{port: 80}], selector: {app: web}}
      """;
  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: web-1, labels: {app: web}}
      spec: {nodeName: node-a, containers: [{name: main, image: nginx}]}
      status: {podIP: 10.244.0.7}
      """;

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  /** A Service at 12:00, a Pod at 12:01, and the Service is gone at 12:02. */
  @BeforeEach
  void write() {
    apply(WEB);
    plane.advance(Duration.ofMinutes(1));
    apply(POD);
    plane.advance(Duration.ofMinutes(1));
    assertThat(cli.run("delete", "svc", "web").code()).isZero();
  }

  @AfterEach
  void close() {
    plane.close();
  }

  private void apply(String manifest) {
    assertThat(cli.runWith(manifest, Map.of(), "apply", "-f", "-").code()).isZero();
  }

  @Test
  void printsWhatIsRetainedInOrderOfTime() {
    assertThat(cli.run("log", "tail"))
        .isEqualTo(
            new Ran(
                0,
                """
                TIME                       POSITION   EVENT     OBJECT                 BY     DETAIL
                2026-11-01T12:00:00.000Z   s:1        stored    ServiceCIDR//default   test   10.96.0.0/16
                2026-11-01T12:00:00.000Z   s:2        stored    Service/default/web    test   10.96.0.20
                2026-11-01T12:01:00.000Z   p2:1       stored    Pod/default/web-1      test   Running 10.244.0.7 node-a
                2026-11-01T12:02:00.000Z   s:3        deleted   Service/default/web    test
                """,
                ""));
    assertThat(cli.run("log", "tail", "-n", "1", "--no-headers").out())
        .isEqualTo("2026-11-01T12:02:00.000Z   s:3   deleted   Service/default/web   test\n");
    assertThat(cli.run("log", "tail", "-n", "shop").err())
        .startsWith("error: -n is the number of entries here, not \"shop\"\n");
  }

  @Test
  void followsWhatComes() {
    var tail = cli.start("log", "tail", "-f", "--tail=0", "--no-headers");
    await().until(() -> plane.watches() == 1);
    apply(WEB);
    await()
        .until(() -> tail.out().contains("s:4   stored   Service/default/web   test   10.96.0.20"));
    assertThat(tail.interrupt().code()).isZero();
  }

  @Test
  void replaysATime() {
    assertThat(cli.run("replay", "--at", "2026-11-01T12:01:30Z"))
        .isEqualTo(
            new Ran(
                0,
                """
                NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
                service/web   ClusterIP   10.96.0.20   <none>        80/TCP    90s

                NAME        READY   STATUS    RESTARTS   AGE
                pod/web-1   1/1     Running   0          30s

                NAME                                            ADDRESSTYPE   PORTS   ENDPOINTS    AGE
                endpointslice.discovery.k8s.io/SLICE   IPv4          80      10.244.0.7   90s
                """
                    .replace("SLICE", slice()),
                "As of 2026-11-01T12:01:00Z, position s:2,p2:1; the log is complete since 2026-11-01T12:00:00Z\n"));
    assertThat(
            cli.run("replay", "--at", "2026-11-01T13:00:30+01:00", "get", "svc", "-o", "name")
                .out())
        .isEqualTo("service/web\n");
    assertThat(cli.run("replay", "--at", "2026-11-01T13:00:30+01:00", "po,svc", "-o", "name").out())
        .isEqualTo("service/web\n");
    assertThat(cli.run("replay", "--at=1h").err())
        .isEqualTo("error: nothing of then is retained: the log begins at 2026-11-01T12:00:00Z\n");
  }

  /** Whatever the clock of this machine says: the log's last entry is what counts. */
  @Test
  void saysWhereTheLogEndsBeforeTheMoment() {
    assertThat(cli.run("replay", "--at", "2031-01-01T00:00:00Z", "po", "-o", "name"))
        .isEqualTo(
            new Ran(
                0,
                "pod/web-1\n",
                "As of 2026-11-01T12:02:00Z (the log ends there, before 2031-01-01T00:00:00Z), position s:3,p2:1; the log is complete since 2026-11-01T12:00:00Z\n"));
    assertThat(cli.run("replay", "--at", "2026-11-01T12:02:00Z", "po").err())
        .startsWith("As of 2026-11-01T12:02:00Z, position ");
  }

  private String slice() {
    var json = cli.run("replay", "--at=s:2,p2:1", "eps", "-o", "name").out();
    return json.strip().replace("endpointslice.discovery.k8s.io/", "");
  }

  @Test
  void replaysAPosition() {
    // the Pod came later than the last entry before s:2
    assertThat(cli.run("replay", "--at=s:2", "po,svc", "-o", "name").out())
        .isEqualTo("service/web\n");
    assertThat(cli.run("replay", "--at=s:2,p2:1", "po,svc", "-o", "name").out())
        .isEqualTo("pod/web-1\nservice/web\n");
    assertThat(cli.run("replay", "--at=s:3", "po,svc", "-o", "name").out())
        .isEqualTo("pod/web-1\n");
    assertThat(cli.run("replay", "--at=s:2", "svc", "web", "-o", "json").out())
        .contains("\"clusterIP\": \"10.96.0.20\"", "\"resourceVersion\": \"1\"");
    assertThat(cli.run("replay", "--at=s:3", "svc", "web"))
        .isEqualTo(
            new Ran(
                1,
                "",
                """
                As of 2026-11-01T12:02:00Z, position s:3,p2:1; the log is complete since 2026-11-01T12:00:00Z
                Error from replay (NotFound): services "web" not found
                """));
    assertThat(cli.run("replay", "--at=s:9").err())
        .isEqualTo("error: position s:9 is behind the end of the log, s:3\n");
    assertThat(cli.run("replay", "--at=yesterday").err())
        .startsWith(
            "error: --at=yesterday is not a time (2026-11-01T12:00:00Z), a duration before now (5m), or a position (s:13,p0:4)\n");
  }

  @Test
  void refusesMomentsThatCompactionMayHaveTouched() {
    plane.compactedBefore(Instant.parse("2026-11-01T12:01:30Z"));
    for (var at : List.of("2026-11-01T12:01:00Z", "s:2,p2:1")) {
      var ran = cli.run("replay", "--at", at, "svc");
      assertThat(ran.code()).isEqualTo(1);
      assertThat(ran.err())
          .startsWith(
              "error: of 2026-11-01T12:01:00Z not everything is retained: the log is complete since 2026-11-01T12:01:3");
    }
    assertThat(cli.run("replay", "--at", "2026-11-01T12:05:00Z", "po", "-o", "name").out())
        .isEqualTo("pod/web-1\n");
    assertThat(cli.run("replay", "--at", "s:3,p2:1", "po", "-o", "name").out())
        .isEqualTo("pod/web-1\n");
  }

  @Test
  void replaysNamespacesThatWereMade() {
    assertThat(cli.run("create", "ns", "empty").code()).isZero();
    assertThat(cli.run("replay", "--at=2026-11-01T12:03:00Z", "get", "ns"))
        .extracting(Ran::out)
        .isEqualTo(
            """
            NAME      STATUS   AGE
            default   Active   <unknown>
            empty     Active   60s
            """);
  }

  @Test
  void anUnsetPhaseIsNotShown() {
    var record = Record.newBuilder();
    record.getPodBuilder().setNodeName("node-a");
    var entry =
        LogEntry.newBuilder()
            .setPartition("p2")
            .setKey("Pod/default/web-1")
            .setRecord(record.build().toByteString())
            .build();
    assertThat(LogRows.row(entry)).last().isEqualTo("node-a");
  }
}
