package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two replicas, of which one goes. */
@Timeout(120)
class FailoverTest {
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {clusterIP: 10.96.0.20, ports: [{port: 80}], selector: {app: web}}
      """;

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final HostPort first = plane.address();
  private final HostPort second = plane.serveAgain();
  private final CliFixture cli = new CliFixture(first, second);

  @AfterEach
  void close() {
    plane.close();
  }

  private Ran apply(String manifest) {
    return cli.runWith(manifest, Map.of(), "apply", "-f", "-");
  }

  /** The next call kills the server that has it, and so gets no answer. */
  private void killWithTheNextCall() {
    plane.failNext(
        1,
        () -> {
          Thread.ofPlatform().daemon().start(() -> plane.kill(first));
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the server is gone
          }
          return new IllegalStateException("nobody is told");
        });
  }

  @Test
  void aChangeWhoseReplicaDiesIsDoneOnceByAnother() {
    killWithTheNextCall();
    assertThat(apply(WEB)).isEqualTo(new Ran(0, "service/web created\n", ""));
    assertThat(plane.requestIds).hasSize(2);
    assertThat(new HashSet<>(plane.requestIds)).hasSize(1);
  }

  @Test
  void aReadWhoseReplicaDiesIsAnsweredByAnother() {
    assertThat(apply(WEB).code()).isZero();
    killWithTheNextCall();
    assertThat(cli.run("get", "svc", "-o", "name")).isEqualTo(new Ran(0, "service/web\n", ""));
  }

  @Test
  void aReplicaThatIsGoneCostsNoTime() {
    plane.kill(first);
    assertThat(apply(WEB).out()).isEqualTo("service/web created\n");
    assertThat(cli.run("get", "svc", "-o", "name", "--timeout=2s").out())
        .isEqualTo("service/web\n");
  }

  @Test
  void aReplicaThatHangsIsLeftForAnother() throws IOException {
    // takes connections, and says nothing
    try (var silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      var hanging = new CliFixture(new HostPort("127.0.0.1", silent.getLocalPort()), second);
      assertThat(hanging.runWith(WEB, Map.of(), "apply", "-f", "-", "--timeout=20s").out())
          .isEqualTo("service/web created\n");
    }
  }

  @Test
  void aWatchGoesOnAtAnotherReplicaAndTellsOnlyWhatDiffers() {
    assertThat(apply(WEB).code()).isZero();
    var watch = cli.start("get", "svc", "-w", "-o", "name");
    await().until(() -> watch.out().equals("service/web\n"));
    plane.kill(first);
    await().until(() -> plane.watches() == 2);
    assertThat(apply(WEB.replace("web", "db").replace("0.20", "0.21")).code()).isZero();
    await().until(() -> watch.out().equals("service/web\nservice/db\n"));
    assertThat(watch.interrupt().code()).isZero();
  }

  @Test
  void aWatchOfNamespacesGoesOnAtAnotherReplica() {
    assertThat(apply(WEB).code()).isZero();
    var watch = cli.start("get", "ns", "-w", "-o", "name");
    await().until(() -> watch.out().equals("namespace/default\n"));
    plane.kill(first);
    await().until(() -> plane.watches() == 6); // three streams, twice
    assertThat(cli.run("create", "ns", "lab").code()).isZero();
    await().until(() -> watch.out().equals("namespace/default\nnamespace/lab\n"));
    assertThat(watch.interrupt().code()).isZero();
  }

  @Test
  void aTailOfTheLogGoesOnWhereItWas() {
    assertThat(apply(WEB).code()).isZero();
    var tail = cli.start("log", "tail", "-f", "--no-headers");
    await().until(() -> tail.out().contains("s:2   stored   Service/default/web"));
    plane.kill(first);
    await().until(() -> plane.watches() == 2);
    assertThat(cli.run("delete", "svc", "web").code()).isZero();
    await().until(() -> tail.out().contains("s:3   deleted"));
    assertThat(tail.interrupt().out()).hasLineCount(3);
  }

  @Test
  void whereAllAreGoneItSaysSoInTime() {
    plane.kill(first);
    plane.kill(second);
    var ran = cli.run("get", "svc", "--timeout=2s");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err())
        .startsWith("Unable to connect to the server at " + first + "," + second + ": ");
  }
}
