package io.fairlead.testbed.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fairlead.devkit.process.Executables;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script {@code ./fairlead}: when it builds, what it runs, what it says when things lack. */
@Tag("slow")
@Timeout(120)
class ScriptTest {
  @TempDir private Path directory;

  private Checkout checkout;

  @BeforeEach
  void makeCheckout() throws IOException {
    // another user must get in, where a test is about one
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    checkout = Checkout.in(directory);
  }

  @Test
  void wordsAndExitCodesPassUnchanged() throws Exception {
    var ran = checkout.run("-n", "a b", "get", "", "*", "\"quoted\" $HOME");
    assertThat(ran)
        .isEqualTo(new Checkout.Ran(0, "[-n]\n[a b]\n[get]\n[]\n[*]\n[\"quoted\" $HOME]\n", ""));
    assertThat(checkout.run("end", "42").code()).isEqualTo(42);
    var elsewhere = Files.createDirectories(directory.resolve("else where")).toRealPath();
    assertThat(checkout.end(checkout.start(List.of(), elsewhere, "where")).out())
        .isEqualTo(elsewhere + "\n");
  }

  @Test
  void buildsOnlyWhatIsOutOfDate() throws Exception {
    checkout.with("FAIRLEAD_MVN_OPTS", "-o -Dmaven.repo.local=/some/where");
    checkout.run("get");
    checkout.run("get");
    assertThat(checkout.builds())
        .singleElement()
        .asString()
        .contains("-o -Dmaven.repo.local=/some/where", "-Dquick", "-DskipTests package");

    checkout.file("web/src/Web.java", "second");
    checkout.run("get");
    assertThat(checkout.builds()).as("changed").hasSize(2);

    var older = FileTime.from(Instant.parse("2001-02-03T04:05:06Z"));
    Files.setLastModifiedTime(checkout.home().resolve("web/src/Web.java"), older);
    checkout.run("get");
    assertThat(checkout.builds()).as("replaced by an older one").hasSize(3);

    Files.delete(checkout.home().resolve("web/src/Web.java"));
    checkout.run("get");
    assertThat(checkout.builds()).as("deleted").hasSize(4);

    assertThat(checkout.folders()).as("the others were in nobody's use").hasSize(1);
  }

  @Test
  void ofSeveralAtOnceOneBuilds() throws Exception {
    var all = List.of(checkout.start("a"), checkout.start("b"), checkout.start("c"));
    for (var process : all) {
      assertThat(checkout.end(process).code()).isZero();
    }
    assertThat(checkout.builds()).hasSize(1);
  }

  @Test
  void whatRunsKeepsItsFolderUntilItEnds() throws Exception {
    var process = checkout.start("wait");
    var out = new BufferedReader(process.inputReader(StandardCharsets.UTF_8));
    assertThat(out.readLine()).isEqualTo("waiting");
    var first = checkout.folders();

    checkout.file("web/src/Web.java", "second");
    assertThat(checkout.run("get").code()).isZero();
    assertThat(checkout.folders()).hasSize(2).containsAll(first);

    process.getOutputStream().close();
    assertThat(out.readLine()).isEqualTo("still here"); // a class that it had not loaded before
    assertThat(process.waitFor()).isZero();

    checkout.file("web/src/Web.java", "third");
    checkout.run("get");
    assertThat(checkout.folders()).hasSize(1).doesNotContainAnyElementsOf(first);
  }

  @Test
  void aBuildThatFailsSaysWhyAndLeavesWhatWasBuilt() throws Exception {
    checkout.run("get");
    var built = checkout.folders();
    var broken = checkout.file("broken", "");
    checkout.file("web/src/Web.java", "second");

    var ran = checkout.run("get");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err())
        .contains("Web.java:[1,2] ';' expected", "the build failed: ")
        .doesNotContain("[INFO]", "Help", "-X");
    assertThat(checkout.folders()).isEqualTo(built);

    var down = checkout.run("down");
    assertThat(down.out()).as("what runs can be ended nevertheless").isEqualTo("[down]\n");
    assertThat(down.err()).contains("running what was built before");

