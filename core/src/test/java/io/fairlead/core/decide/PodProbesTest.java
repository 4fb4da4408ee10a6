package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestPod.container;
import static io.fairlead.core.decide.TestPod.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.PodDraft.ContainerPortDraft;
import io.fairlead.core.decide.PodDraft.ExecDraft;
import io.fairlead.core.decide.PodDraft.GrpcDraft;
import io.fairlead.core.decide.PodDraft.HttpGetDraft;
import io.fairlead.core.decide.PodDraft.ProbeDraft;
import io.fairlead.core.decide.PodDraft.TcpSocketDraft;
import io.fairlead.core.model.Pod;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What of probes, gates and init containers is taken, and what is refused. */
@Timeout(60)
final class PodProbesTest {
  private static final String READINESS = "spec.containers[0].readinessProbe";
  private static final String STARTUP = "spec.containers[0].startupProbe";

  record Case(String name, TestPod draft, List<String> faults) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A probe with one of the actions, and what else is not a default. */
  private static final class Draft {
    private Optional<HttpGetDraft> http = Optional.empty();
    private Optional<TcpSocketDraft> tcp = Optional.empty();
    private Optional<ExecDraft> exec = Optional.empty();
    private Optional<GrpcDraft> grpc = Optional.empty();
    private OptionalInt success = OptionalInt.empty();
    private OptionalLong grace = OptionalLong.empty();

    Draft http(Pod.HttpHeader... headers) {
      http = Optional.of(new HttpGetDraft("", "", "80", "", List.of(headers)));
      return this;
    }

    Draft tcp() {
      tcp = Optional.of(new TcpSocketDraft("", "80"));
      return this;
    }

    Draft exec(String... command) {
      exec = Optional.of(new ExecDraft(List.of(command)));
      return this;
    }

    Draft grpc(int port) {
      grpc = Optional.of(new GrpcDraft(port, "shop.Web"));
      return this;
    }

    Draft success(int threshold) {
      success = OptionalInt.of(threshold);
      return this;
    }

    Draft grace(long seconds) {
      grace = OptionalLong.of(seconds);
      return this;
    }

    ProbeDraft probe() {
      var none = OptionalInt.empty();
      return new ProbeDraft(http, tcp, none, none, none, success, none, exec, grpc, grace);
    }
  }

