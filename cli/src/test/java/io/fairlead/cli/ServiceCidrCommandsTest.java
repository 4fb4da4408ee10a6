package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServiceCidrCommandsTest {
  private static final String MORE =
      """
      apiVersion: networking.k8s.io/v1
      kind: ServiceCIDR
      metadata:
        name: more
      spec:
        cidrs:
        - 10.97.0.0/24
        - fd00:97::/112
      """;

  private LocalControlPlane plane;
  private CliFixture cli;

  @BeforeEach
  void begin() {
    plane = new LocalControlPlane("a");
    cli = new CliFixture(plane.address());
  }

  @AfterEach
  void end() {
    plane.close();
  }

  private void service(String name, String address) {
    var manifest =
        """
        apiVersion: v1
        kind: Service
        metadata:
          name: %s
          namespace: shop
        spec:
          clusterIP: %s
          ports:
          - port: 80
        """
            .formatted(name, address);
    assertThat(cli.runWith(manifest, Map.of(), "apply", "-f", "-").code()).isZero();
  }

  @Test
  void appliesShowsDescribesAndDeletesRanges() {
    assertThat(cli.runWith(MORE, Map.of(), "apply", "-f", "-").out())
        .isEqualTo("servicecidr/more created\n");
    assertThat(cli.runWith(MORE, Map.of(), "apply", "-f", "-").out())
        .isEqualTo("servicecidr/more unchanged\n");
    assertThat(cli.runWith(MORE, Map.of(), "create", "-f", "-").err())
        .contains("(AlreadyExists)", "servicecidrs \"more\" already exists");
    service("web", "10.97.0.9");
    assertThat(cli.run("get", "servicecidrs").out())
        .isEqualTo(
            """
            NAME      CIDRS                        READY   SIZE        STATIC-USED   STATIC-FREE   DYNAMIC-USED   DYNAMIC-FREE   AGE
            default   10.96.0.0/16                 True    65534       0             256           0              65278          45s
            more      10.97.0.0/24,fd00:97::/112   True    254,65535   1,0           15,256        0,0            238,65279      45s
            """);
    assertThat(cli.run("get", "servicecidr", "more", "-o", "yaml").out())
        .startsWith("apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\n")
        .contains("  cidrs:\n  - 10.97.0.0/24\n", "    type: Ready\n", "      free: \"15\"\n");
    assertThat(cli.run("describe", "servicecidr", "more").out())
        .contains(
            "Ready:                    True: addresses are given out\n",
            "  Static Band:            1 of 16 used, 15 free\n");
    assertThat(cli.run("delete", "servicecidr", "more", "--dry-run=server").out())
        .isEqualTo(
            "servicecidr/more terminating, until they are freed: 1 address is in use that no other ServiceCIDR covers (server dry run)\n");
    var deleted = cli.run("delete", "servicecidr", "more");
    assertThat(deleted.err()).isEmpty();
    assertThat(deleted.out())
        .isEqualTo(
            "servicecidr/more terminating, until they are freed: 1 address is in use that no other ServiceCIDR covers\n");
    assertThat(cli.run("get", "servicecidrs", "--no-headers").out()).contains("False/Terminating");
    assertThat(cli.run("delete", "svc", "web", "-n", "shop").code()).isZero();
    assertThat(cli.run("get", "servicecidr", "more").err()).contains("(NotFound)");
    assertThat(cli.run("log", "tail", "-n", "20").out()).contains("Terminating 10.97.0.0/24,fd00");
  }

  @Test
  void saysWhatIsWrongWithARange() {
    var faulty = MORE.replace("10.97.0.0/24", "10.97.0.1/24").replace("v1\nkind", "v1beta1\nkind");
    assertThat(cli.runWith(faulty, Map.of(), "apply", "-f", "-").err())
        .contains("apiVersion must be networking.k8s.io/v1");
    assertThat(
            cli.runWith(MORE.replace("10.97.0.0/24", "10.97.0.1/24"), Map.of(), "apply", "-f", "-")
                .err())
        .contains("The ServiceCIDR \"more\" is invalid: spec.cidrs[0]: Invalid value");
  }

  @Test
  void deletesANamespaceWithAllItHolds() {
    service("web", "10.96.0.9");
    service("db", "10.96.0.30");
    var pod =
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: web-1
          namespace: shop
        spec:
          nodeName: node-a
          containers:
          - name: web
            image: web:1
        status:
          podIP: 10.244.0.9
        """;
    assertThat(cli.runWith(pod, Map.of(), "apply", "-f", "-").code()).isZero();
    assertThat(cli.run("delete", "ns", "shop").err())
        .isEqualTo(
            "error: namespace \"shop\" holds 1 pod and 2 services: delete them first, or all of it with --cascade\n");
    assertThat(cli.run("get", "svc", "-n", "shop", "--no-headers").out().lines()).hasSize(2);
    var deleted = cli.run("delete", "ns", "shop", "--cascade");
    assertThat(deleted.err()).isEmpty();
    assertThat(deleted.out()).isEqualTo("namespace/shop deleted\n");
    assertThat(cli.run("get", "svc,po", "-n", "shop").out()).isEmpty();
    assertThat(cli.run("get", "allocations").out()).isEmpty();
  }

  @Test
  void listsAllocationsAndDescribesOne() {
    service("web", "10.96.0.9");
    service("db", "10.96.0.30");
    assertThat(cli.run("get", "allocations").out())
        .isEqualTo(
            """
            ADDRESS      OWNER      SINCE
            10.96.0.9    shop/web   45s
            10.96.0.30   shop/db    45s
            """);
    assertThat(cli.run("get", "ip", "--owner", "shop/db", "--no-headers", "-o", "wide").out())
        .startsWith("10.96.0.30   shop/db   45s");
    assertThat(cli.run("get", "allocations", "--owner", "lab").err())
        .isEqualTo("No resources found\n");
    assertThat(cli.run("get", "allocations", "--owner", "/db").err()).contains("--owner");
    assertThat(cli.run("get", "svc", "--owner", "shop").err()).contains("get allocations");
    assertThat(cli.run("get", "allocation", "10.96.0.9", "-o", "yaml").out())
        .startsWith("apiVersion: networking.k8s.io/v1\nkind: IPAddress\n")
        .contains("    name: web\n    namespace: shop\n    resource: services\n");
    assertThat(cli.run("describe", "allocation", "10.96.0.9").out())
        .contains(
            "Owner:                    service shop/web\n",
            "ServiceCIDRs:             default\n",
            "Claim in etcd:            service shop/web (the owner)\n",
            "Claim Revision:           41\n");
    assertThat(cli.run("describe", "allocation", "10.96.0.77").err()).contains("not found");
    assertThat(cli.run("replay", "--at", "0s", "ip", "--no-headers").out()).contains("shop/web");
  }
}
