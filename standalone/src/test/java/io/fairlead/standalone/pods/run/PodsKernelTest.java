package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.Machine.await;
import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.image;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How Pods are placed and told of, whatever their neighbours do. */
@Tag("kernel")
@Timeout(120)
final class PodsKernelTest extends PodsOnAMachine {
  @Test
  void spreadsOverTheNodesAndKeepsToTheOneThatWasNamed() {
    var all = List.of(sleeper("a"), sleeper("b"), sleeper("c"), sleeper("d"));
    all.forEach(this::run);
    var nodes =
        all.stream()
            .map(pod -> api.report(pod.uid()).orElseThrow().node())
            .collect(Collectors.groupingBy(n -> n, Collectors.counting()));
    assertThat(nodes).isEqualTo(Map.of("node-a", 2L, "node-b", 2L));
    var bound = onNode(sleeper("e"), "node-b");
    assertThat(run(bound).node()).isEqualTo("node-b");
  }

  @Test
  void theNextRunnerStartsItAgainWithItsAddressAndCount() {
    var first = sleeper("first"); // so that the other one's address is not the first free one
    run(first);
    var pod =
        pod(
            "stays",
            container(
                "main",
                "sh",
                "-c",
                "test -e %1$s && exec sleep 600; touch %1$s".formatted(shared.resolve("stays"))));
    api.apply(pod);
    await(
        "second run",
        () ->
            api.report(pod.uid())
                .filter(r -> r.containers().getFirst().restarts() == 1)
                .filter(r -> r.containers().getFirst().state() instanceof ContainerState.Running)
                .isPresent());
    var before = api.report(pod.uid()).orElseThrow();
    pods.close();
    assertThat(api.report(pod.uid())).contains(before);
    api.remove(first.uid());
    var late = sleeper("aaa-late"); // would get the address, were it not kept
    api.apply(late);

    pods = machine.supervisor(api);

    await("synced", pods::isSynced);
    await(
        "it runs again",
        () ->
            api.report(pod.uid()).orElseThrow().containers().getFirst().state()
                    instanceof ContainerState.Running(var started)
                && !before
                    .containers()
                    .getFirst()
                    .state()
                    .equals(new ContainerState.Running(started)));
    var after = api.report(pod.uid()).orElseThrow();
    assertThat(after.address()).isEqualTo(before.address());
    assertThat(after.node()).isEqualTo(before.node());
    assertThat(after.containers().getFirst().restarts()).isEqualTo(1);
  }

  @Test
  void goesOnWhileNobodyAnswersAndTellsLater() {
    var pod =
        pod(
            "lonely",
            container(
                "main",
                "sh",
                "-c",
                "trap 'exit 1' USR1; echo ready; while :; do sleep 0.05; done"));
    run(pod);
    awaitLog(pod, "main", "ready");
    api.goAway();
    assertThat(exec(pod, "main", "sh", "-c", "kill -USR1 1")).isEqualTo("exit 0");
    await(
        "it was started again, with the variables it had",
        () ->
            pods.find(pod.name()).orElseThrow().containers().getFirst().restarts() == 1
                && pods.find(pod.name()).orElseThrow().containers().getFirst().state()
                    instanceof ContainerState.Running);
    assertThat(api.report(pod.uid()).orElseThrow().containers().getFirst().restarts()).isZero();
    api.comeBack();
    await(
        "the API knows",
        () -> api.report(pod.uid()).orElseThrow().containers().getFirst().restarts() == 1);
    var late = sleeper("late");
    run(late);
  }

  /** D12: a container keeps what it got at its start; the next one gets what there is then. */
  @Test
  void aServiceThatComesLaterIsInTheEnvironmentOfTheNextStart() {
    api.services(List.of());
    var pod =
        pod(
            "keeps",
            container(
                "main",
                "sh",
                "-c",
                "trap 'exit 1' USR1; echo at ${WEB_SERVICE_HOST:-nowhere}; while :; do sleep 0.05; done"));
    run(pod);
    awaitLog(pod, "main", "at nowhere");
    api.services(List.of(web()));
    assertThat(exec(pod, "main", "sh", "-c", "tr '\\0' '\\n' < /proc/1/environ | grep -c ^WEB_"))
        .as("still running as it was started")
        .isEqualTo("0\nexit 1");
    assertThat(exec(pod, "main", "sh", "-c", "kill -USR1 1")).isEqualTo("exit 0");
    awaitLog(pod, "main", "at 10.96.0.20");
  }

  private static io.fairlead.core.model.Service web() {
    return new io.fairlead.core.model.Service(
        TestObjects.meta("shop", "web", Map.of()), TestObjects.service("web", "10.96.0.20").spec());
  }

  /** D15. */
  @Test
  void waitsForTheServicesRatherThanStartingWithout() {
    api.servicesGoAway();
    var pod =
        pod(
            "asks",
            container(
                "main", "sh", "-c", "echo at $WEB_SERVICE_HOST:$WEB_SERVICE_PORT; sleep 600"));
    api.apply(pod);
    await(
        "it waits",
        () ->
            api.report(pod.uid())
                .filter(r ->
                    r.containers().getFirst().state()
                            instanceof ContainerState.Waiting(var reason, _)
                        && reason.equals("CreateContainerConfigError"))
                .isPresent());
    assertThat(api.report(pod.uid()).orElseThrow().phase()).isEqualTo(Pod.Phase.PENDING);
    api.services(List.of(web()));
    api.comeBack();
    awaitLog(pod, "main", "at 10.96.0.20:80\n");
  }

  @Test
  void saysWhatToDoWhereAnImageCannotRun() {
    var pod = pod("nginx", container("ok", "true"), image("web", "nginx:1", 80));
    api.apply(pod);
    var report = awaitPhase(pod, Pod.Phase.PENDING);
    assertThat(report.reason()).isEqualTo("ErrImageNeverPull");
    assertThat(report.message())
        .isEqualTo(
            "image \"nginx:1\" can't be run: process Pods run a command; give spec.containers[1].command, or image fairlead/echo");
    assertThat(report.containers().get(1).state())
        .isEqualTo(new ContainerState.Waiting("ErrImageNeverPull", report.message()));
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void aPodOfANodeThatIsGoneCanBeDeleted() {
    api.breakDeletions(1);
    var pod = onNode(sleeper("stray"), "node-z");
    api.apply(pod);
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void itsRecordGoesAlsoWhereItsWorkerMetWhatNobodyExpected() {
    var pod = sleeper("fragile");
    run(pod);
    api.breakDeletions(1);
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void goesOnAfterWhatNobodyExpected() {
    api.breakServices(2);
    var pod = sleeper("lucky");
    run(pod);
    var other = pod("unlucky", container("main", "sleep", "600"));
    api.breakServices(Integer.MAX_VALUE);
    api.apply(other);
    await(
        "it says so",
        () ->
            api.report(other.uid())
                .filter(r ->
                    r.containers().getFirst().state()
                            instanceof ContainerState.Waiting(var reason, _)
                        && reason.equals("RunContainerError"))
                .isPresent());
    api.deleteBy(other.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(other.uid()));
  }
}
