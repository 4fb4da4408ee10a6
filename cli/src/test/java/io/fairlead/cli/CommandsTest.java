package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.api.Errors;
import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.runtime.BuildInfo;
import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class CommandsTest {
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: web
        labels: {app: web}
      spec:
        selector: {app: web}
        clusterIP: 10.96.0.20
        ports:
        - name: http
          port: 80
          targetPort: 8080
      """;
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

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @AfterEach
  void close() {
    plane.close();
  }

  private void openNode(String name) {
    plane.openNode(Node.newBuilder().setMetadata(ObjectMeta.newBuilder().setName(name)).build());
  }

  private Ran apply(String manifest, String... more) {
    var args = new java.util.ArrayList<>(List.of("apply", "-f", "-"));
    args.addAll(List.of(more));
    return cli.runWith(manifest, Map.of(), args.toArray(String[]::new));
  }

  @Test
  void appliesAndSaysWhatItDid() {
    openNode("node-a");
    assertThat(apply(WEB + "---\n" + POD))
        .isEqualTo(new Ran(0, "service/web created\npod/web-1 created\n", ""));
    assertThat(apply(WEB)).isEqualTo(new Ran(0, "service/web unchanged\n", ""));
    assertThat(apply(WEB.replace("8080", "8081")))
        .isEqualTo(new Ran(0, "service/web configured\n", ""));
  }

  @Test
  void getsWhatWasApplied() {
    apply(WEB + "---\n" + POD);
    assertThat(cli.run("get", "svc"))
        .isEqualTo(
            new Ran(
                0,
                """
                NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE
                web    ClusterIP   10.96.0.20   <none>        80/TCP    45s
                """,
                ""));
    assertThat(cli.run("get", "svc,po", "-A", "-o", "wide").out())
        .isEqualTo(
            """
            NAMESPACE   NAME          TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE   SELECTOR
            default     service/web   ClusterIP   10.96.0.20   <none>        80/TCP    45s   app=web

            NAMESPACE   NAME        READY   STATUS    RESTARTS   AGE   IP           NODE     NOMINATED NODE   READINESS GATES
            default     pod/web-1   1/1     Running   0          45s   10.244.0.7   node-a   <none>           <none>
            """);
    assertThat(cli.run("get", "pods", "-o", "name").out()).isEqualTo("pod/web-1\n");
    assertThat(cli.run("get", "svc", "--no-headers").out()).startsWith("web ").hasLineCount(1);
    assertThat(cli.run("get", "svc/web", "pod/web-1", "-o", "name").out())
        .isEqualTo("service/web\npod/web-1\n");
  }

  @Test
  void whatItGetsCanBeAppliedAgain() {
    apply(WEB);
    for (var form : List.of("yaml", "json")) {
      var shown = cli.run("get", "service", "web", "-o", form);
      assertThat(shown.out()).contains("web", "10.96.0.20", "round-robin");
      assertThat(apply(shown.out())).isEqualTo(new Ran(0, "service/web unchanged\n", ""));
      var list = cli.run("get", "svc", "-o", form);
      assertThat(list.out()).contains("List");
      assertThat(apply(list.out())).isEqualTo(new Ran(0, "service/web unchanged\n", ""));
    }
  }

  @Test
  void selectsByLabels() {
    apply(
        WEB
            + "---\n"
            + WEB.replace("name: web", "name: db")
                .replace("app: web", "app: db")
                .replace(".20", ".21"));
    assertThat(cli.run("get", "svc", "-l", "app in (db)", "-o", "name").out())
        .isEqualTo("service/db\n");
    var bad = cli.run("get", "svc", "-l", "app in");
    assertThat(bad.code()).isEqualTo(1);
    assertThat(bad.err())
        .startsWith("Error from server (Invalid): invalid request: labelSelector: ");
  }

  @Test
  void describesWithEndpoints() {
    apply(WEB + "---\n" + POD);
    assertThat(cli.run("describe", "svc", "web").out())
        .contains(
            "IP:                       10.96.0.20\n",
            "Endpoints:                10.244.0.7:8080\n");
    assertThat(cli.run("describe", "pod/web-1").out())
        .contains("Ready:                    True (running)\n");
  }

  @Test
  void showsNodes() {
    var node =
        Node.newBuilder().setZone("zone-1").addAddresses("192.0.2.1").setAgentVersion("0.1.0");
    node.getMetadataBuilder().setName("node-a").putLabels("rack", "7");
    plane.openNode(node.build());
    assertThat(cli.run("get", "nodes").out())
        .isEqualTo(
            """
            NAME     STATUS   ROLES    AGE   VERSION   LAG      LAST-ERROR
            node-a   Ready    <none>   45s   0.1.0     <none>   <none>
            """);
    assertThat(cli.run("get", "no", "-l", "rack=8").err()).isEqualTo("No resources found\n");
    assertThat(cli.run("describe", "node", "node-a").out())
        .contains("Addresses:                192.0.2.1\n");
    assertThat(cli.run("get", "node", "node-a", "-o", "json").out()).contains("\"kind\": \"Node\"");
  }

  @Test
  void deletes() {
    apply(WEB + "---\n" + POD);
    assertThat(cli.run("delete", "svc", "web")).isEqualTo(new Ran(0, "service/web deleted\n", ""));
    assertThat(cli.run("delete", "svc", "web"))
        .isEqualTo(new Ran(1, "", "Error from server (NotFound): services \"web\" not found\n"));
    assertThat(cli.run("delete", "svc", "web", "--ignore-not-found")).isEqualTo(new Ran(0, "", ""));
    assertThat(cli.run("delete", "pod/web-1", "--grace-period=30", "--wait=false").out())
        .isEqualTo("pod/web-1 deleted\n");
    assertThat(cli.run("get", "po").out()).contains("web-1   1/1     Terminating   0 ");
    assertThat(cli.runWith(POD, Map.of(), "delete", "-f", "-").out())
        .isEqualTo("pod/web-1 deleted\n");
    assertThat(cli.run("get", "po"))
        .isEqualTo(new Ran(0, "", "No resources found in default namespace.\n"));
  }

  @Test
  void namesTheHolderOfATakenAddress() {
    apply(WEB);
    var second = apply(WEB.replace("name: web", "name: other"));
    assertThat(second.code()).isEqualTo(1);
    assertThat(second.err())
        .isEqualTo(
            "The Service \"other\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.20\"]: failed to allocate IP "
                + "10.96.0.20: provided IP is already allocated to Service default/web\n");
  }

  @Test
  void listsAllFaultsOfAnObject() {
    var ran =
        apply(
            WEB.replace("port: 80\n", "port: 0\n")
                .replace("name: web\n", "name: Web_\n")
                .replace("ports:", "sessionAffinity: maybe\n  ports:"));
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err())
        .isEqualTo(
            """
            The Service "Web_" is invalid:
            * metadata.name: Invalid value: "Web_": must consist of lower case letters, digits and '-', and begin and end with a letter or digit
            * spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive
            * spec.sessionAffinity: Unsupported value: "maybe": supported values: "ClientIP", "None"
            """);
    assertThat(cli.run("get", "svc", "-A").err()).isEqualTo("No resources found\n");
  }

  @Test
  void goesOnAfterAnObjectThatWasRefused() {
    var ran = apply(WEB.replace("80\n", "0\n") + "---\n" + POD);
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.out()).isEqualTo("pod/web-1 created\n");
  }

  @Test
  void sendsNothingWhereAManifestHasFaults() {
    var ran =
        apply(
            POD
                + "---\n"
                + WEB.replace("targetPort", "targetport")
                + "---\nkind: Deployment\napiVersion: apps/v1\n");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err())
        .isEqualTo(
            """
            error: stdin:27: Deployment is not supported: nothing here makes Pods of a template; apply its Pods, \
            spec.template as kind: Pod, one for each replica
            The Service "web" is invalid: spec.ports[0].targetport: unknown field; did you mean targetPort? (stdin:25)
            error: nothing was sent, the manifests have faults
            """);
    assertThat(plane.requestIds).isEmpty();
  }

  @Test
  void readsFilesAndDirectories(@TempDir Path dir) throws IOException {
    Files.writeString(dir.resolve("b.yaml"), POD);
    Files.writeString(dir.resolve("a.yml"), WEB);
    Files.writeString(dir.resolve("notes.txt"), "no manifest");
    assertThat(cli.run("apply", "-f", dir.toString()).out())
        .isEqualTo("service/web created\npod/web-1 created\n");
    assertThat(
            cli.run(
                    "apply",
                    "-f",
                    dir.resolve("a.yml").toString(),
                    "-f",
                    dir.resolve("b.yaml").toString())
                .out())
        .isEqualTo("service/web unchanged\npod/web-1 unchanged\n");
    assertThat(cli.run("apply", "-f", dir.resolve("none.yaml").toString()).err())
        .isEqualTo("error: the path \"" + dir.resolve("none.yaml") + "\" does not exist\n");
    Files.createDirectory(dir.resolve("empty"));
    assertThat(cli.run("apply", "-f", dir.resolve("empty").toString()).err())
        .isEqualTo("error: no objects in " + dir.resolve("empty") + "\n");
  }

  @Test
  void warnsOfANodeThatIsNotThere() {
    var words =
        "there is no node \"node-a\": spec.nodeName is wrong, or its agent has not connected yet";
    assertThat(apply(POD))
        .isEqualTo(new Ran(0, "pod/web-1 created\n", "Warning: pod/web-1: " + words + "\n"));
    assertThat(cli.run("describe", "pod", "web-1").out())
        .contains("  PodScheduled:           False (NodeNotFound, " + words + ")\n");
    openNode("node-a"); // it may come later
    assertThat(apply(POD)).isEqualTo(new Ran(0, "pod/web-1 unchanged\n", ""));
    assertThat(cli.run("describe", "pod", "web-1").out()).doesNotContain("PodScheduled");
  }

  @Test
  void warnsOfFieldsWithoutEffect() {
    openNode("node-a");
    var pod = POD.replace("  nodeName", "  dnsPolicy: Default\n  volumes: []\n  nodeName");
    var other = POD.replace("  nodeName", "  priority: 7\n  nodeName");
    var ran =
        apply(
            pod
                + "---\n"
                + pod.replace("web-1", "web-2").replace("0.7", "0.8")
                + "---\n"
                + other.replace("web-1", "web-3").replace("0.7", "0.9"));
    assertThat(ran)
        .isEqualTo(
            new Ran(
                0,
                "pod/web-1 created\npod/web-2 created\npod/web-3 created\n",
                "Warning: fields that have no meaning here are ignored: "
                    + "spec.dnsPolicy, spec.volumes of pod/web-1, pod/web-2; spec.priority of pod/web-3\n"));
  }

  @Test
  void createsOnlyWhatIsNotThere() {
    assertThat(cli.runWith(WEB, Map.of(), "create", "-f", "-", "--dry-run=server").out())
        .isEqualTo("service/web created (server dry run)\n");
    assertThat(cli.runWith(WEB, Map.of(), "create", "-f", "-").out())
        .isEqualTo("service/web created\n");
    var again = cli.runWith(WEB, Map.of(), "create", "-f", "-");
    assertThat(again.code()).isEqualTo(1);
    assertThat(again.err())
        .isEqualTo(
            "Error from server (AlreadyExists): error with service/web (stdin:1): services \"web\" already exists\n");
  }

  @Test
  void showsEndpointSlices() {
    apply(WEB + "---\n" + POD);
    var rows = cli.run("get", "endpointslices").out().lines().toList();
    assertThat(rows).hasSize(2);
    assertThat(rows.getFirst()).matches("NAME +ADDRESSTYPE   PORTS   ENDPOINTS    AGE");
    assertThat(rows.getLast()).matches("web-[a-z2-7]{10}   IPv4          8080    10.244.0.7   45s");
    var name = cli.run("get", "eps", "-o", "name").out().strip();
    assertThat(name).startsWith("endpointslice.discovery.k8s.io/web-");
    assertThat(cli.run("get", "eps", "-l", "kubernetes.io/service-name=web", "-o", "json").out())
        .contains(
            "\"apiVersion\": \"discovery.k8s.io/v1\"",
            "\"kind\": \"EndpointSlice\"",
            "\"kind\": \"List\"");
    assertThat(cli.run("describe", name.replace("endpointslice.discovery.k8s.io", "eps")).out())
        .contains("Endpoints:\n  - Addresses:            10.244.0.7\n");
    assertThat(cli.run("delete", "eps", "--all"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(1))
        .satisfies(ran -> assertThat(ran.err()).contains("it is derived from the selector"));
  }

  private static final String DATABASE =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: database}
      spec:
        clusterIP: 10.96.0.30
        ports: [{port: 5432}]
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata:
        name: database-1
        labels: {kubernetes.io/service-name: database}
      addressType: IPv4
      ports: [{port: 5432}]
      endpoints:
        - addresses: [192.0.2.7]
          conditions: {ready: true}
          targetRef: {kind: Pod, name: x}
        - addresses: [192.0.2.8]
          conditions: {ready: false}
          nodeName: node-a
          zone: zone-a
          hints: {forZones: [{name: zone-a}]}
      """;

  @Test
  void writesShowsAndDeletesEndpointSlices() {
    assertThat(apply(DATABASE))
        .isEqualTo(
            new Ran(
                0,
                "service/database created\nendpointslice.discovery.k8s.io/database-1 created\n",
                "Warning: fields that have no meaning here are ignored: endpoints[0].targetRef of endpointslice/database-1\n"));
    assertThat(apply(DATABASE).out()).contains("database-1 unchanged");
    assertThat(cli.run("get", "eps").out())
        .isEqualTo(
            """
            NAME         ADDRESSTYPE   PORTS   ENDPOINTS             AGE
            database-1   IPv4          5432    192.0.2.7,192.0.2.8   45s
            """);
    var shown = cli.run("get", "eps", "database-1", "-o", "yaml").out();
    assertThat(shown)
        .contains("    ready: false\n    serving: true\n", "  zone: zone-a\n", "  uid: ");
    assertThat(apply(shown))
        .as("what is shown can be applied")
        .isEqualTo(new Ran(0, "endpointslice.discovery.k8s.io/database-1 unchanged\n", ""));
    var faulty = DATABASE.replace("192.0.2.8", "127.0.0.1");
    assertThat(apply(faulty).err())
        .contains("endpoints[1].addresses[0]: Invalid value: \"127.0.0.1\": is in the loopback");
    assertThat(create(DATABASE).err()).contains("already exists");
    assertThat(cli.runWith(DATABASE, Map.of(), "replace", "-f", "-").out())
        .contains("endpointslice.discovery.k8s.io/database-1 replaced");
    assertThat(cli.run("describe", "eps", "database-1").out()).doesNotContain("Unused");
    assertThat(cli.run("describe", "svc", "database").out())
        .containsPattern("Endpoints: +192.0.2.7:5432\nNot Ready: +192.0.2.8:5432\n");
    assertThat(cli.run("delete", "svc", "database").code()).isZero();
    assertThat(cli.run("describe", "eps", "database-1").out())
        .containsPattern("Unused: +there is no Service default/database\n");
    assertThat(cli.run("delete", "eps", "database-1", "--dry-run=server").out())
        .isEqualTo("endpointslice.discovery.k8s.io/database-1 deleted (server dry run)\n");
    assertThat(cli.run("delete", "eps", "database-1").out())
        .isEqualTo("endpointslice.discovery.k8s.io/database-1 deleted\n");
    assertThat(cli.run("get", "eps", "database-1").err()).contains("not found");
  }

  private Ran create(String manifest) {
    return cli.runWith(manifest, Map.of(), "create", "-f", "-");
  }

  @Test
  void aNamespaceIsThereWhileItHoldsAnEndpointSlice() {
    apply(DATABASE.substring(DATABASE.indexOf("---") + 4), "-n", "far");
    assertThat(cli.run("get", "ns", "far").code()).isZero();
    assertThat(cli.run("get", "ns", "-o", "name").out()).contains("namespace/far\n");
    assertThat(cli.run("delete", "ns", "far").err())
        .isEqualTo(
            "error: namespace \"far\" holds 1 endpointslice: delete them first, or all of it with --cascade\n");
    assertThat(cli.run("delete", "ns", "far", "--cascade"))
        .isEqualTo(new Ran(0, "namespace/far deleted\n", ""));
    assertThat(cli.run("get", "eps", "-n", "far").out()).isEmpty();
    assertThat(cli.run("get", "ns", "far").code()).isEqualTo(1);
  }

  @Test
  void showsMakesAndDeletesNamespaces() {
    var shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n";
    assertThat(apply(shop)).isEqualTo(new Ran(0, "namespace/shop created\n", ""));
    assertThat(apply(shop)).isEqualTo(new Ran(0, "namespace/shop unchanged\n", ""));
    apply(POD, "-n", "pods-only");
    apply(WEB);
    assertThat(cli.run("get", "ns").out())
        .isEqualTo(
            """
            NAME        STATUS   AGE
            default     Active   <unknown>
            pods-only   Active   <unknown>
            shop        Active   45s
            """);
    assertThat(cli.run("get", "ns", "-l", "team=a", "-o", "name").out())
        .isEqualTo("namespace/shop\n");
    assertThat(cli.run("get", "ns", "pods-only", "-o", "yaml").out())
        .isEqualTo(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: pods-only\nstatus:\n  phase: Active\n");
    assertThat(cli.run("describe", "ns", "shop").out())
        .contains("Labels:                   team=a\n");
    assertThat(cli.run("delete", "ns", "pods-only"))
        .isEqualTo(
            new Ran(
                1,
                "",
                "error: namespace \"pods-only\" holds 1 pod: delete them first, or all of it with --cascade\n"));
    assertThat(cli.runWith(shop, Map.of(), "delete", "-f", "-"))
        .isEqualTo(new Ran(0, "namespace/shop deleted\n", ""));
    assertThat(cli.run("delete", "ns", "shop"))
        .isEqualTo(new Ran(1, "", "Error from server (NotFound): namespaces \"shop\" not found\n"));
  }

  @Test
  void saysOfANamespaceThatItIsDeletedWhenNothingIsLeftOfIt() {
    var inShop = POD.replace("name: web-1\n", "name: web-1\n  namespace: shop\n");
    apply(inShop);
    var pending = cli.run("delete", "ns", "shop", "--cascade", "--grace-period=30", "--wait=false");
    assertThat(pending)
        .isEqualTo(
            new Ran(0, "namespace/shop terminating: there until it holds nothing: 1 pod\n", ""));
    assertThat(
            cli.withoutSleep()
                .run("delete", "ns", "shop", "--cascade", "--grace-period=1", "--timeout=10s"))
        .isEqualTo(
            new Ran(
                1,
                "",
                "error: timed out waiting for namespace/shop to be empty: it holds 1 pod, which did not end or came again\n"));
    int before = plane.requestIds.size();
    var waits = cli.start("delete", "ns", "shop", "--cascade", "--grace-period=30");
    await("the pod and the namespace are asked for")
        .until(() -> plane.requestIds.size() >= before + 2);
    assertThat(waits.out()).isEmpty();
    plane.ended("shop", "web-1");
    assertThat(waits.join()).isEqualTo(new Ran(0, "namespace/shop deleted\n", ""));
  }

  /** Exit code 2 says that nothing was done: one wrong target keeps all the others. */
  @Test
  void whatIsWrongAboutOneTargetIsSaidBeforeAnythingIsDone(@TempDir Path dir) throws IOException {
    var file = Files.writeString(dir.resolve("all.yaml"), WEB + "---\n" + POD);
    apply(WEB + "---\n" + POD);
    int before = plane.requestIds.size();
    var wrong =
        Map.of(
            List.of("delete", "pod/web-1", "ip/10.96.0.1"),
            "an address is freed with its Service",
            List.of("delete", "svc/web", "reservation/x"),
            "fairlead release ID",
            List.of("delete", "-f", file.toString(), "--dry-run=server"),
            "--dry-run=server is not for pods",
            List.of("release", "--force", "good", "svc/x"),
            "svc/x is no reservation",
            List.of("wait", "--for=condition=Ready", "pod/web-1", "svc/web"),
            "condition=Ready is of pods and nodes");
    wrong.forEach((command, words) -> {
      var ran = cli.run(command.toArray(String[]::new));
      assertThat(ran.code()).as("%s", command).isEqualTo(2);
      assertThat(ran.err()).startsWith("error: ").contains(words);
      assertThat(ran.out()).as("%s", command).isEmpty();
    });
    assertThat(plane.requestIds).hasSize(before);
  }

  @Test
  void anEmptyNamespaceOptionIsAsIfItWereNotGiven() {
    apply(WEB, "-n", "");
    assertThat(cli.run("get", "svc", "-o", "name", "-n", ""))
        .isEqualTo(cli.run("get", "svc", "-o", "name"));
    assertThat(cli.run("get", "svc", "-o", "name", "-n", "default").out())
        .isEqualTo("service/web\n");
  }

  @Test
  void podsAreNotCreatedAndTheirFilesAreNamed(@TempDir Path dir) throws IOException {
    var file = Files.writeString(dir.resolve("all.yaml"), WEB + "---\n" + POD);
    for (var verb : List.of("create", "replace")) {
      assertThat(cli.run(verb, "-f", file.toString()))
          .isEqualTo(
              new Ran(
                  1,
                  "",
                  """
                  error with pod/web-1 (%s:14): Pods are not %sd but applied: fairlead apply -f, or leave the file in the directory of manifests of its node's agent
                  error: nothing was sent
                  """
                      .formatted(file, verb)));
    }
    assertThat(plane.requestIds).isEmpty();
    assertThat(cli.run("apply", "-f", file.toString(), "--dry-run=server").err())
        .isEqualTo(
            "error with pod/web-1 (%s:14): --dry-run=server is not for pods\n".formatted(file));
  }

  @Test
  void createsANamespaceByItsName() {
    assertThat(cli.run("create", "namespace", "shop"))
        .isEqualTo(new Ran(0, "namespace/shop created\n", ""));
    assertThat(cli.run("create", "ns", "shop"))
        .isEqualTo(
            new Ran(
                1, "", "Error from server (AlreadyExists): namespaces \"shop\" already exists\n"));
    assertThat(cli.run("create", "service", "x").err())
        .startsWith("error: only namespaces are created by name");
    assertThat(cli.run("create").err()).startsWith("error: name what to create");
  }

  @Test
  void showsLabels() {
    apply(WEB);
    assertThat(cli.run("get", "svc", "--show-labels").out())
        .isEqualTo(
            """
            NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)   AGE   LABELS
            web    ClusterIP   10.96.0.20   <none>        80/TCP    45s   app=web
            """);
  }

  @Test
  void printsTheVariablesOfANamespace() {
    apply(WEB, "-n", "shop");
    assertThat(cli.run("env", "-n", "shop"))
        .isEqualTo(
            new Ran(
                0,
                """
                WEB_SERVICE_HOST=10.96.0.20
                WEB_SERVICE_PORT=80
                WEB_SERVICE_PORT_HTTP=80
                WEB_PORT=tcp://10.96.0.20:80
                WEB_PORT_80_TCP=tcp://10.96.0.20:80
                WEB_PORT_80_TCP_PROTO=tcp
                WEB_PORT_80_TCP_PORT=80
                WEB_PORT_80_TCP_ADDR=10.96.0.20
                """,
                ""));
    assertThat(cli.run("env", "-n", "shop", "-o", "shell").out())
        .startsWith("export WEB_SERVICE_HOST='10.96.0.20'\nexport WEB_SERVICE_PORT='80'\n");
    assertThat(cli.run("env", "-n", "shop", "-o", "json").out())
        .startsWith("{\n    \"WEB_SERVICE_HOST\": \"10.96.0.20\",\n");
    assertThat(cli.run("env", "-n", "shop", "-o", "toml"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(2))
        .satisfies(ran -> assertThat(ran.err()).contains("plain", "shell", "dotenv", "json"));
    assertThat(cli.run("env")).isEqualTo(new Ran(0, "", ""));
    assertThat(cli.run("env", "-n", "shop", "--no-service-links").out()).isEmpty();
  }

  @Test
  void getsAllAndSaysWhereThereIsNothing() {
    assertThat(cli.run("get", "all"))
        .isEqualTo(new Ran(0, "", "No resources found in default namespace.\n"));
    apply(POD + "---\n" + WEB);
    assertThat(cli.run("get", "all,ns", "-o", "name").out())
        .isEqualTo("pod/web-1\nservice/web\nnamespace/default\n");
    assertThat(cli.run("get", "Pods", "-n", "shop").err())
        .isEqualTo("No resources found in shop namespace.\n");
    assertThat(cli.run("describe", "po", "-n", "shop").err())
        .isEqualTo("No resources found in shop namespace.\n");
    assertThat(cli.run("get", "po", "web-1", "nobody"))
        .isEqualTo(
            new Ran(
                1,
                """
                NAME    READY   STATUS    RESTARTS   AGE
                web-1   1/1     Running   0          45s
                """,
                "Error from server (NotFound): pods \"nobody\" not found\n"));
    assertThat(cli.run("get", "po", "-n", "shop", "-o", "json").out())
        .isEqualTo(
            """
            {
                "apiVersion": "v1",
                "items": [],
                "kind": "List",
                "metadata": {
                    "resourceVersion": ""
                }
            }
            """);
  }

  @Test
  void keepsToTheNamespaceThatIsGiven() {
    assertThat(apply(WEB, "-n", "shop").code()).isZero();
    assertThat(
            cli.runWith("", Map.of("FAIRLEAD_NAMESPACE", "shop"), "get", "svc", "-o", "name").out())
        .isEqualTo("service/web\n");
    assertThat(cli.run("-n", "shop", "get", "svc", "-o", "name").out()).isEqualTo("service/web\n");
    var foreign = apply(WEB.replace("name: web", "name: web\n  namespace: a"), "-n", "b");
    assertThat(foreign.code()).isEqualTo(1);
    assertThat(foreign.err())
        .contains(
            "the namespace from the provided object \"a\" does not match the namespace \"b\"");
  }

  @Test
  void triesAgainWithTheSameRequestId() {
    plane.failNext(2, () -> new GatewayException(Outcome.UNKNOWN, "commit timed out"));
    assertThat(apply(WEB)).isEqualTo(new Ran(0, "service/web created\n", ""));
    assertThat(plane.requestIds).hasSize(3);
    assertThat(new HashSet<>(plane.requestIds)).hasSize(1);
  }

  @Test
  void givesUpWhenTheTimeIsUp() {
    plane.failNext(1_000, () -> Errors.notSynced("reading the log"));
    var ran = apply(WEB, "--timeout=3s");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err())
        .isEqualTo(
            "Error from server (ServiceUnavailable): error with service/web (stdin:1): reading the log\n");
  }

  @Test
  void doesNotRepeatARefusal() {
    plane.failNext(5, () -> Errors.requestIdReused("x"));
    assertThat(apply(WEB).code()).isEqualTo(1);
    assertThat(plane.requestIds).hasSize(1);
  }

  @Test
  void saysWhatItCannotReach() {
    var ran = cli.run("get", "svc", "--allocator=127.0.0.1:1", "--timeout=3s");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err())
        .startsWith("Unable to connect to the server at 127.0.0.1:1: ")
        .containsIgnoringCase("connection refused");
  }

  @Test
  void takesTheReplicaThatAnswers() {
    apply(WEB);
    assertThat(
            cli.run("get", "svc", "-o", "name", "--allocator=127.0.0.1:1," + plane.address()).out())
        .isEqualTo("service/web\n");
  }

  /** What is wrong, one line of usage, and where to see the rest; no more. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      value = {
        "get # missing required parameter: 'TYPE[/NAME]' # get [options] TYPE[/NAME]...",
        "get svc --allocator=x # invalid value for option '--allocator': # get [options] TYPE[/NAME]...",
        "get svc --timeout=5 # invalid value for option '--timeout': # get [options] TYPE[/NAME]...",
        "get svc --outptu=yaml # unknown option --outptu; did you mean --output? # get [options] TYPE[/NAME]...",
        "get svc --sort-by=x # unknown option --sort-by # get [options] TYPE[/NAME]...",
        "apply # missing required option: '--filename=file' # apply --filename=file [options]",
        "wait pod x # missing required option: '--for= # wait --for=condition=Ready[=False]|create|delete [options] TYPE[/NAME]...",
        "log status x # unexpected argument \"x\" # log status [options]",
        "log web # there is no command \"web\" # log [options] COMMAND",
        "get svc -o xml # invalid value for option '--output': one of table, wide, yaml, json, name, not 'xml' # get [options] TYPE[/NAME]...",
        "get things # the server doesn't have a resource type \"things\" # get [options] TYPE[/NAME]...",
        "get svc/web po # there is no need to specify a resource type # get [options] TYPE[/NAME]...",
        "get svc web -A # a resource cannot be retrieved by name across all # get [options] TYPE[/NAME]...",
        "get svc web -l a=b # name cannot be provided when a selector is # get [options] TYPE[/NAME]...",
        "get svc -n Shop_1 # --namespace: the namespace \"Shop_1\" must consist of lower case letters, digits and '-', and # get [options] TYPE[/NAME]...",
        "delete svc # resource(s) were provided, but no name was specified: services # delete [options] [TYPE[/NAME]...]",
        "delete # name what to delete, either TYPE and NAME or by -f # delete [options] [TYPE[/NAME]...]",
        "wait --for=condition=Ready svc web # condition=Ready is of pods and nodes # wait --for=condition=Ready[=False]|create|delete [options] TYPE[/NAME]...",
        "exec web-1 ls # exec POD COMMAND is not supported. # exec [options] POD [-- COMMAND]",
        "help frobnicate # fairlead has no command \"frobnicate\" # help [options] [COMMAND...]",
      })
  void refusesWrongUseWithExitCodeTwo(String line, String words, String usage) {
    apply(WEB);
    var ran = cli.run(line.split(" "));
    assertThat(ran.code()).isEqualTo(2);
    var said = ran.err().lines().toList();
    assertThat(said).hasSize(3);
    assertThat(said.getFirst()).startsWith("error: " + words);
    assertThat(said.get(1)).isEqualTo("Usage: fairlead " + usage);
    assertThat(said.get(2))
        .isEqualTo("See fairlead " + usage.replaceFirst(" (--|\\[).*", "") + " --help");
    assertThat(ran.out()).isEmpty();
  }

  @Test
  void aNamespaceOfTheEnvironmentIsCheckedToo() {
    var ran = cli.runWith("", Map.of("FAIRLEAD_NAMESPACE", "a.b"), "get", "svc");
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err()).startsWith("error: FAIRLEAD_NAMESPACE: the namespace \"a.b\" must ");
    assertThat(cli.runWith("", Map.of("FAIRLEAD_NAMESPACE", ""), "get", "svc").code()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "explain svc | : docs/services.md, ",
        "patch svc web -p x | : fairlead get TYPE NAME -o yaml > FILE, change it, then fairlead apply -f FILE",
        "edit svc web | : fairlead get TYPE NAME -o yaml",
        "rollout restart x | : there are no Deployments here: apply the new Pods",
        "scale --replicas=3 x | : there are no Deployments here: apply a Pod for each",
        "expose pod x | : write a Service whose selector",
        "port-forward x 80 | : addresses of Services and Pods are reached from the nodes: ",
        "run x --image=y | : write a Pod with spec.nodeName and fairlead apply",
        "cp x y | : fairlead exec -i POD",
        "top pods | : containers are processes of their node",
        "gte svc | ; did you mean get?",
        "aply -f x | ; did you mean apply?",
        "describr svc | ; did you mean describe?",
        "frobnicate | -",
        "xx | -",
        "bunch | -",
      })
  void ofUnknownCommandsItSaysWhatToUseOrNothing(String line, String instead) {
    var words = line.split(" ");
    var ran = cli.run(words);
    assertThat(ran.code()).isEqualTo(2);
    var first = ran.err().lines().findFirst().orElseThrow();
    var begin = "error: there is no command \"" + words[0] + "\"";
    if (instead == null) {
      assertThat(first).isEqualTo(begin);
    } else {
      assertThat(first).startsWith(begin + instead);
    }
    assertThat(ran.err()).hasLineCount(3);
  }

  @Test
  void withoutACommandItShowsWhichThereAre() {
    var ran = cli.run();
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err()).contains("Usage: fairlead", "  apply ", "  wait ");
    assertThat(cli.run("log").err()).contains("tail", "status", "export");
    assertThat(cli.run("help").out()).isEqualTo(cli.run("--help").out());
    assertThat(cli.run("help", "log", "tail").out()).contains("Usage: fairlead log tail");
  }

  @Test
  void deletesNodesThatAreLostAndNoOthers() {
    for (var name : List.of("node-a", "node-b", "node-c")) {
      plane.openNode(
          Node.newBuilder()
              .setMetadata(ObjectMeta.newBuilder().setName(name))
              .addAddresses("192.0.2.1")
              .build());
    }
    plane.loseNode("node-b");
    plane.loseNode("node-c");
    var tried = cli.run("delete", "node", "node-b", "--dry-run=server");
    assertThat(tried.out()).isEqualTo("node/node-b deleted (server dry run)\n");
    var ran = cli.run("delete", "node", "node-a", "node-b", "node-d", "node-c");
    assertThat(ran.out()).isEqualTo("node/node-b deleted\nnode/node-c deleted\n");
    assertThat(ran.err())
        .contains("(FailedPrecondition): nodes \"node-a\": it is not lost yet")
        .contains("(NotFound): nodes \"node-d\" not found");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(cli.run("get", "nodes", "-o", "name").out()).isEqualTo("node/node-a\n");
    var gone = cli.run("delete", "node/node-b", "--ignore-not-found");
    assertThat(gone.err()).isEmpty();
    assertThat(gone.code()).isZero();
  }

  @Test
  void comparesTheReplicasOfTheLog() {
    try (var other = new LocalControlPlane("replica-2")) {
      var both = new CliFixture(plane.address(), other.address());
      apply(WEB);
      new CliFixture(other.address()).runWith(WEB, Map.of(), "apply", "-f", "-");
      var equal = both.run("log", "status");
      assertThat(equal.err()).isEmpty();
      assertThat(equal.code()).isZero();
      assertThat(equal.out())
          .startsWith("PARTITION   NEXT   OBJECTS   DIGEST")
          .contains("replica-1   replica-1,replica-2\n")
          .hasLineCount(2);
      other.corrupt("default", "web");
      var differs = both.run("log", "status", "--wait");
      assertThat(differs.code()).isEqualTo(1);
      assertThat(differs.err())
          .isEqualTo("Fault: s of replica-2 differs at s:2 from what another replica has\n");
      assertThat(differs.out()).hasLineCount(3);
    }
  }

  @Test
  void namesReplicasOfTheLogThatDoNotAnswer() {
    var ran = cli.run("log", "status", "--endpoints=127.0.0.1:1", "--timeout=3s");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err()).startsWith("Unable to connect to the server at 127.0.0.1:1: ");
    assertThat(ran.out()).contains("replica-1");
  }

  @Test
  void printsVersionHelpAndCompletion() {
    assertThat(cli.run("version").out()).isEqualTo("Client Version: " + BuildInfo.version() + "\n");
    assertThat(cli.run("--help").out())
        .contains("Usage: fairlead", "apply", "--allocator", "Exit codes:", "wrong usage");
    assertThat(cli.run("get", "--help").out()).contains("--selector", "--namespace");
    assertThat(cli.run("get", "--help").out()).contains("  2   wrong usage");
    assertThat(cli.run("drain", "--help").out())
        .contains("  0   SAFE", "  2   wrong usage", "  5   NOT_SAFE")
        .doesNotContain("  0   done");
    assertThat(cli.run("exec", "--help").out()).contains("  N   the program's");
    assertThat(cli.run("completion", "bash").out()).contains("complete -F", "fairlead");
    assertThat(cli.run("completion", "zsh").out()).startsWith("autoload -Uz compinit");
  }
}
