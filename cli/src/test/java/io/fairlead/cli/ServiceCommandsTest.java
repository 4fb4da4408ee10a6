package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.cli.CliFixture.Ran;
import io.fairlead.runtime.HostPort;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Replacing, trying, selecting by fields, lists in pages, watches that outlive a replica. */
@Timeout(60)
class ServiceCommandsTest {
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web, labels: {tier: b}}
      spec: {clusterIP: 10.96.0.20, ports: [{port: 80}], selector: {app: web}}
      """;
  private static final String DB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: db}
      spec: {type: ExternalName, externalName: db.example.com}
      """;
  private static final String LAB =
      """
      apiVersion: v1
      kind: Namespace
      metadata: {name: lab, labels: {team: x}}
      """;

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final HostPort first = plane.address();
  private final CliFixture cli = new CliFixture(first, plane.serveAgain());

  @AfterEach
  void close() {
    plane.close();
  }

  private Ran with(String manifest, String... args) {
    var all = new ArrayList<>(Arrays.asList(args));
    all.addAll(List.of("-f", "-"));
    return cli.runWith(manifest, Map.of(), all.toArray(String[]::new));
  }

  @Test
  void replacesWhatExistsAsAWhole() {
    assertThat(with(WEB, "replace"))
        .isEqualTo(
            new Ran(
                1,
                "",
                "Error from server (NotFound): error with service/web (stdin:1): services \"web\" not found\n"));
    assertThat(with(WEB, "create").code()).isZero();
    var changed = WEB.replace(", labels: {tier: b}", "").replace("clusterIP: 10.96.0.20, ", "");
    assertThat(with(changed, "replace", "--dry-run=server"))
        .isEqualTo(new Ran(0, "service/web replaced (server dry run)\n", ""));
    assertThat(cli.run("get", "svc", "web", "-o", "yaml").out()).contains("tier: b");
    assertThat(with(changed, "replace")).isEqualTo(new Ran(0, "service/web replaced\n", ""));
    assertThat(cli.run("get", "svc", "web", "-o", "yaml").out())
        .contains("clusterIP: 10.96.0.20")
        .doesNotContain("tier: b");
    var stale = changed.replace("{name: web}", "{name: web, resourceVersion: \"1\"}");
    var refused = with(stale, "replace");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("Error from server (Conflict): ")
        .contains("metadata.resourceVersion is");
  }

  @Test
  void replacesNamespacesThatExist() {
    assertThat(with(LAB, "replace").err()).startsWith("Error from server (NotFound): ");
    assertThat(with(LAB, "create").code()).isZero();
    assertThat(with(LAB.replace("team: x", "team: y"), "replace"))
        .isEqualTo(new Ran(0, "namespace/lab replaced\n", ""));
    assertThat(cli.run("get", "ns", "-l", "team=y", "-o", "name").out())
        .isEqualTo("namespace/lab\n");
  }

  @Test
  void triesADeletion() {
    assertThat(with(WEB + "---\n" + LAB, "create").code()).isZero();
    assertThat(cli.run("delete", "svc", "web", "--dry-run=server"))
        .isEqualTo(new Ran(0, "service/web deleted (server dry run)\n", ""));
    assertThat(cli.run("delete", "svc", "none", "--dry-run=server").code()).isEqualTo(1);
    assertThat(cli.run("delete", "ns", "lab", "--dry-run=server").out())
        .isEqualTo("namespace/lab deleted (server dry run)\n");
    assertThat(cli.run("delete", "ns", "default", "--dry-run=server").code()).isEqualTo(1);
    assertThat(cli.run("delete", "ns", "default", "--cascade", "--dry-run=server").out())
        .isEqualTo("namespace/default deleted (server dry run)\n");
    assertThat(cli.run("delete", "servicecidr", "default", "--dry-run=server").code()).isZero();
    assertThat(cli.run("get", "svc", "-o", "name").out()).isEqualTo("service/web\n");
    assertThat(cli.run("get", "ns", "-o", "name").out())
        .isEqualTo("namespace/default\nnamespace/lab\n");
    assertThat(cli.run("get", "servicecidr", "-o", "name").out())
        .isEqualTo("servicecidr/default\n");
    assertThat(cli.run("delete", "pod", "web-1", "--dry-run=server").err())
        .startsWith("error: --dry-run=server is not for pods\n");
  }

  @Test
  void saysWhichNameWasGenerated() {
    var generated =
        WEB.replace("name: web", "generateName: web-").replace("clusterIP: 10.96.0.20, ", "");
    var ran = with(generated, "create");
    assertThat(ran.err()).isEmpty();
    assertThat(ran.out()).matches("service/web-[a-z0-9]{5} created\n");
    assertThat(with(generated, "create").out()).isNotEqualTo(ran.out());
    assertThat(with(generated, "apply").code()).isEqualTo(1);
  }

  @Test
  void selectsByFields() {
    assertThat(with(WEB + "---\n" + DB, "create").code()).isZero();
    assertThat(cli.run("get", "svc", "--field-selector", "spec.type=ExternalName", "-o", "name"))
        .isEqualTo(new Ran(0, "service/db\n", ""));
    assertThat(cli.run("get", "svc", "--field-selector=metadata.name!=db", "-o", "name").out())
        .isEqualTo("service/web\n");
    var unknown = cli.run("get", "svc", "--field-selector=spec.ports=80");
    assertThat(unknown.code()).isEqualTo(1);
    assertThat(unknown.err()).contains("is not a known field selector: supported are");
    assertThat(cli.run("get", "pods", "--field-selector=metadata.name=x").err())
        .startsWith("error: --field-selector is for services, namespaces and servicecidrs");
    assertThat(cli.run("get", "svc", "web", "--field-selector=metadata.name=web").err())
        .startsWith("error: name cannot be provided when a selector is specified\n");
  }

  @Test
  void listsInPagesOfOneMoment() {
    for (int i = 0; i < 5; i++) {
      var name = "web-" + i;
      assertThat(with(DB.replace("name: db", "name: " + name), "create").code()).isZero();
    }
    var all = cli.run("get", "svc", "-o", "name").out();
    assertThat(plane.pages()).isEqualTo(1);
    assertThat(cli.run("get", "svc", "-o", "name", "--chunk-size=2").out()).isEqualTo(all);
    assertThat(plane.pages()).isEqualTo(4);
    assertThat(cli.run("get", "svc", "-o", "name", "--chunk-size=0").out()).isEqualTo(all);
    assertThat(plane.pages()).isEqualTo(5);
    assertThat(cli.run("get", "svc", "--chunk-size=-1").err())
        .startsWith("error: --chunk-size must not be negative\n");
  }

  @Test
  void listsOnceMoreWhereTheMomentOfThePagesIsForgotten() {
    assertThat(with(WEB + "---\n" + DB, "create").code()).isZero();
    plane.forgetAfterAPage();
    assertThat(cli.run("get", "svc", "-o", "name", "--chunk-size=1"))
        .isEqualTo(new Ran(0, "service/db\nservice/web\n", ""));
    assertThat(plane.pages()).isEqualTo(3); // the first page of two, and then both
  }

  @Test
  void aWatchIsResumedAtAnotherReplicaWhereItWas() {
    assertThat(with(WEB, "create").code()).isZero();
    var watch = cli.start("get", "svc", "-w", "-o", "name");
    await().until(() -> watch.out().equals("service/web\n"));
    plane.kill(first);
    await().until(() -> plane.watches() == 2);
    assertThat(with(DB, "create").code()).isZero();
    await().until(() -> watch.out().equals("service/web\nservice/db\n"));
    assertThat(plane.beginnings()).as("told from the beginning").isEqualTo(1);
    assertThat(cli.run("delete", "svc", "web").code()).isZero();
    await().until(() -> watch.out().equals("service/web\nservice/db\nservice/web\n"));
    assertThat(watch.interrupt().code()).isZero();
  }

  @Test
  void aWatchBeginsAgainWhereWhatHappenedIsForgottenAndTellsWhatDiffers() {
    assertThat(with(WEB, "create").code()).isZero();
    var watch = cli.start("get", "svc", "-w", "-o", "name");
    await().until(() -> watch.out().equals("service/web\n"));
    plane.forgetThePast();
    plane.kill(first);
    await().until(() -> plane.beginnings() == 2);
    assertThat(with(DB, "create").code()).isZero();
    await().until(() -> watch.out().equals("service/web\nservice/db\n"));
    assertThat(watch.interrupt().code()).isZero();
  }
}
