package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.Machine.await;
import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How containers and Pods end, and begin again. */
@Tag("kernel")
@Timeout(120)
final class PodEndKernelTest extends PodsOnAMachine {
  @Test
  void startsAgainWhatEndsAndCountsIt() {
    var pod = pod("crash", container("main", "sh", "-c", "echo run; exit 3"));
    api.apply(pod);
    await(
        "third run",
        () ->
            api.report(pod.uid())
                .filter(r -> r.containers().getFirst().restarts() >= 2)
                .isPresent());
    await(
        "back-off",
        () ->
            api.report(pod.uid()).orElseThrow().containers().getFirst().state()
                    instanceof ContainerState.Waiting(var reason, _)
                && reason.equals("CrashLoopBackOff"));
    var report = api.report(pod.uid()).orElseThrow();
    assertThat(report.phase()).isEqualTo(Pod.Phase.RUNNING);
    assertThat(report.containers().getFirst().last().orElseThrow().exitCode()).isEqualTo(3);
    assertThat(log(pod, "main", 0)).isEqualTo("run\n");
    assertThat(log(pod, "main", 1)).isEqualTo("run\n");
  }

  @Test
  void endsWithItsContainersWhereTheyAreNotToRunAgain() {
    var good =
        pod("good", Pod.RestartPolicy.NEVER, container("main", "echo", "$(HOSTNAME)", "done"));
    var bad =
        pod(
            "bad",
            Pod.RestartPolicy.NEVER,
            container("a", "true"),
            container("b", "sh", "-c", "exit 2"));
    var retried =
        pod(
            "retried",
            Pod.RestartPolicy.ON_FAILURE,
            container(
                "main",
                "sh",
                "-c",
                "test -e %1$s || { touch %1$s; exit 1; }".formatted(shared.resolve("retried"))));
    List.of(good, bad, retried).forEach(api::apply);
    awaitPhase(good, Pod.Phase.SUCCEEDED);
    var failed = awaitPhase(bad, Pod.Phase.FAILED);
    assertThat(((ContainerState.Terminated) failed.containers().get(1).state()).exitCode())
        .isEqualTo(2);
    var second = awaitPhase(retried, Pod.Phase.SUCCEEDED).containers().getFirst();
    assertThat(second.restarts()).isEqualTo(1);
    assertThat(log(good, "main", 0)).isEqualTo("good done\n");
    await(
        "their namespaces are gone",
        () -> machine.fabric().nodes().stream().allMatch(node -> node.pods().isEmpty()));
  }

  @Test
  void tellsWhichSignalEndedIt() {
    var pod = pod("killed", Pod.RestartPolicy.NEVER, container("main", "sleep", "654323"));
    run(pod);
    await("it runs", () -> isRunning("654323"));
    ProcessHandle.allProcesses()
        .filter(process ->
            process
                .info()
                .arguments()
                .filter(a -> List.of(a).equals(List.of("654323")))
                .isPresent())
        .forEach(ProcessHandle::destroyForcibly);
    var end = awaitPhase(pod, Pod.Phase.FAILED).containers().getFirst().state();
    assertThat(((ContainerState.Terminated) end).exitCode()).isEqualTo(137);
    assertThat(log(pod, "main", 0)).isEmpty();
  }

  @Test
  void endsOnSigtermWithinItsGrace() {
    var pod =
        pod(
            "polite",
            container(
                "main",
                "sh",
                "-c",
                "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
    run(pod);
    awaitLog(pod, "main", "ready");
    var log = directory.resolve(pod.uid().toString()).resolve("main/0.log");
    var kept = directory.resolve("polite.log");
    assertThat(log).exists();
    link(kept, log); // goes with the Pod
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
    await("its directory is gone", () -> !Files.exists(log));
    assertThat(kept).content().endsWith("bye\n");
    await(
        "its namespace is gone",
        () -> machine.fabric().nodes().stream().allMatch(node -> node.pods().isEmpty()));
  }

  private static void link(Path link, Path file) {
    try {
      Files.createLink(link, file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void isKilledWhenItsGraceIsOverWithWhatItStarted() {
    var pod =
        pod(
            "deaf",
            container("main", "sh", "-c", "trap '' TERM; setsid sleep 654321 & echo ready; wait"));
    run(pod);
    awaitLog(pod, "main", "ready");
    await("its child runs", () -> isRunning("654321"));
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("it is asked to end", () -> pods.find(pod.name()).isPresent() && isRunning("654321"));
    assertThat(api.has(pod.uid())).isTrue();
    api.deleteBy(pod.uid(), Instant.now()); // an earlier end than before
    await("its record is gone", () -> !api.has(pod.uid()));
    assertThat(isRunning("654321")).isFalse();
  }

  @Test
  void whatHasNoHandlerDiesOfSigtermAtOnce() {
    var pod = sleeper("plain");
    run(pod);
    api.deleteBy(pod.uid(), Instant.now().plusSeconds(600));
    await("its record is gone", () -> !api.has(pod.uid()));
  }

  @Test
  void aRecordThatIsGoneEndsItsProcesses() {
    var pod = pod("gone", container("main", "sleep", "654322"));
    run(pod);
    await("it runs", () -> isRunning("654322"));
    api.remove(pod.uid());
    await("it has ended", () -> !isRunning("654322"));
    assertThat(pods.find(pod.name())).isEmpty();
  }
}
