package io.fairlead.standalone.pods.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Pod.Phase;
import io.fairlead.core.model.Pod.RestartPolicy;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(20)
final class PodReportTest {
  private static final ContainerReport FRESH =
      report(new ContainerState.Waiting("ContainerCreating", ""), Optional.empty());
  private static final ContainerReport RUNS =
      report(new ContainerState.Running(Instant.EPOCH), Optional.empty());
  private static final ContainerReport BACKS_OFF =
      report(new ContainerState.Waiting("CrashLoopBackOff", ""), Optional.of(end(1)));
  private static final ContainerReport GOOD = report(end(0), Optional.empty());
  private static final ContainerReport BAD = report(end(1), Optional.empty());

  private static ContainerState.Terminated end(int code) {
    return new ContainerState.Terminated(code, "", "", Instant.EPOCH, Instant.EPOCH);
  }

  private static ContainerReport report(
      ContainerState state, Optional<ContainerState.Terminated> last) {
    return new ContainerReport("c", 0, state, last);
  }

  record Case(RestartPolicy policy, List<ContainerReport> containers, Phase phase) {}

  static Stream<Case> cases() {
    return Stream.of(
        new Case(RestartPolicy.ALWAYS, List.of(RUNS, FRESH), Phase.PENDING),
        new Case(RestartPolicy.ALWAYS, List.of(RUNS, RUNS), Phase.RUNNING),
        new Case(RestartPolicy.ALWAYS, List.of(BACKS_OFF), Phase.RUNNING),
        new Case(RestartPolicy.ALWAYS, List.of(GOOD), Phase.RUNNING),
        new Case(RestartPolicy.ON_FAILURE, List.of(GOOD, RUNS), Phase.RUNNING),
        new Case(RestartPolicy.ON_FAILURE, List.of(GOOD, BACKS_OFF), Phase.RUNNING),
        new Case(RestartPolicy.ON_FAILURE, List.of(GOOD, GOOD), Phase.SUCCEEDED),
        new Case(RestartPolicy.ON_FAILURE, List.of(BAD), Phase.RUNNING),
        new Case(RestartPolicy.NEVER, List.of(BAD, RUNS), Phase.RUNNING),
        new Case(RestartPolicy.NEVER, List.of(BAD, GOOD), Phase.FAILED),
        new Case(RestartPolicy.NEVER, List.of(GOOD), Phase.SUCCEEDED));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void derivesThePhase(Case row) {
    assertThat(PodReport.phase(row.policy(), row.containers())).isEqualTo(row.phase());
  }
}