  private static Draft draft() {
    return new Draft();
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case("exec", pod("web").probe(draft().exec("cat", "/ok").probe()), List.of()),
        new Case(
            "exec without a command",
            pod("web").probe(draft().exec().probe()),
            List.of(READINESS + ".exec.command Required")),
        new Case("grpc", pod("web").probe(draft().grpc(9000).probe()), List.of()),
        new Case(
            "grpc without a port",
            pod("web").probe(draft().grpc(0).probe()),
            List.of(READINESS + ".grpc.port Required")),
        new Case(
            "grpc on a port that is none",
            pod("web").probe(draft().grpc(70_000).probe()),
            List.of(READINESS + ".grpc.port Invalid")),
        new Case(
            "no action at all",
            pod("web").probe(draft().probe()),
            List.of(READINESS + " Required")),
        new Case(
            "two actions",
            pod("web").probe(draft().tcp().exec("true").probe()),
            List.of(READINESS + ".exec Forbidden")),
        new Case(
            "a header's name with a space",
            pod("web")
                .probe(
                    draft()
                        .http(new Pod.HttpHeader("X-A", "1"), new Pod.HttpHeader("X B", "1"))
                        .probe()),
            List.of(READINESS + ".httpGet.httpHeaders[1].name Invalid")),
        new Case(
            "a grace period where nothing is ended",
            pod("web").probe(draft().tcp().grace(5).probe()),
            List.of(READINESS + ".terminationGracePeriodSeconds Forbidden")),
        new Case(
            "a grace period of a startup probe",
            pod("web").startupProbe(draft().tcp().grace(5).probe()),
            List.of()),
        new Case(
            "a grace period of a startup probe that is none",
            pod("web").startupProbe(draft().tcp().grace(0).probe()),
            List.of(STARTUP + ".terminationGracePeriodSeconds Invalid")),
        new Case(
            "a container that starts twice",
            pod("web").startupProbe(draft().tcp().success(2).probe()),
            List.of(STARTUP + ".successThreshold Invalid")),
        new Case(
            "readiness may ask for two successes",
            pod("web").probe(draft().tcp().success(2).probe()),
            List.of()),
        new Case(
            "an init container that is taken for an app container",
            pod("web").initContainers(container("main", "")),
            List.of("spec.initContainers[0].name Duplicate")),
        new Case(
            "an init container with another policy",
            pod("web").initContainers(container("setup", "Never")),
            List.of("spec.initContainers[0].restartPolicy NotSupported")),
        new Case("a gate", pod("web").gates("example.com/loaded"), List.of()),
        new Case(
            "a gate that is no name",
            pod("web").gates("a b", ""),
            List.of(
                "spec.readinessGates[0].conditionType Invalid",
                "spec.readinessGates[1].conditionType Required")),
        new Case(
            "a gate that would wait for itself",
            pod("web").gates("Ready"),
            List.of("spec.readinessGates[0].conditionType Forbidden")));
  }

  private static List<String> faults(TestPod draft) {
    var violations = new Violations();
    PodRules.read(draft.draft(), violations);
    return violations.list().stream().map(v -> v.field() + " " + v.reason().text()).toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void takesAndRefusesWhatKubernetesDoes(Case row) {
    assertThat(faults(row.draft())).containsExactlyElementsOf(row.faults());
  }

  /** Kubernetes takes it, and its kubelet can never make such a probe. */
  @Test
  void aPortThatNoneOfTheContainersPortsHasTheNameOfIsWarnedOf() {
    var web = new ContainerPortDraft("web", "", 80);
    var unnamed = new ContainerPortDraft("", "", 81);
    assertThat(warnings(pod("web").ports(unnamed, web).httpProbe("web"))).isEmpty();
    assertThat(warnings(pod("web").ports(unnamed, web).httpProbe("82"))).isEmpty();
    assertThat(warnings(pod("web").ports(unnamed, web).httpProbe("http")))
        .containsExactly(
            READINESS
                + ".httpGet.port: \"http\" is no port of container main, so the probe fails: its ports are \"web\"");
    assertThat(warnings(pod("web").ports(unnamed).tcpProbe("http")))
        .containsExactly(
            READINESS
                + ".tcpSocket.port: \"http\" is no port of container main, so the probe fails: none of its ports has a name");
    assertThat(warnings(pod("web").startupProbe(TestPod.httpGet("web", OptionalInt.empty()))))
        .singleElement()
        .asString()
        .startsWith(STARTUP + ".httpGet.port: ");
  }

  /** It is taken: nothing is wrong with it. */
  private static List<String> warnings(TestPod pod) {
    var violations = new Violations();
    var wish = PodRules.read(pod.draft(), violations);
    assertThat(violations.list()).isEmpty();
    return PodWarnings.of(wish.spec());
  }

  @Test
  void headersKeepTheirOrderAndADoubleName() {
    var one = new Pod.HttpHeader("X-B", "1");
    var two = new Pod.HttpHeader("X-A", "2");
    var three = new Pod.HttpHeader("X-B", "3");
    var violations = new Violations();
    var wish =
        PodRules.read(pod("web").probe(draft().http(one, two, three).probe()).draft(), violations);
    assertThat(wish.spec().containers().getFirst().readinessProbe().orElseThrow().action())
        .isInstanceOfSatisfying(
            Pod.HttpGet.class, get -> assertThat(get.headers()).containsExactly(one, two, three));
  }

  @Test
  void aSidecarMayBeProbedAndAnInitContainerMayNot() {
    var ports = new ContainerPortDraft("web", "", 80);
    var plain = container("setup", "", ports);
    var probed =
        new PodDraft.ContainerDraft(
            "proxy",
            "",
            List.of(),
            List.of(),
            java.util.Map.of(),
            List.of(),
            Optional.of(draft().tcp().probe()),
            "",
            Optional.empty(),
            "Always");
    assertThat(faults(pod("web").initContainers(plain, probed))).isEmpty();
    var refused =
        new PodDraft.ContainerDraft(
            "setup",
            "",
            List.of(),
            List.of(),
            java.util.Map.of(),
            List.of(),
            Optional.of(draft().tcp().probe()),
            "",
            Optional.empty(),
            "");
    assertThat(faults(pod("web").initContainers(refused)))
        .containsExactly("spec.initContainers[0].readinessProbe Forbidden");
  }
}
