package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Partitioning;
import io.fairlead.core.replay.Moment;
import io.fairlead.core.replay.Replayed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class LogExportTest {
  @TempDir private Path directory;
  private final LocalControlPlane plane = new LocalControlPlane("replica-1");
  private final CliFixture cli = new CliFixture(plane.address());

  /** Nothing else runs. */
  private final CliFixture alone = new CliFixture(new io.fairlead.runtime.HostPort("127.0.0.1", 1));

  @AfterEach
  void close() {
    plane.close();
  }

  private Path file() {
    return directory.resolve("plane.log");
  }

  /** Services, Pods and namespaces come, change and go; names are few. */
  private void change(Random random) {
    var name = "n" + random.nextInt(3);
    var namespace = "ns" + random.nextInt(2);
    switch (random.nextInt(6)) {
      case 0, 1 ->
          apply(
              "apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {ports: [{port: %d}], selector: {app: a%d}}\n"
                  .formatted(name, namespace, 1 + random.nextInt(99), random.nextInt(2)));
      case 2, 3 ->
          apply(
              "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {app: a%d}}\nspec: {nodeName: node-a, containers: [{name: main, image: nginx}]}\nstatus: {podIP: 10.244.0.%d}\n"
                  .formatted(name, namespace, random.nextInt(2), 2 + random.nextInt(9)));
      case 4 -> cli.run("delete", "svc", name, "-n", namespace);
      case 5 -> apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n".formatted(name));
      default -> throw new IllegalStateException();
    }
    plane.advance(Duration.ofSeconds(1));
  }

  private void apply(String manifest) {
    cli.runWith(manifest, Map.of(), "apply", "-f", "-");
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13})
  void aReplayOfTheFileIsTheLiveLog(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 40; i++) {
      change(random);
    }
    var live = plane.image();
    var end = plane.position().offsets();
    var exported = cli.run("log", "export", file().toString());
    assertThat(exported.code()).as(exported.err()).isZero();
    var state = (Replayed.State) Rewind.file(new Moment.Before(plane.position().next()), file());
    assertThat(state.image()).isEqualTo(live);
    assertThat(state.position()).isEqualTo(plane.position());
    for (var partition : new Partitioning(3).all()) {
      assertThat(state.image().digest(partition)).isEqualTo(live.digest(partition));
    }
    for (int i = 0; i < 5; i++) {
      var at = LocalControlPlane.NOW.plusSeconds(random.nextInt(45)).toString();
      for (var kinds : new String[] {"svc,po", "eps", "ns"}) {
        var ofFile = alone.run("replay", file().toString(), "--at", at, "get", kinds, "-A");
        assertThat(ofFile).isEqualTo(cli.run("replay", "--at", at, kinds, "-A"));
        assertThat(ofFile.code()).isZero();
      }
    }
    assertThat(alone.run("replay", file().toString(), "--at", end, "svc", "-A", "-o", "json").out())
        .isEqualTo(cli.run("get", "svc", "-A", "-o", "json").out());
  }

  @Test
  void saysWhatItWroteAndWritesItWhole() throws IOException {
    apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: lab}\n");
    Files.writeString(file(), "what was there before");
    var ran = cli.run("log", "export", file().toString());
    assertThat(ran.code()).isZero();
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err())
        .matches("2 entries up to s:2, complete since 2026-10-25T12:0\\S*Z, in " + file() + "\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
        .isEqualTo("rw-------");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(file());
    }
    assertThat(alone.run("replay", file().toString(), "--at=0s", "ns", "-o", "name").out())
        .isEqualTo("namespace/lab\n");
  }

  @Test
  void writesToStandardOutput() throws IOException {
    cli.run("log", "export", file().toString());
    var toFile = Files.readAllBytes(file());
    var printed = cli.bytes("log", "export", "-");
    // but for the checksum and the time, which are of the moment
    assertThat(Arrays.copyOf(printed, 8)).isEqualTo(Arrays.copyOf(toFile, 8));
    Files.write(file(), printed);
    assertThat(alone.run("replay", file().toString(), "--at=0s").code()).isZero();
  }

  @Test
  void writesFromAPositionOnWhatCannotBeReplayed() {
    apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: lab}\n");
    assertThat(cli.run("log", "export", file().toString(), "--since=s:1").err())
        .startsWith("1 entries up to s:2");
    assertThat(alone.run("replay", file().toString(), "--at=0s").err())
        .isEqualTo(
            "error: "
                + file()
                + " begins at s:1: only a file from the log's beginning, written without --since, can be replayed\n");
    assertThat(cli.run("log", "export", file().toString(), "--since=here").err())
        .startsWith("error: --since=here is not a position (s:13,p0:4)\n");
  }

  @Test
  void leavesWhatIsThereWhereItCannotBeDone() throws IOException {
    Files.writeString(file(), "what was there before");
    assertThat(alone.run("log", "export", file().toString(), "--timeout=1s").err())
        .startsWith("Unable to connect to the server");
    assertThat(file()).hasContent("what was there before");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(file());
    }
    assertThat(cli.run("log", "export", directory.toString()).err())
        .isEqualTo("error: " + directory + " is a directory\n");
    assertThat(cli.run("log", "export", "/dev/null").err())
        .isEqualTo("error: /dev/null is no file; - is standard output\n");
    assertThat(cli.run("log", "export", directory.resolve("no/where").toString()).err())
        .isEqualTo(
            "error: the directory of " + directory.resolve("no/where") + " does not exist\n");
  }

  @Test
  void refusesFilesThatAreNotWhole() throws IOException {
    cli.run("log", "export", file().toString());
    var whole = Files.readAllBytes(file());
    Files.write(file(), Arrays.copyOf(whole, whole.length - 1));
    assertThat(alone.run("replay", file().toString(), "--at=0s").err())
        .isEqualTo("error: " + file() + " is cut off after 1 entries\n");
    whole[whole.length / 2] ^= (byte) 1;
    Files.write(file(), whole);
    assertThat(alone.run("replay", file().toString(), "--at=0s"))
        .satisfies(ran -> assertThat(ran.err()).startsWith("error: " + file() + " is damaged: "))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(1))
        .satisfies(ran -> assertThat(ran.out()).isEmpty());
    Files.writeString(file(), "kind: Service");
    assertThat(alone.run("replay", file().toString(), "--at=0s").err())
        .isEqualTo("error: " + file() + " is not a file that fairlead log export wrote\n");
    assertThat(alone.run("replay", "./nowhere.log", "--at=0s").err())
        .isEqualTo("error: the file ./nowhere.log does not exist\n");
  }
}
