package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodReply.Verdict;
import io.fairlead.v1.NodeBehind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DrainCommandTest {
  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  private Ran drain(DrainPodReply.Builder last) {
    plane.drainReplies().clear();
    plane.drainReplies().add(DrainPodReply.newBuilder().setVerdict(Verdict.WAITING).build());
    plane.drainReplies().add(last.setDone(true).build());
    return cli.run("drain", "pod", "one");
  }

  private static DrainPodReply.Builder verdict(Verdict verdict, String message) {
    return DrainPodReply.newBuilder().setVerdict(verdict).setMessage(message);
  }

  @Test
  void eachVerdictHasItsWordAndItsExitCode() {
    assertThat(drain(verdict(Verdict.SAFE, "nobody")))
        .isEqualTo(new Ran(0, "pod/one SAFE: nobody\n", ""));
    assertThat(drain(verdict(Verdict.SAFE_EXCEPT, "nobody").addLost("n1").addLost("n2")))
        .isEqualTo(new Ran(3, "pod/one SAFE_EXCEPT n1, n2: nobody\n", ""));
    assertThat(drain(verdict(Verdict.LAST_ENDPOINT, "of web")))
        .isEqualTo(new Ran(4, "pod/one LAST_ENDPOINT: of web\n", ""));
    assertThat(
            drain(
                verdict(Verdict.NOT_SAFE, "late")
                    .setNodes(3)
                    .setClear(1)
                    .addBehind(NodeBehind.newBuilder().setNode("n1").setMessage("behind"))
                    .addDns("dns-1 has not acknowledged it")))
        .isEqualTo(
            new Ran(
                5,
                "pod/one NOT_SAFE: late\n",
                """
                  n1: behind
                  and 1 more
                  dns dns-1 has not acknowledged it
                """));
  }

  @Test
  void onePodIsDrainedAtATime() {
    for (var arguments : new String[][] {{"drain", "svc", "web"}, {"drain", "pod"}}) {
      var ran = cli.run(arguments);
      assertThat(ran.code()).isEqualTo(2);
      assertThat(ran.err()).contains("fairlead drain pod NAME");
    }
    assertThat(cli.run("drain").code()).isEqualTo(2);
  }

  @Test
  void takesTheMarkAway() {
    assertThat(cli.run("drain", "pod/one", "--undo"))
        .isEqualTo(new Ran(0, "pod/one not drained any more\n", ""));
    assertThat(cli.run("drain", "pod/two", "--undo").code()).isEqualTo(1);
  }
}
