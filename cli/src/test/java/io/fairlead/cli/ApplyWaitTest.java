package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.v1.NodeBehind;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.WaitAppliedReply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code apply --wait}. */
@Timeout(60)
class ApplyWaitTest {
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {ports: [{port: 80}], selector: {app: web}}
      """;

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  private Ran with(String manifest, String... args) {
    var all = new ArrayList<>(Arrays.asList(args));
    all.addAll(List.of("-f", "-"));
    return cli.runWith(manifest, Map.of(), all.toArray(String[]::new));
  }

  private static WaitAppliedReply.Builder done(boolean applied, int nodes, int there) {
    return WaitAppliedReply.newBuilder()
        .setDone(true)
        .setApplied(applied)
        .setNodes(nodes)
        .setThere(there);
  }

  @Test
  void endsWellWhereEveryNodeHasIt() {
    plane.waitReplies().add(done(true, 3, 3).addLost("old").build());
    assertThat(with(WEB, "apply", "--wait"))
        .isEqualTo(
            new Ran(
                0,
                "service/web created\napplied on all 3 nodes\n",
                "warning: node old is lost: what its kernel has, nobody knows\n"));
    var request = plane.waits().getFirst();
    assertThat(request.getPosition().getOffsets()).isNotEmpty();
    assertThat(request.getServicesList())
        .containsExactly(ServiceName.newBuilder().setNamespace("default").setName("web").build());
    assertThat(request.getTimeout().getSeconds()).isBetween(25L, 30L);
  }

  @Test
  void namesTheNodesThatDoNotHaveItAndFails() {
    plane
        .waitReplies()
        .add(
            done(false, 3, 1)
                .addBehind(NodeBehind.newBuilder().setNode("node-b").setMessage("no stream"))
                .addBehind(NodeBehind.newBuilder().setNode("node-c").setMessage("behind"))
                .build());
    assertThat(with(WEB, "apply", "--wait=2s"))
        .isEqualTo(
            new Ran(
                1,
                "service/web created\n",
                """
                error: accepted, but after 2s 1 of 3 nodes have it
                  node-b: no stream
                  node-c: behind
                """));
    assertThat(plane.waits().getFirst().getTimeout().getSeconds()).isLessThanOrEqualTo(2);
  }

  @Test
  void saysWhyNobodyKnows() {
    plane.waitReplies().add(done(false, 0, 0).setTrouble("topic away").build());
    assertThat(with(WEB, "create", "--wait=1s").err())
        .isEqualTo("error: accepted, but after 1s 0 of 0 nodes have it: topic away\n");
  }

  @Test
  void waitsForNothingThatWasNotAccepted() {
    var refused = with(WEB.replace("port: 80", "port: 0"), "apply", "--wait");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(plane.waits()).isEmpty();
    var pointless = with(WEB, "apply", "--wait", "--dry-run=server");
    assertThat(pointless.code()).isEqualTo(2);
    assertThat(pointless.err())
        .startsWith("error: --wait has nothing to wait for with --dry-run=server\n");
    assertThat(with(WEB, "apply", "--wait=soon").code()).isEqualTo(2);
  }

  @Test
  void waitsOnlyWhereThatIsAskedFor() {
    assertThat(with(WEB, "apply")).isEqualTo(new Ran(0, "service/web created\n", ""));
    assertThat(plane.waits()).isEmpty();
  }
}
