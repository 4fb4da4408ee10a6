package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class PodSupervisorTest {
  private static final ContainerReport TOLD =
      new ContainerReport("main", 0, new ContainerState.Running(Instant.EPOCH), Optional.empty());

  private static Pod with(Pod pod, Pod.Phase phase, String... ips) {
    return new Pod(
        pod.meta(),
        pod.spec(),
        new Pod.Status(
            phase, List.of(ips).stream().map(Address::of).toList(), "", Optional.empty()),
        pod.source());
  }

  private static boolean isMine(Pod pod, ContainerReport... told) {
    return PodSupervisor.isMine(new KnownPod(pod, List.of(told)));
  }

  @Test
  void runsWhatHasNoAddressOfSomebodyElsesMaking() {
    var pod = pod("web", container("main", "true"));
    assertThat(isMine(pod)).isTrue();
    assertThat(isMine(with(pod, Pod.Phase.RUNNING, "10.244.1.5"))).isFalse();
    assertThat(isMine(with(pod, Pod.Phase.RUNNING, "10.244.1.5"), TOLD)).isTrue();
    assertThat(isMine(with(pod, Pod.Phase.SUCCEEDED))).isFalse();
    assertThat(isMine(with(pod, Pod.Phase.SUCCEEDED, "10.244.1.5"), TOLD)).isTrue();
    assertThat(isMine(new Pod(pod.meta(), pod.spec(), pod.status(), "docker/node-a"))).isFalse();
    var spec = pod.spec();
    var ofHost =
        new Pod.Spec(spec.nodeName(), true, spec.hostname(), spec.subdomain(), spec.containers());
    assertThat(isMine(new Pod(pod.meta(), ofHost, pod.status(), pod.source()))).isFalse();
  }
}
