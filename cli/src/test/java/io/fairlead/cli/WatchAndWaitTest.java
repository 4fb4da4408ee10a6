package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.v1.Node;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WatchAndWaitTest {
  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: web-1
        labels: {app: web}
      spec:
        nodeName: node-a
        containers:
        - name: main
          image: nginx
      status:
        podIP: 10.244.0.7
      """;
  private static final String OTHER = POD.replace("web-1", "a-longer-name").replace("0.7", "0.8");

  /** Nothing runs it, so it has no address and is not ready. */
  private static final String PENDING =
      POD.substring(0, POD.indexOf("status:")).replace("web-1", "pending");

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  private void apply(String manifest) {
    assertThat(cli.runWith(manifest, Map.of(), "apply", "-f", "-").code()).isZero();
  }

  private static void awaitOut(CliFixture.Running running, String out) {
    await("what was printed")
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(running.out()).isEqualTo(out));
  }

  @Test
  void watchesRowsUntilInterrupted() {
    apply(POD);
    var watch = cli.start("get", "pods", "-w");
    var first =
        """
        NAME    READY   STATUS    RESTARTS   AGE
        web-1   1/1     Running   0          45s
        """;
    awaitOut(watch, first);
    apply(OTHER);
    var second = first + "a-longer-name   1/1     Running   0          45s\n";
    awaitOut(watch, second);
    cli.run("delete", "pod", "web-1", "--grace-period=30", "--wait=false");
    var third = second + "web-1           1/1     Terminating   0          45s\n";
    awaitOut(watch, third);
    plane.ended("default", "web-1");
    var fourth = third + "web-1           1/1     Terminating   0          45s\n";
    awaitOut(watch, fourth);
    assertThat(watch.interrupt()).isEqualTo(new Ran(0, fourth, ""));
  }

  @Test
  void watchesFromNothing() {
    var watch = cli.start("get", "svc", "-w", "-o", "name");
    await().until(() -> plane.watches() == 1);
    apply(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], selector: {app: web}}\n");
    awaitOut(watch, "service/web\n");
    var slices = cli.start("get", "eps", "-w", "--no-headers");
    await().until(() -> plane.watches() == 2);
    apply(POD);
    await().until(() -> slices.out().endsWith("IPv4   80   10.244.0.7   45s\n"));
    assertThat(slices.interrupt().code()).isZero();
    assertThat(watch.interrupt().code()).isZero();
  }

  @Test
  void watchesOneKindOnly() {
    assertThat(cli.run("get", "svc,po", "-w").err())
        .startsWith("error: you may only specify a single resource type\n");
    assertThat(cli.run("get", "po", "a", "b", "-w").err())
        .startsWith("error: only one resource may be watched by name\n");
    assertThat(cli.run("get", "po", "nobody", "-w"))
        .isEqualTo(new Ran(1, "", "Error from server (NotFound): pods \"nobody\" not found\n"));
  }

  @Test
  void waitsUntilReady() {
    apply(POD + "---\n" + OTHER);
    assertThat(cli.run("wait", "--for=condition=Ready", "pod", "web-1", "--timeout=5s"))
        .isEqualTo(new Ran(0, "pod/web-1 condition met\n", ""));
    assertThat(cli.run("wait", "--for=condition=Ready", "pod", "-l", "app=web").out())
        .isEqualTo("pod/a-longer-name condition met\npod/web-1 condition met\n");
    apply(PENDING);
    assertThat(cli.run("wait", "--for=condition=Ready=False", "pod/pending").out())
        .isEqualTo("pod/pending condition met\n");
    assertThat(cli.run("wait", "--for=condition=Ready", "pod/nobody"))
        .isEqualTo(new Ran(1, "", "Error from server (NotFound): pods \"nobody\" not found\n"));
    assertThat(cli.run("wait", "--for=condition=Ready", "pod", "-l", "app=none"))
        .isEqualTo(new Ran(1, "", "error: no matching resources found\n"));
    var node = Node.newBuilder();
    node.getMetadataBuilder().setName("node-a");
    plane.openNode(node.build());
    assertThat(cli.run("wait", "--for=condition=ready", "nodes", "--all").out())
        .isEqualTo("node/node-a condition met\n");
  }

  @Test
  void saysWhatItSawLastWhenTheTimeIsUp() {
    apply(POD + "---\n" + PENDING);
    var quick = cli.withoutSleep();
    var waits =
        List.of(
            quick.run("wait", "--for=condition=Ready", "pod/pending", "--timeout=10s"),
            quick.run("wait", "--for=condition=Ready=false", "pod/web-1", "--timeout=10s"),
            quick.run("wait", "--for=delete", "pod/web-1", "--timeout=10s"),
            quick.run("wait", "--for=create", "pod/nobody", "--timeout=10s"));
    var begin = "error: timed out waiting for the condition on pods/";
    assertThat(waits)
        .containsExactly(
            new Ran(
                1,
                "",
                begin
                    + "pending: it is not ready: Pending; no address: neither status.podIP nor the node of a hostNetwork Pod says one; "
                    + "there is no node \"node-a\": spec.nodeName is wrong, or its agent has not connected yet\n"),
            new Ran(1, "", begin + "web-1: it is ready: running\n"),
            new Ran(1, "", begin + "web-1: it is there, and not being deleted\n"),
            new Ran(1, "", begin + "nobody: it is not there\n"));
  }

  @Test
  void waitsUntilThereAndUntilGone() {
    var created = cli.start("wait", "--for=create", "pod/web-1", "--timeout=20s");
    apply(POD);
    assertThat(created.join()).isEqualTo(new Ran(0, "pod/web-1 condition met\n", ""));
    var gone = cli.start("wait", "--for=delete", "pod/web-1", "--timeout=20s");
    cli.run("delete", "pod", "web-1");
    assertThat(gone.join()).isEqualTo(new Ran(0, "pod/web-1 condition met\n", ""));
    assertThat(cli.run("wait", "--for=delete", "pod/web-1").code()).isZero();
  }

  @Test
  void deleteWaitsForPodsThatEnd() {
    apply(POD);
    var delete = cli.start("delete", "pod", "web-1", "--grace-period=30");
    await().until(() -> delete.out().equals("pod/web-1 deleted\n"));
    plane.ended("default", "web-1");
    assertThat(delete.join()).isEqualTo(new Ran(0, "pod/web-1 deleted\n", ""));
  }

  @Test
  void deletesByLabelsAndAll() {
    apply(POD + "---\n" + OTHER);
    assertThat(cli.run("delete", "pods", "-l", "app=none"))
        .isEqualTo(new Ran(0, "", "No resources found\n"));
    assertThat(cli.run("delete", "pods", "--all").out())
        .isEqualTo("pod/a-longer-name deleted\npod/web-1 deleted\n");
    assertThat(cli.run("delete", "pods").err())
        .startsWith(
            "error: resource(s) were provided, but no name was specified: pods, neither by name, nor by -l, nor --all\n");
    assertThat(cli.run("delete", "pod", "a", "--now", "--grace-period=3").err())
        .startsWith("error: --now and --grace-period cannot be specified together\n");
  }

  @Test
  void watchesNamespacesThatWereMadeAndThoseThatHoldSomething() {
    apply(POD);
    var watch = cli.start("get", "ns", "-w", "-o", "name");
    awaitOut(watch, "namespace/default\n");
    assertThat(cli.run("create", "ns", "lab").code()).isZero();
    awaitOut(watch, "namespace/default\nnamespace/lab\n");
    apply(POD.replace("name: web-1", "name: web-1\n  namespace: pods-only"));
    awaitOut(watch, "namespace/default\nnamespace/lab\nnamespace/pods-only\n");
    apply(OTHER); // changes nothing about a namespace
    cli.run("delete", "pod", "web-1", "-n", "pods-only", "--now", "--wait=false");
    plane.ended("pods-only", "web-1");
    var all = "namespace/default\nnamespace/lab\nnamespace/pods-only\nnamespace/pods-only\n";
    awaitOut(watch, all);
    assertThat(watch.interrupt()).isEqualTo(new Ran(0, all, ""));
  }

  @Test
  void watchesNamespacesBySelectorAndName() {
    var watch = cli.start("get", "ns", "-w", "-l", "team=x", "-o", "name");
    await().until(() -> plane.watches() == 1);
    apply(POD);
    apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: lab, labels: {team: x}}\n");
    awaitOut(watch, "namespace/lab\n");
    assertThat(watch.interrupt().code()).isZero();
    var one = cli.start("get", "ns", "default", "-w", "--no-headers");
    awaitOut(one, "default   Active   <unknown>\n");
    assertThat(one.interrupt().code()).isZero();
    assertThat(cli.run("get", "ns", "nobody", "-w").err())
        .isEqualTo("Error from server (NotFound): namespaces \"nobody\" not found\n");
  }
}
