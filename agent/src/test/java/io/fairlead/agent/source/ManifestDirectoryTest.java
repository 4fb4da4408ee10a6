package io.fairlead.agent.source;

import static io.fairlead.agent.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.source.PodSource.Pods;
import io.fairlead.core.model.Address;
import io.fairlead.v1.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ManifestDirectoryTest {
  @TempDir Path directory;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  @AfterEach
  void close() throws Exception {
    for (var resource : opened) {
      resource.close();
    }
  }

  private List<Pods> watch(Path path) {
    var states = new CopyOnWriteArrayList<Pods>();
    opened.push(
        ManifestDirectory.watch(
            path,
            "node-a",
            List.of(Address.of("192.0.2.1"), Address.of("192.0.2.2"), Address.of("2001:db8::1")),
            states::add));
    return states;
  }

  private static Pods last(List<Pods> states, Predicate<Pods> condition) {
    await("state").until(() -> !states.isEmpty() && condition.test(states.getLast()));
    return states.getLast();
  }

  private static List<String> names(Pods state) {
    return state.pods().stream().map(p -> p.getMetadata().getName()).toList();
  }

  private static String pod(String name, String more) {
    return """
    apiVersion: v1
    kind: Pod
    metadata:
      name: %s
    spec:
      containers:
      - {name: main, image: web}
    %s\
    """
        .formatted(name, more);
  }

  private void write(String file, String text) throws IOException {
    var temporary = Files.writeString(directory.resolve("." + file), text);
    Files.move(
        temporary,
        directory.resolve(file),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void readsAllFilesAndPlacesTheirPodsHere() throws IOException {
    write("a.yaml", pod("web-1", "---\n" + pod("web-2", "status: {podIP: 10.244.1.5}\n")));
    write(
        "b.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"api\",\"namespace\":\"shop\"}}");
    write("notes.txt", "not a manifest");
    var state = last(watch(directory), s -> s.pods().size() == 3);
    assertThat(names(state)).containsExactly("web-1", "web-2", "api");
    var first = state.pods().getFirst();
    assertThat(first.getSource()).isEqualTo("manifests/node-a");
    assertThat(first.getSpec().getNodeName()).isEqualTo("node-a");
    assertThat(first.getMetadata().getNamespace()).isEqualTo("default");
    assertThat(first.getStatus().getPodIpsList())
        .as("one address of each family")
        .containsExactly("192.0.2.1", "2001:db8::1");
    assertThat(state.pods().get(1).getStatus().getPodIp()).isEqualTo("10.244.1.5");
  }

  @Test
  void followsChangesAndDeletions() throws IOException {
    write("a.yaml", pod("web-1", ""));
    var states = watch(directory);
    last(states, s -> names(s).equals(List.of("web-1")));
    write("b.yaml", pod("web-2", ""));
    last(states, s -> names(s).equals(List.of("web-1", "web-2")));
    Files.delete(directory.resolve("a.yaml"));
    last(states, s -> names(s).equals(List.of("web-2")));
  }

  @Test
  void keepsWhatAFileSaidWhileItIsFaulty() throws IOException {
    write("a.yaml", pod("web-1", ""));
    var states = watch(directory);
    last(states, s -> names(s).equals(List.of("web-1")));
    write("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name");
    write("b.yaml", pod("web-2", ""));
    var state = last(states, s -> names(s).equals(List.of("web-1", "web-2")));
    assertThat(state.unknown()).isEmpty();
    assertThat(last(states, s -> s.faults().size() == 1).faults().getFirst()).startsWith("a.yaml:");
    write("a.yaml", pod("web-9", ""));
    last(states, s -> names(s).equals(List.of("web-9", "web-2")) && s.faults().isEmpty());
  }

  /** Cut after its name, a manifest is one of a Pod that no Service finds. */
  @Test
  void keepsWhatAFileSaidWhileItIsWritten() throws IOException {
    var states = new CopyOnWriteArrayList<Pods>();
    var manifests =
        new ManifestDirectory(directory, "node-a", List.of(Address.of("192.0.2.1")), states::add);
    var file = directory.resolve("a.yaml");
    var two = pod("web-1", "---\n" + pod("web-2", ""));
    Files.writeString(file, two);
    assertThat(manifests.scan()).isEqualTo(ManifestDirectory.Rest.UNSETTLED);
    assertThat(states).as("nothing is known yet").isEmpty();
    assertThat(manifests.scan()).isEqualTo(ManifestDirectory.Rest.QUIET);
    assertThat(names(states.getLast())).containsExactly("web-1", "web-2");

    for (int length : new int[] {0, 20, two.indexOf("---")}) {
      Files.writeString(file, two.substring(0, length));
      assertThat(manifests.scan()).isEqualTo(ManifestDirectory.Rest.UNSETTLED);
    }
    Files.writeString(file, two + "---\n" + pod("web-3", ""));
    assertThat(manifests.scan()).isEqualTo(ManifestDirectory.Rest.UNSETTLED);
    assertThat(states).as("still the first").hasSize(1);
    assertThat(manifests.scan()).isEqualTo(ManifestDirectory.Rest.QUIET);
    assertThat(names(states.getLast())).containsExactly("web-1", "web-2", "web-3");
  }

  @Test
  void goesOnAfterAFaultOfItsListener() throws IOException {
    write("a.yaml", pod("web-1", ""));
    var states = new CopyOnWriteArrayList<Pods>();
    var calls = new AtomicInteger();
    opened.push(
        ManifestDirectory.watch(
            directory,
            "node-a",
            List.of(Address.of("192.0.2.1")),
            state -> {
              if (calls.incrementAndGet() == 1) {
                throw new IllegalStateException("closed");
              }
              states.add(state);
            }));
    last(states, s -> names(s).equals(List.of("web-1")));
  }

  @Test
  void namesFilesThatWereNeverReadWell() throws IOException {
    write(
        "service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n");
    write("elsewhere.yaml", pod("web", "").replace("spec:\n", "spec:\n  nodeName: node-b\n"));
    var state = last(watch(directory), s -> s.unknown().size() == 2);
    assertThat(state.pods()).isEmpty();
    assertThat(state.unknown()).containsExactlyInAnyOrder("service.yaml", "elsewhere.yaml");
    assertThat(state.faults())
        .hasSize(2)
        .anyMatch(fault -> fault.startsWith("service.yaml:1: "))
        .anyMatch(fault -> fault.startsWith("elsewhere.yaml:1: spec.nodeName: "));
  }

  /** The last one that went wrong is the one somebody is at. */
  @Test
  void theLastFaultIsLast() throws IOException {
    write("b.yaml", "{");
    var states = watch(directory);
    last(states, s -> s.faults().size() == 1);
    write("a.yaml", "{");
    assertThat(last(states, s -> s.faults().size() == 2).faults().getLast()).startsWith("a.yaml");
  }

  @Test
  void givesAPodTheSameIdAfterARestartWhateverItsManifestSaysNow() throws IOException {
    write("a.yaml", pod("web-1", ""));
    var before = last(watch(directory), s -> s.pods().size() == 1).pods().getFirst();
    write("renamed.yaml", pod("web-1", "status: {podIP: 10.244.1.9}\n"));
    Files.delete(directory.resolve("a.yaml"));
    var after =
        last(watch(directory), s -> s.pods().size() == 1 && address(s).equals("10.244.1.9"))
            .pods()
            .getFirst();
    assertThat(after.getMetadata().getUid()).isEqualTo(before.getMetadata().getUid()).isNotEmpty();
  }

  private static String address(Pods state) {
    Pod pod = state.pods().getFirst();
    return pod.getStatus().getPodIp();
  }

  @Test
  void waitsForADirectoryThatIsNotThereYet() throws IOException {
    var later = directory.resolve("later");
    var states = watch(later);
    assertThat(states).isEmpty();
    Files.createDirectory(later);
    Files.writeString(later.resolve("a.yaml"), pod("web-1", ""));
    await("state")
        .atMost(java.time.Duration.ofSeconds(20))
        .until(() -> !states.isEmpty() && names(states.getLast()).equals(List.of("web-1")));
  }
}
