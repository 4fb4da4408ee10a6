package io.fairlead.standalone.pods.run;

import static io.fairlead.standalone.pods.run.Machine.await;
import static io.fairlead.standalone.pods.run.TestPods.container;
import static io.fairlead.standalone.pods.run.TestPods.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Pod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Real namespaces and processes, over an API in memory: what tests of them share. */
abstract class PodsOnAMachine {
  @TempDir static Path directory;
  static Machine machine;

  /** Where everybody may write, as in /tmp. */
  static Path shared;

  final FakePodApi api = new FakePodApi();
  PodSupervisor pods;

  @BeforeAll
  static void create() throws IOException {
    shared = Files.createTempDirectory("runner1-");
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    machine = Machine.create("runner1", directory);
  }

  @AfterAll
  static void remove() {
    Trees.delete(shared);
    if (machine != null) {
      machine.close();
    }
  }

  @BeforeEach
  void start() {
    pods = machine.supervisor(api);
  }

  @AfterEach
  void stop() {
    pods.close();
    assertThat(machine.fabric().nodes()).allMatch(node -> node.pods().isEmpty());
  }

  PodReport run(Pod pod) {
    api.apply(pod);
    return awaitPhase(pod, Pod.Phase.RUNNING);
  }

  PodReport awaitPhase(Pod pod, Pod.Phase phase) {
    await(
        pod.name() + " " + phase,
        () -> api.report(pod.uid()).filter(r -> r.phase() == phase).isPresent());
    return api.report(pod.uid()).orElseThrow();
  }

  String log(Pod pod, String container, int back) {
    try (var reader =
        pods.find(pod.name())
            .orElseThrow()
            .log(container, back)
            .orElseThrow()
            .read(OptionalLong.empty())) {
      var text = new StringBuilder();
      for (var bytes = reader.next(RunLog.Reader.AtEnd.STOP);
          bytes.length > 0;
          bytes = reader.next(RunLog.Reader.AtEnd.STOP)) {
        text.append(new String(bytes, StandardCharsets.UTF_8));
      }
      return text.toString();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  void awaitLog(Pod pod, String container, String text) {
    await(
        pod.name() + " prints " + text,
        () -> {
          var worker = pods.find(pod.name());
          return worker.isPresent()
              && worker.get().log(container, 0).isPresent()
              && log(pod, container, 0).contains(text);
        });
  }

  String exec(Pod pod, String container, String... command) {
    try {
      var process =
          pods.find(pod.name()).orElseThrow().exec(container, List.of(command)).orElseThrow();
      process.stdin().close();
      var text = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
      text += new String(process.stderr().readAllBytes(), StandardCharsets.UTF_8);
      return text + "exit " + process.awaitExit();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  static Pod onNode(Pod pod, String node) {
    var spec = pod.spec();
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            Optional.of(node), false, spec.hostname(), spec.subdomain(), spec.containers()),
        pod.status(),
        pod.source());
  }

  static Pod sleeper(String name) {
    return pod(name, container("main", "sleep", "600"));
  }

  static boolean isRunning(String argument) {
    return ProcessHandle.allProcesses()
        .anyMatch(process ->
            process.info().arguments().filter(a -> List.of(a).contains(argument)).isPresent());
  }
}