    Files.delete(broken);
    assertThat(checkout.run("get").code()).isZero();
  }

  @Test
  void underSudoTheInvokingUserBuilds() throws Exception {
    assumeTrue(isRoot(), "sudo is played by root");
    checkout.giveTo("nobody");
    checkout.with("SUDO_USER", "nobody");

    assertThat(checkout.run("get").out()).isEqualTo("[get]\n");
    assertThat(checkout.builds())
        .singleElement()
        .asString()
        .startsWith("nobody /")
        .doesNotStartWith("nobody " + directory);
    assertThat(Files.getOwner(checkout.folders().getFirst()).getName()).isEqualTo("nobody");
  }

  @Test
  void withoutMavenAUserIsToldTheCommand() throws Exception {
    on("ID=debian");
    checkout.uninstall("mvn");
    checkout.program("apt-get", "#!/usr/bin/env bash\necho \"$*\" >>\"$HOME/apt\"\n");
    var ran = checkout.end(checkout.start(asNobody(), checkout.home(), "get"));
    assertThat(ran)
        .isEqualTo(
            new Checkout.Ran(
                1, "", "fairlead: missing packages; please run: sudo apt-get install maven\n"));
    assertThat(directory.resolve("apt")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ID=fedora                                     | dnf install maven etcd
          NAME="R" ID="rocky" ID_LIKE="rhel centos"     | dnf install maven etcd
          ID=alpine                                     | apk add maven etcd etcd-ctl
          ID=arch                                       | pacman -S --needed maven etcd
          ID="opensuse-leap" ID_LIKE="suse opensuse"    | zypper install maven etcd etcdctl
          ID=linuxmint ID_LIKE="ubuntu debian"          | apt-get install maven etcd-server etcd-client
          """)
  void namesTheCommandOfTheDistribution(String release, String command) throws Exception {
    on(release.replaceAll(" ([A-Z_]+=)", "\n$1"));
    checkout.uninstall("mvn");
    var asUser =
        checkout.end(checkout.start(asNobody(), checkout.home(), "test", "--suite", "slow"));
    assertThat(asUser.code()).isEqualTo(1);
    assertThat(asUser.err())
        .isEqualTo("fairlead: missing packages; please run: sudo " + command + "\n");

    assumeTrue(isRoot(), "only root needs no sudo");
    assertThat(checkout.run("test", "--suite", "slow").err())
        .as("nothing but Debian's packages is installed without asking")
        .isEqualTo("fairlead: missing packages; please run: " + command + "\n");
  }

  @Test
  void onAnUnknownDistributionItNamesWhatIsMissing() throws Exception {
    on("ID=homegrown");
    checkout.uninstall("mvn");
    var ran = checkout.run("get");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err())
        .isEqualTo("fairlead: missing: mvn (Debian's packages: maven); please install them\n");
  }

  /** What the machine says that it is. */
  private void on(String release) throws IOException {
    checkout.with(
        "OS_RELEASE", Files.writeString(directory.resolve("os-release"), release + "\n") + "");
  }

  @Test
  void whatRootWroteBecomesTheUsersAndNothingThroughALink() throws Exception {
    assumeTrue(isRoot(), "sudo is played by root");
    checkout.giveTo("nobody");
    checkout.with("SUDO_USER", "nobody");
    var outside = Files.createDirectories(directory.resolve("roots/target/a"));
    var written = checkout.file("web/target/a/b", "");
    var named = Files.createLink(checkout.home().resolve("web/target/c"), checkout.file("d", ""));
    Files.createSymbolicLink(checkout.home().resolve("x"), directory.resolve("roots"));
    Files.createSymbolicLink(checkout.home().resolve("web/target/y"), outside);
    assertThat(checkout.run("get").code()).isZero();

    assertThat(owner(written)).isEqualTo("nobody");
    assertThat(owner(written.resolveSibling("."))).isEqualTo("nobody");
    assertThat(owner(outside)).isEqualTo("root");
    assertThat(owner(named)).as("has a second name").isEqualTo("root");
  }

  private static String owner(Path file) throws IOException {
    return Files.getOwner(file).getName();
  }

  @Test
  void rootOnDebianGetsWhatTheVerbNeeds() throws Exception {
    assumeTrue(isRoot(), "only root installs packages");
    on("ID=debian");
    checkout.program("apt-get", "#!/usr/bin/env bash\necho \"$*\" >>\"$HOME/apt\"\n");
    var get = checkout.run("get");
    assertThat(get.err()).as("no verb but up needs etcd").isEmpty();

    var up = checkout.run("up", "--nodes", "0");
    assertThat(up.code()).isZero();
    assertThat(up.err()).startsWith("installing with apt-get: etcd-server").hasLineCount(1);
    assertThat(Files.readString(directory.resolve("apt")))
        .contains("update", "install -y --no-install-recommends etcd-server");
  }

  @Test
  void withoutAJdkItSaysWhereItLooked() throws Exception {
    var lib = checkout.home().resolve("dev/lib.sh");
    var text = Files.readString(lib);
    assertThat(text).contains("jdk=$(find_jdk 25)");
    // nobody has that one
    Files.writeString(lib, text.replace("jdk=$(find_jdk 25)", "jdk=$(find_jdk 9925)"));
    var ran = checkout.run("version");
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err())
        .startsWith("fairlead: no JDK 25 in JAVA_HOME, JAVA25_HOME, /usr/lib/jvm, ")
        .hasLineCount(1);
    assertThat(checkout.builds()).isEmpty();
  }

  private static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static List<String> asNobody() {
    return isRoot()
        ? List.of(
            Executables.require("setpriv", "util-linux").toString(),
            "--reuid=nobody",
            "--regid=nogroup",
            "--clear-groups")
        : List.of();
  }
}
