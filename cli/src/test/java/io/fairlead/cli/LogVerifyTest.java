package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two replicas, each with a log of its own that is the same unless one of them is corrupted. */
@Timeout(60)
class LogVerifyTest {
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {clusterIP: 10.96.0.20, ports: [{port: 80}], selector: {app: web}}
      """;

  @TempDir private Path directory;
  private final LocalControlPlane one = new LocalControlPlane("replica-1");
  private final LocalControlPlane other = new LocalControlPlane("replica-2");
  private final CliFixture cli = new CliFixture(one.address(), other.address());

  @BeforeEach
  void write() {
    for (var plane : List.of(one, other)) {
      var alone = new CliFixture(plane.address());
      assertThat(alone.runWith(WEB, Map.of(), "apply", "-f", "-").code()).isZero();
      plane.fillLog(1_500);
    }
  }

  @AfterEach
  void close() {
    one.close();
    other.close();
  }

  private String file() {
    return directory.resolve("plane.log").toString();
  }

  @Test
  void replicasAndReplaysOfOneLogAreTheSame() {
    assertThat(cli.run("log", "verify"))
        .isEqualTo(
            new CliFixture.Ran(
                0,
                """
                PARTITION   DIGESTS   FROM   TO     READERS               RESULT
                s           1         1000   1000   replica-1,replica-2   same
                """,
                ""));
    var replayed = cli.run("log", "verify", "--replay", "--no-headers");
    assertThat(replayed.out())
        .isEqualTo("s   1   1000   1000   <replay>,replica-1,replica-2   same\n");
    assertThat(replayed.code()).as(replayed.err()).isZero();
    assertThat(cli.run("log", "export", file()).code()).isZero();
    for (var plane : List.of(one, other)) {
      plane.fillLog(1_000); // the replicas go on
    }
    var ofFile = cli.run("log", "verify", file(), "--no-headers");
    assertThat(ofFile.out())
        .isEqualTo("s   2   1000   2000   <replay>,replica-1,replica-2   same\n");
    assertThat(ofFile.code()).as(ofFile.err()).isZero();
  }

  @Test
  void namesTheFirstOffsetThatDiffersAndTheObjects() {
    other.corrupt("default", "web");
    for (var plane : List.of(one, other)) {
      plane.fillLog(2_000);
    }
    var ran = cli.run("log", "verify");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.out().lines().skip(1))
        .containsExactly(
            "s           3         1000   3000   replica-1,replica-2   differ at 2000");
    assertThat(ran.err().lines().toList())
        .hasSize(4)
        .first()
        .isEqualTo("Fault: s differs at s:2000:");
    assertThat(ran.err().lines().toList().get(3))
        .matches(
            "  Service/default/web: version 1 with digest [0-9a-f]{32} at replica-[12], version 1 with digest [0-9a-f]{32} at replica-[12]");
  }

  @Test
  void aReplaySaysWhichReplicaIsWrong() {
    assertThat(cli.run("log", "export", file()).code()).isZero();
    other.corrupt("default", "web");
    for (var arguments :
        List.of(List.of("log", "verify", file()), List.of("log", "verify", "--replay"))) {
      var ran = cli.run(arguments.toArray(String[]::new));
      assertThat(ran.code()).isEqualTo(1);
      assertThat(ran.out()).as("at the end, before the next digest").contains("differ at 1502");
      assertThat(ran.err().lines())
          .anyMatch(line -> line.endsWith(": <replay>,replica-1"))
          .anyMatch(line -> line.endsWith(": replica-2"))
          .anyMatch(line -> line.contains("Service/default/web: version 1 with digest"));
    }
  }

  @Test
  void saysNothingOfWhatCompactionMayHaveRemoved() {
    try (var late = new LocalControlPlane("replica-3")) {
      late.compactedBefore(LocalControlPlane.NOW.plus(Duration.ofHours(2)));
      assertThat(new CliFixture(late.address()).runWith(WEB, Map.of(), "apply", "-f", "-").code())
          .isZero();
      late.corrupt("default", "web");
      late.fillLog(1_700);
      assertThat(new CliFixture(one.address(), late.address()).run("log", "verify", "--no-headers"))
          .isEqualTo(
              new CliFixture.Ran(
                  3,
                  "s   0   -   -   replica-1,replica-3   nothing in common\n",
                  "error: nothing was compared: those that were asked have no digest in common, and none is as far as another\n"));
    }
  }

  /** Else it would look as if something had been found to be right. */
  @Test
  void aReplicaAloneIsNotCompared() {
    var alone = new CliFixture(one.address());
    var ran = alone.run("log", "verify");
    assertThat(ran.code()).isEqualTo(3);
    assertThat(ran.out()).contains("nothing in common");
    assertThat(ran.err())
        .startsWith("error: nothing was compared: replica-1 is the only one that was asked;");
    assertThat(alone.run("log", "verify", "--replay").code()).isZero();
    assertThat(alone.run("log", "verify", "--help").out())
        .contains("3   nothing could be compared");
  }

  @Test
  void saysWhoCannotBeCompared() {
    var ran = cli.run("log", "verify", "--replica=127.0.0.1:1", "--timeout=2s");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err()).startsWith("Unable to connect to the server at 127.0.0.1:1: ");
    assertThat(ran.out()).contains("replica-1,replica-2   same");
    assertThat(cli.run("log", "verify", file(), "--replay").err())
        .isEqualTo("error: either FILE or --replay\n");
    assertThat(cli.run("log", "verify", "./nowhere.log").err())
        .endsWith("error: the file ./nowhere.log does not exist\n");
  }
}
