package io.fairlead.testbed.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code ./fairlead test}: what it counts, and when it fails. */
@Tag("slow")
@Timeout(120)
class TestVerbTest {
  private static final String PASSED = "  <testcase name=\"works\" classname=\"Web\" time=\"1\"/>";
  private static final String FAILED =
      "  <testcase name=\"answers\" classname=\"Web\">\n    <failure>no</failure>\n  </testcase>";
  private static final String SKIPPED =
      "  <testcase name=\"waits\" classname=\"Web\">\n    <skipped message=\"no nft\"/>\n  </testcase>";

  @TempDir private Path directory;

  private Checkout checkout;

  @BeforeEach
  void makeCheckout() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    checkout = Checkout.in(directory);
    for (var program : new String[] {"etcd", "etcdctl"}) {
      checkout.program(program, "");
    }
  }

  @Test
  void runsEachSuiteThatHasTestsAndSumsThemUp() throws Exception {
    checkout.results("fast", PASSED, PASSED);
    checkout.results("slow", PASSED);
    var ran = checkout.run("test", "--suite", "fast", "--suite", "slow", "--suite", "docker");
    assertThat(ran.out().lines())
        .contains("== no test is tagged docker")
        .anyMatch(line -> line.matches("fast +2 passed +0 failed +0 skipped +0.0 min"))
        .anyMatch(line -> line.matches("slow +1 passed +0 failed +0 skipped +0.0 min"))
        .endsWith("3 passed, 0 failed, 0 skipped");
    assertThat(ran.code()).isZero();
    assertThat(checkout.builds())
        .as("one build, the format, two suites")
        .satisfiesExactly(
            build -> assertThat(build).endsWith("-Ddist package -DskipTests"),
            format -> assertThat(format).contains("spotless:check"),
            fast -> assertThat(fast).contains("package -Dsuite=fast"),
            slow -> assertThat(slow).contains("package -Dsuite=slow"));

    assertThat(checkout.run("get").out()).isEqualTo("[get]\n");
    assertThat(checkout.builds()).as("the command was built with it").hasSize(4);
  }

  @Test
  void namesWhatFailedAndWhatWasSkippedAndFailsForBoth() throws Exception {
    checkout.results("fast", PASSED, FAILED);
    checkout.results("slow", PASSED, SKIPPED);
    var both = checkout.run("test", "--suite", "fast", "--suite", "slow");
    assertThat(both.out().lines())
        .contains("  FAILED  Web.answers", "  SKIPPED Web.waits no nft")
        .endsWith("2 passed, 1 failed, 1 skipped");
    assertThat(both.code()).isEqualTo(1);

    var skipped = checkout.run("test", "--suite", "slow");
    assertThat(skipped.out()).endsWith("\n1 passed, 0 failed, 1 skipped\n");
    assertThat(skipped.code()).isEqualTo(1);
  }

  @Test
  void aBuildThatFailsCountsAsAFailure() throws Exception {
    checkout.file("broken", "");
    var ran = checkout.run("test", "--suite", "fast");
    assertThat(ran.out())
        .contains("Web.java:[1,2] ';' expected")
        .endsWith("\n0 passed, 1 failed, 0 skipped\n");
    assertThat(ran.code()).isEqualTo(1);
  }

  @Test
  void withoutResultsItFails() throws Exception {
    assertThat(checkout.run("test", "--suite", "fast"))
        .satisfies(ran -> assertThat(ran.code()).isEqualTo(1))
        .satisfies(ran -> assertThat(ran.out()).endsWith("\n0 passed, 0 failed, 0 skipped\n"));
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
  void endsWhatItStartedWhereItIsInterrupted(String signal, int code) throws Exception {
    checkout.file("hang", "");
    checkout.results("slow", PASSED);
    var script = checkout.start("test", "--suite", "slow");
    var temporary = hanging();
    var pids = pids();
    assertThat(pids).hasSize(2).allMatch(TestVerbTest::isAlive);
    signal(signal, script.pid());
    var ran = checkout.end(script);

    assertThat(ran.code()).isEqualTo(code);
    assertThat(ran.out()).endsWith("== interrupted; ending what was started\n");
    await("Maven ends, and what left its group")
        .until(() -> pids.stream().noneMatch(TestVerbTest::isAlive));
    assertThat(temporary).doesNotExist();
    assertThat(Files.readString(checkout.home().resolve("target/ci/clear.log")))
        .as("the plane was ended by the command")
        .isEqualTo("[down]\n[--data-dir]\n[%s]\n".formatted(temporary.resolve("a plane")));
  }

  @Test
  void clearsWhatARunThatWasKilledHasLeft() throws Exception {
    var hang = checkout.file("hang", "");
    checkout.results("slow", PASSED);
    var script = checkout.start("test", "--suite", "slow");
    var temporary = hanging();
    var pids = pids();
    signal("KILL", script.pid());
    script.waitFor(); // what it prints has no end yet
    assertThat(temporary).as("nobody was there to remove it").exists();
    Files.delete(hang);

    var meanwhile = checkout.run("test", "--suite", "slow");
    assertThat(meanwhile.out()).endsWith("1 passed, 0 failed, 0 skipped\n");
    assertThat(temporary).as("its Maven still runs").exists();

    var shell = ProcessHandle.of(pids.getFirst()).orElseThrow().parent().orElseThrow();
    signal("KILL", pids.getFirst());
    await().until(() -> !isAlive(pids.getFirst()) && !isAlive(shell.pid()));
    var next = checkout.run("test", "--suite", "slow");
    assertThat(next.out())
        .contains("== clearing what an earlier run left in " + temporary)
        .endsWith("1 passed, 0 failed, 0 skipped\n");
    assertThat(temporary).doesNotExist();
    await("what it left ends").until(() -> !isAlive(pids.getLast()));
    assertThat(directory.resolve("tmp")).as("and nothing of its own").isEmptyDirectory();
  }

  /** Waits until a suite hangs; the folder of its temporary files. */
  private Path hanging() {
    var file = checkout.home().resolve("hanging");
    return Path.of(
        await()
            .atMost(Duration.ofSeconds(60))
            .until(
                () -> Files.exists(file) ? Files.readString(file).strip() : "", s -> !s.isEmpty()));
  }

  private List<Long> pids() throws IOException {
    return Files.readAllLines(checkout.home().resolve("pids")).stream().map(Long::valueOf).toList();
  }

  private static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
  }

  private static void signal(String name, long pid) throws Exception {
    var kill = new ProcessBuilder("kill", "-s", name, Long.toString(pid)).start();
    assertThat(kill.waitFor()).isZero();
  }

  @Test
  void refusesWordsThatItDoesNotKnow() throws Exception {
    assertThat(checkout.run("test", "--suite", "nosuch"))
        .isEqualTo(
            new Checkout.Ran(
                2, "", "--suite: one of fast, slow, kernel, docker, long, not 'nosuch'\n"));
    assertThat(checkout.run("test", "all"))
        .isEqualTo(
            new Checkout.Ran(2, "", "unknown option 'all'; known are --long and --suite NAME\n"));
    assertThat(checkout.builds()).isEmpty();
  }

  @Test
  void underSudoTheUserBuildsRootTestsAndTheFilesAreTheUsers() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "sudo is played by root");
    checkout.results("fast", PASSED);
    checkout.giveTo("nobody");
    checkout.with("SUDO_USER", "nobody");
    assertThat(checkout.run("test", "--suite", "fast").code()).isZero();
    assertThat(checkout.builds())
        .satisfiesExactly(
            build -> assertThat(build).startsWith("nobody ").endsWith("package -DskipTests"),
            format -> assertThat(format).startsWith("nobody ").contains("spotless:check"),
            fast ->
                assertThat(fast)
                    .startsWith("root ")
                    .contains("-Dmaven.repo.local=", "-Dsuite=fast"));
    var report = checkout.home().resolve("web/target/surefire-reports/fast/TEST-web.xml");
    assertThat(Files.getOwner(report).getName()).isEqualTo("nobody");
  }
}
