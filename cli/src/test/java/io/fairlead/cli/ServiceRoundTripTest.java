package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.cli.CliFixture.Ran;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a Service says: what {@code get} shows of it is the same Service. */
@Timeout(120)
class ServiceRoundTripTest {
  private static final int SERVICES = 150;
  private static final String SECOND_FAMILY =
      """
      apiVersion: networking.k8s.io/v1
      kind: ServiceCIDR
      metadata: {name: six}
      spec: {cidrs: ["fd00:10:96::/112"]}
      """;

  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  @BeforeEach
  void becomeDualStack() {
    assertThat(with(SECOND_FAMILY, "apply").code()).isZero();
  }

  @AfterEach
  void close() {
    plane.close();
  }

  private Ran with(String manifest, String verb) {
    return cli.runWith(manifest, Map.of(), verb, "-f", "-");
  }

  @Test
  void whatIsShownIsAcceptedBackAndChangesNothing() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    var kinds = new HashSet<String>();
    for (int i = 0; i < SERVICES; i++) {
      var name = "s" + i;
      var manifest = new Manifest(random).text(name);
      var why = "seed " + seed + ":\n" + manifest;
      assertThat(with(manifest, "apply"))
          .as(why)
          .isEqualTo(new Ran(0, "service/" + name + " created\n", ""));
      assertThat(with(manifest, "apply").out())
          .as(why)
          .isEqualTo("service/" + name + " unchanged\n");
      for (var format : List.of("yaml", "json")) {
        var shown = cli.run("get", "svc", name, "-o", format).out();
        assertThat(with(shown, "apply"))
            .as("%s\n%s", why, shown)
            .isEqualTo(new Ran(0, "service/" + name + " unchanged\n", ""));
        assertThat(with(shown, "replace").code()).as(why).isZero();
        assertThat(cli.run("get", "svc", name, "-o", format).out()).as(why).isEqualTo(shown);
      }
      var described = cli.run("describe", "svc", name).out();
      for (var field :
          Map.of(
                  "appProtocol: kubernetes.io/h2c", "App Protocol: +kubernetes.io/h2c",
                  "publishNotReadyAddresses: true", "Publish Not Ready: +true",
                  "internalTrafficPolicy: Local", "Internal Traffic Policy: +Local",
                  "trafficDistribution: PreferSameNode", "Traffic Distribution: +PreferSameNode",
                  "sessionAffinity: ClientIP", "Session Affinity Timeout: +[0-9]+s",
                  "protocol: SCTP", "Port: .*/SCTP")
              .entrySet()) {
        if (cli.run("get", "svc", name, "-o", "yaml").out().contains(field.getKey())) {
          assertThat(described).as(why).containsPattern(field.getValue());
        }
      }
      kinds.add(cli.run("get", "svc", name, "--no-headers").out().split(" +", 4)[1]);
    }
    assertThat(kinds).contains("ClusterIP", "ExternalName");
  }

  /** Every field with some chance, in every combination that is allowed. */
  private record Manifest(RandomGenerator random) {
    private boolean chance(int percent) {
      return random.nextInt(100) < percent;
    }

    private String one(String... values) {
      return values[random.nextInt(values.length)];
    }

    String text(String name) {
      var spec = new ArrayList<String>();
      boolean external = chance(15);
      boolean headless = !external && chance(25);
      if (external) {
        spec.add("type: ExternalName");
        spec.add("externalName: " + one("db.example.com", "db.example.com.", "a"));
      } else {
        if (chance(30)) {
          spec.add("type: ClusterIP");
        }
        if (headless) {
          spec.add("clusterIP: None");
        }
        families(spec);
      }
      if (chance(75)) {
        spec.add("selector: {app: " + one("web", "\"7\"", "\"true\"") + ", tier: b}");
      }
      if (!(headless || external) || chance(50)) {
        spec.add("ports:");
        int ports = 1 + random.nextInt(4);
        IntStream.range(0, ports).forEach(i -> port(spec, i, ports));
      }
      if (chance(40)) {
        spec.add("sessionAffinity: ClientIP");
        if (chance(50)) {
          int seconds = 1 + random.nextInt(86_400);
          spec.add("sessionAffinityConfig: {clientIP: {timeoutSeconds: " + seconds + "}}");
        }
      }
      if (chance(30)) {
        spec.add("internalTrafficPolicy: " + one("Local", "Cluster"));
      }
      if (chance(30)) {
        spec.add("trafficDistribution: " + one("PreferClose", "PreferSameZone", "PreferSameNode"));
      }
      if (chance(30)) {
        spec.add("publishNotReadyAddresses: " + one("true", "false"));
      }
      var meta = new ArrayList<String>();
      meta.add("name: " + name);
      if (chance(40)) {
        meta.add("labels: {example.com/a: \"\", b: " + one("c", "\"1\"") + "}");
      }
      if (chance(40)) {
        meta.add("annotations: {example.com/n: " + one("\"a: b\"", "\"ü # \"", "\"\"") + "}");
      }
      return "apiVersion: v1\nkind: Service\nmetadata:\n  "
          + String.join("\n  ", meta)
          + "\nspec:\n  "
          + String.join("\n  ", spec)
          + "\n";
    }

    private void families(List<String> spec) {
      switch (random.nextInt(6)) {
        case 0 -> spec.add("ipFamilyPolicy: SingleStack");
        case 1 -> spec.add("ipFamilyPolicy: PreferDualStack");
        case 2 -> spec.add("ipFamilyPolicy: RequireDualStack");
        case 3 -> {
          spec.add("ipFamilyPolicy: " + one("PreferDualStack", "RequireDualStack"));
          spec.add("ipFamilies: [IPv6, IPv4]");
        }
        case 4 -> {
          spec.add("ipFamilyPolicy: SingleStack");
          spec.add("ipFamilies: [" + one("IPv6", "IPv4") + "]");
        }
        default -> {}
      }
    }

    private void port(List<String> spec, int index, int of) {
      spec.add("- port: " + (80 + index));
      if (of > 1 || chance(50)) {
        spec.add("  name: p" + index);
      }
      if (chance(50)) {
        spec.add("  protocol: " + one("TCP", "UDP", "SCTP"));
      }
      if (chance(60)) {
        spec.add("  targetPort: " + one("8080", "http", "\"8080\"", "65535"));
      }
      if (chance(30)) {
        spec.add("  appProtocol: " + one("http", "kubernetes.io/h2c"));
      }
    }
  }
}
