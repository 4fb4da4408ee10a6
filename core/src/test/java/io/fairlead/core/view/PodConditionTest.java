package io.fairlead.core.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
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
}
