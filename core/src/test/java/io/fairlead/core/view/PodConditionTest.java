package io.fairlead.core.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class PodConditionTest {
  private static Pod with(Pod pod, ContainerStatus.State... states) {
    var status = pod.status();
    return new Pod(
        pod.meta(),
        pod.spec(),
        new Pod.Status(
            status.phase(),
            status.ips(),
            "",
            "",
            List.of(states).stream()
                .map(state -> new ContainerStatus("main", 0, state, Optional.empty()))
                .toList(),
            Optional.empty()),
        pod.source());
  }

  @Test
  void aPodIsUnreadyWhileAContainerDoesNotRun() {
    var runs = new ContainerStatus.Running(Instant.EPOCH);
    var crashed = new ContainerStatus.Waiting("CrashLoopBackOff", "");
    var pod = TestObjects.pod("web", "web", "node-a", "10.244.1.2");
    assertThat(PodCondition.of(with(pod, runs, runs), Optional.empty()).ready()).isTrue();
    assertThat(PodCondition.of(with(pod, runs, crashed), Optional.empty()))
        .isEqualTo(new PodCondition(false, "containers do not run: main", Optional.empty()));
    var probed = TestObjects.probed(pod);
    var reported = Optional.of(TestObjects.ready(probed));
    assertThat(PodCondition.of(with(probed, runs), reported).ready()).isTrue();
    assertThat(PodCondition.of(with(probed, crashed), reported).ready()).isFalse();
  }

  private static Pod of(Pod.Container... containers) {
    return TestObjects.with(
        TestObjects.pod("web", "web", "node-a", "10.244.1.2"), List.of(containers));
  }

  private static Pod gated(Pod pod, List<String> gates, Pod.Condition... conditions) {
    var spec = pod.spec();
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            spec.nodeName(),
            false,
            Optional.empty(),
            Optional.empty(),
            spec.containers(),
            spec.restartPolicy(),
            spec.terminationGrace(),
            List.of(),
            gates,
            true),
        pod.status().with(List.of(conditions)),
        pod.source());
  }

  private static Pod.Condition condition(String type, Pod.Condition.State state) {
    return new Pod.Condition(type, state, "", "", Instant.EPOCH);
  }

  private static PodReadiness readyOf(Pod pod, Instant run) {
    var ready = TestObjects.ready(pod);
    return new PodReadiness(
        ready.pod(),
        ready.podUid(),
        true,
        ready.node(),
        ready.session(),
        ready.sequence(),
        ready.reason(),
        ready.since(),
        new TreeMap<>(Map.of("main", run)),
        1,
        List.of());
  }

  @Test
  void e10AContainerThatWasStartedAgainIsUnreadyUntilItsProbeSaysOtherwise() {
    var pod = TestObjects.probed(of());
    var first = with(pod, new ContainerStatus.Running(Instant.EPOCH));
    var again = with(pod, new ContainerStatus.Running(Instant.EPOCH.plusSeconds(60)));
    var reported = Optional.of(readyOf(pod, Instant.EPOCH));
    assertThat(PodCondition.of(first, reported).ready()).isTrue();
    assertThat(PodCondition.of(again, reported).ready()).isFalse();
    assertThat(PodCondition.of(again, reported).reason())
        .isEqualTo("started again, not probed since");
    assertThat(
            PodCondition.of(again, Optional.of(readyOf(pod, Instant.EPOCH.plusSeconds(60))))
                .ready())
        .isTrue();
  }

  @Test
  void e12APodIsReadyOnlyWhereEachOfItsGatesIsTrue() {
    var gates = List.of("example.com/one", "example.com/two");
    var one = condition("example.com/one", Pod.Condition.State.TRUE);
    var missing = PodCondition.of(gated(of(), gates, one), Optional.empty());
    assertThat(missing.ready()).isFalse();
    assertThat(missing.containersReady()).isTrue();
    assertThat(missing.reason())
        .isEqualTo("conditions of readiness gates are not True: example.com/two");
    for (var state : List.of(Pod.Condition.State.FALSE, Pod.Condition.State.UNKNOWN)) {
      assertThat(
              PodCondition.of(
                      gated(of(), gates, one, condition("example.com/two", state)),
                      Optional.empty())
                  .ready())
          .as("%s", state)
          .isFalse();
    }
    var all = gated(of(), gates, one, condition("example.com/two", Pod.Condition.State.TRUE));
    assertThat(PodCondition.of(all, Optional.empty()).ready()).isTrue();
    var probed = gated(TestObjects.probed(of()), gates, one);
    assertThat(PodCondition.of(probed, Optional.empty()).reason())
        .as("gates do not hide what the probes say")
        .isEqualTo("not probed yet");
  }

  @Test
  void anInitContainerThatIsOverDoesNotCountAndASidecarDoes() {
    var ended = new ContainerStatus.Terminated(0, "Completed", "", Optional.empty(), Instant.EPOCH);
    var plain = of(container("app"));
    assertThat(PodCondition.of(withInit(plain, init("setup", false), ended), Optional.empty()))
        .isEqualTo(new PodCondition(true, "running", Optional.empty()));
    assertThat(PodCondition.of(withInit(plain, init("proxy", true), ended), Optional.empty()))
        .isEqualTo(new PodCondition(false, "containers do not run: proxy", Optional.empty()));
  }

  private static Pod.Container container(String name) {
    return new Pod.Container(
        name, "", List.of(), List.of(), new TreeMap<>(), List.of(), Optional.empty());
  }

  private static Pod.Container init(String name, boolean sidecar) {
    return new Pod.Container(
        name,
        "",
        List.of(),
        List.of(),
        new TreeMap<>(),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        sidecar ? Optional.of(Pod.RestartPolicy.ALWAYS) : Optional.empty());
  }

  private static Pod withInit(Pod pod, Pod.Container init, ContainerStatus.State state) {
    var spec = pod.spec();
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            spec.nodeName(),
            false,
            Optional.empty(),
            Optional.empty(),
            spec.containers(),
            spec.restartPolicy(),
            spec.terminationGrace(),
            List.of(init),
            List.of(),
            true),
        new Pod.Status(
            pod.status().phase(),
            pod.status().ips(),
            "",
            "",
            List.of(
                new ContainerStatus(init.name(), 0, state, Optional.empty()),
                new ContainerStatus(
                    "app", 0, new ContainerStatus.Running(Instant.EPOCH), Optional.empty())),
            Optional.empty()),
        pod.source());
  }
}
